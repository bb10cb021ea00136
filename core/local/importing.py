"""Registering a model that came as a folder: from another workspace, or from Azure."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from core.contract.signature import from_json
from core.domain.data import DataRef
from core.domain.model import IMPORTED, Model
from core.domain.names import check_name
from core.durable import make_folder, place, storage_error
from core.local.paths import Paths, new_id
from core.local.store import Store

DIGITS = 32
"""Of a digest, to tell models apart by: 128 bits."""


def import_folder(store: Store, paths: Paths, name: str, source: Path, clock: Callable[[], float]) -> Model:
    """Copy the model in a folder and register it; the same bytes under the same name give the same version.

    Raises SpecInvalid, StorageFull.
    """
    # Imported when used: an app that imports nothing needs no packaging.
    from core.packaging.imported import take_over

    check_name("a model", name)
    staged = paths.incoming / new_id(clock)
    try:
        make_folder(staged.parent)
        imported = take_over(source, staged)
        job_id, trial = f"{IMPORTED}{imported.digest[:DIGITS]}", imported.card["trial"]
        model = Model(
            name=name,
            version=0,
            job_id=job_id,
            trial=trial,
            algorithm=imported.card["algorithm"],
            metrics=imported.card["metrics"],
            data=_data(store, imported.card["data"]),
            signature=from_json(msgspec.json.decode((staged / "signature.json").read_bytes())),
            size_bytes=sum(file.stat().st_size for file in staged.rglob("*") if file.is_file()),
            created_at=clock(),
        )
        place(staged, paths.new_model(name, job_id, trial))
    except OSError as e:
        raise storage_error(e, f"import {source.name}") from e
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return store.models.add(model)


def _data(store: Store, told: dict[str, object]) -> DataRef:
    """What the model learned from: the same bytes here where we have them, else its name elsewhere.

    Where that is another table here, the name says that it is not this one.
    """
    ref, sha256 = DataRef(str(told["name"]), int(str(told["version"]))), str(told.get("sha256", ""))
    assets = store.data.list()
    if same := next((asset.ref for asset in assets if sha256 and asset.sha256 == sha256), None):
        return same
    taken = any(asset.ref == ref for asset in assets)
    return replace(ref, name=f"{ref.name}-{sha256[:8] or 'elsewhere'}") if taken else ref
