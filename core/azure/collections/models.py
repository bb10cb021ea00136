"""The verbs of `models` on Azure ML."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from core.azure.context import Context
from core.azure.importing import import_folder
from core.azure.model_reading import all_models, versions
from core.azure.names import asset_name
from core.azure.registration import register
from core.azure.tables import Tables
from core.domain.errors import Conflict, ModelNotFound, NotFound, StorageFull
from core.domain.model import Model
from core.workspace.jobs import Jobs
from core.workspace.models import Models


class AzureModels(Models):
    """Models registered from the artifacts of trials, and those that others have registered."""

    def __init__(self, context: Context, tables: Tables, jobs: Jobs) -> None:
        self._context, self._tables, self._jobs = context, tables, jobs

    def register(self, name: str, job_id: str, trial: int | None = None) -> Model:
        return register(self._context, self._tables, name, self._jobs.get(job_id), trial)

    def import_folder(self, name: str, folder: Path) -> Model:
        return import_folder(self._context, self._tables, name, folder)

    def list(self, *, job_id: str = "") -> tuple[Model, ...]:
        return tuple(model for model in all_models(self._context) if job_id in ("", model.job_id))

    def get(self, name: str, version: int = 0) -> Model:
        for model in versions(self._context, asset_name(name)):
            if version in (0, model.version):
                return model
        with self._context.asking("model") as client:
            known = ", ".join(sorted(str(each.name) for each in client.models.list())) or "none yet"
        what = f"{name}:{version}" if version else name
        raise ModelNotFound(f"There is no model '{what}'", hint=f"Registered: {known}")

    def package(self, name: str, version: int, folder: Path) -> Path:
        model = self.get(name, version)
        if folder.exists():
            raise Conflict(f"{folder} exists already", hint="Name a folder that does not exist yet")
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=folder.parent, prefix=".package-") as arriving:
                with self._context.asking("model", model.ref) as client:
                    client.models.download(asset_name(model.name), str(model.version), arriving)
                root = _root(Path(arriving))
                self._tell_origin(root, model)
                shutil.move(root, folder)
        except OSError as e:
            raise StorageFull(f"The model '{model.ref}' cannot be written to {folder}: {e.strerror}") from e
        return folder

    def _tell_origin(self, folder: Path, model: Model) -> None:
        """Let the card of a model of ours name the job and the table as this workspace does, not as its trainer did."""
        path = folder / "card.json"
        try:
            card = msgspec.json.decode(path.read_bytes())
            asset = self._tables.find(model.data).asset
        except (FileNotFoundError, msgspec.DecodeError, NotFound):
            return
        if isinstance(card, dict) and isinstance(card.get("data"), dict):
            card["job_id"] = model.job_id
            card["data"] |= {"name": asset.name, "version": asset.version, "sha256": asset.sha256}
            path.write_bytes(msgspec.json.encode(card))


def _root(folder: Path) -> Path:
    """The model's own folder in what the SDK has downloaded: it puts it below folders of its own."""
    described = min(folder.rglob("MLmodel"), key=lambda path: len(path.parts), default=None)
    if described is not None:
        return described.parent
    while len(held := list(folder.iterdir())) == 1 and held[0].is_dir():
        folder = held[0]
    return folder
