"""Registering a model that came as a folder, as `model package` wrote it: its files are uploaded."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from core.azure.context import TAG, Context
from core.azure.kept import kept
from core.azure.model_reading import ModelAbout, versions
from core.azure.names import asset_name, named
from core.azure.registration import create
from core.azure.storage import uploading
from core.azure.tables import Tables
from core.azure.translate import ABOUT
from core.contract.signature import from_json
from core.domain.data import DataRef
from core.domain.model import IMPORTED, Model
from core.domain.names import check_name
from core.domain.version import VERSION

DIGITS = 32
"""Of a digest, to tell models apart by: 128 bits."""


def import_folder(context: Context, tables: Tables, name: str, source: Path) -> Model:
    """Upload the model in a folder and register it; the same model under the same name gives the same version.

    Raises SpecInvalid for a folder that is no model of ours, or holds a pickle.
    """
    # Imported when used: an app that imports nothing needs no packaging.
    from core.packaging.imported import take_over

    check_name("a model", name)
    with TemporaryDirectory(dir=context.folder, prefix=".importing-") as parent:
        staged = Path(parent) / "model"
        imported = take_over(source, staged)
        job_id, card = f"{IMPORTED}{imported.digest[:DIGITS]}", imported.card
        known = versions(context, asset_name(name))
        if same := next((model for model in known if model.job_id == job_id), None):
            return same
        about = ModelAbout(
            job_id,
            card["trial"],
            card["algorithm"],
            card["metrics"],
            _data(tables, card["data"]),
            from_json(msgspec.json.decode((staged / "signature.json").read_bytes())),
            sum(file.stat().st_size for file in staged.rglob("*") if file.is_file()),
        )
        sent = {
            "name": asset_name(name),
            "path": str(staged),
            "type": "mlflow_model",
            "description": f"{about.algorithm}, imported",
            "tags": {TAG: VERSION, f"{TAG}.job": job_id, **named(name)},
            "properties": kept(ABOUT, about),
        }
        with uploading(name):
            return create(context, sent)


def _data(tables: Tables, told: dict[str, Any]) -> DataRef:
    """What the model learned from: the same bytes here where they are here, else its name elsewhere."""
    ref, sha256 = DataRef(str(told["name"]), int(str(told["version"]))), str(told.get("sha256", ""))
    assets = [held.asset for held in tables.all()]
    if same := next((asset.ref for asset in assets if sha256 and asset.sha256 == sha256), None):
        return same
    taken = any(asset.ref == ref for asset in assets)
    return replace(ref, name=f"{ref.name}-{sha256[:8] or 'elsewhere'}") if taken else ref
