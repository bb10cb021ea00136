"""The model that a deployment names: found in the store of resources, and brought into the workspace to be served."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from core.domain.model import Model
from core.domain.names import slug
from core.emulator import blobs
from core.emulator.assets import located
from core.emulator.emulation import Emulation
from core.emulator.endpoints.checks import refused
from core.emulator.jobs import outputs
from core.emulator.messages import Document

VERSION_ID = re.compile(r".*/models/([^/]+)/versions/([^/]+)", re.IGNORECASE)
OF_RUN = re.compile(r"(?:azureml://jobs/|dcid\.|runs:/)([^/]+)")
"""What a run has left is laid down when somebody asks for it."""
SHORT_ID = re.compile(r"(?:azureml:)?/?([^/:]+):([^/:]+)")


@dataclass(frozen=True, slots=True)
class Named:
    """A version of a registered model of Azure ML."""

    name: str
    version: str
    document: Document

    @property
    def uri(self) -> str:
        """Where its files lie."""
        return str(self.document["properties"].get("modelUri") or "")

    @property
    def type(self) -> str:
        """mlflow_model, custom_model or triton_model."""
        return str(self.document["properties"].get("modelType") or "custom_model").lower()


def named(emulation: Emulation, said: str) -> Named:
    """The model of an id in any of Azure's spellings. Raises AzureError 400 or 404."""
    if "registries/" in said.lower():
        raise refused(f"The emulation does not deploy models of a registry: '{said}'.", "NotSupported")
    match = VERSION_ID.fullmatch(said.removeprefix("azureml:")) or SHORT_ID.fullmatch(said)
    if not match:
        raise refused(f"'{said}' is not the id of a model.", "BadArgument")
    name, version = match.groups()
    path = f"{emulation.names.workspace_path}/models/{name}/versions/{version}"
    document = emulation.state.get(path)
    if document is None:
        raise refused(f"The model '{name}:{version}' was not found.", "ResourceNotFound", 404)
    return Named(name, version, document)


@contextmanager
def folder_of(emulation: Emulation, uri: str) -> Iterator[Path]:
    """A copy of all files below an address, under their own names, while the block lasts. Raises AzureError 404."""
    if run := OF_RUN.search(uri):
        outputs.ensure(emulation, run[1])
    place = located(emulation, uri)
    found = place.blobs(emulation)
    if not found:
        raise refused(f"There are no files at '{uri}'.", "ResourceNotFound", 404)
    with TemporaryDirectory(prefix="slipway-model-") as made:
        copy_blobs(emulation, found, place.name, Path(made))
        yield Path(made)


def copy_blobs(emulation: Emulation, found: list[blobs.Blob], prefix: str, folder: Path) -> None:
    """The content of blobs as files, each under what its name has behind the prefix."""
    for blob in found:
        inner = blob.name.removeprefix(prefix).strip("/") or blob.name.rpartition("/")[2]
        target = (folder / inner).resolve()
        if not target.is_relative_to(folder.resolve()):
            raise refused(f"'{blob.name}' is not a name for a file here.")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(blobs.folder(emulation) / blob.file, target)


def root_of(folder: Path) -> Path:
    """Where the model itself begins: the folder with `MLmodel`, which an upload may have put one level down."""
    if (folder / "MLmodel").exists():
        return folder
    inside = sorted(path.parent for path in folder.glob("*/MLmodel"))
    return inside[0] if inside else folder


def is_ours(folder: Path) -> bool:
    """Whether the workspace can serve it by itself, without running anything that lies in it."""
    return (folder / "model.json").is_file() and (folder / "signature.json").is_file()


def flavors(folder: Path) -> tuple[str, ...]:
    """What an MLflow model calls its flavors, for a message; nothing where `MLmodel` cannot be read."""
    try:
        said = yaml.safe_load((folder / "MLmodel").read_text("utf-8"))
        return tuple(said["flavors"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return ()


def brought(emulation: Emulation, model: Named, folder: Path) -> Model:
    """The same model in the workspace. Raises SpecInvalid for a folder that is no sound model."""
    return emulation.workspace.models.import_folder(slug(model.name), folder)
