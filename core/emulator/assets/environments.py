"""Environments: those that Azure brings along, and those that a client describes by an image and a conda file."""

import json

import yaml

from core.emulator.assets.versions import Asset
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document
from core.emulator.names import NAMESPACE

USUAL: Document = {
    "description": None, "tags": {}, "properties": {}, "isArchived": False, "isAnonymous": False,
    "environmentType": "UserCreated", "osType": "Linux",
}  # fmt: skip
CURATED = {
    "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu": "33",
    "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu": "49",
    "AzureML-lightgbm-3.2-ubuntu18.04-py37-cpu": "49",
    "AzureML-AutoML": "150",
    "AzureML-ACPT-pytorch-1.13-py38-cuda11.7-gpu": "10",
    "AzureML-minimal-ubuntu18.04-py37-cpu-inference": "61",
    "AzureML-responsibleai-0.21-ubuntu20.04-py38-cpu": "9",
    "sklearn-1.1": "35",
    "sklearn-1.5": "25",
    "lightgbm-3.3": "68",
    "tensorflow-2.16-cuda12": "9",
    "acpt-pytorch-2.2-cuda12.1": "30",
    "mlflow-py39-inference": "7",
    "mlflow-py312-inference": "7",
    "minimal-py311-inference": "10",
    "minimal-py312-inference": "7",
    "minimal-ubuntu20.04-py38-cpu-inference": "46",
    "minimal-ubuntu22.04-py39-cpu-inference": "5",
    "python-sdk-v2": "22",
    "ai-ml-automl": "15",
    "responsibleai-ubuntu20.04-py38-cpu": "55",
}
"""Name -> the version that stands for the newest; Azure has newer ones from month to month."""
MADE_AT = "2025-01-15T09:00:00.000000Z"
IMAGES = "mcr.microsoft.com/azureml/curated"


def curated(name: str, version: str) -> Document:
    """The properties of one that Azure brings along."""
    image = name.removeprefix("AzureML-").lower()
    inference = {"livenessRoute": {"path": "/", "port": 5001}, "readinessRoute": {"path": "/", "port": 5001}} | {
        "scoringRoute": {"path": "/score", "port": 5001}
    }
    said = {"description": f"A curated environment of Azure ML: {name}", "environmentType": "Curated"}
    serving = {"inferenceConfig": inference} if "inference" in name else {}
    return USUAL | said | serving | {"image": f"{IMAGES}/{image}:{version}"}


def make_curated(emulation: Emulation) -> None:
    """The workspace knows them from its beginning."""
    who = {
        "createdAt": MADE_AT, "createdBy": "Microsoft", "createdByType": "User",
        "lastModifiedAt": MADE_AT, "lastModifiedBy": "Microsoft", "lastModifiedByType": "User",
    }  # fmt: skip
    kind = f"{NAMESPACE}/workspaces/environments"
    usual: Document = {"description": None, "tags": {}, "properties": {}, "isArchived": False}
    for name, version in CURATED.items():
        path = f"{emulation.names.workspace_path}/environments/{name}"
        own = {"id": path, "name": name, "type": kind, "properties": usual, "systemData": who}
        emulation.state.hold(path, own)
        version_path = f"{path}/versions/{version}"
        about = {"id": version_path, "name": version, "type": f"{kind}/versions", "systemData": who}
        emulation.state.hold(version_path, about | {"properties": curated(name, version)})


def make(emulation: Emulation, wanted: Document, sent: Document) -> Document:
    """Raises AzureError 400 for one that says nothing of an image, and for a conda file that cannot be read."""
    if not sent.get("image") and not sent.get("build"):
        raise AzureError(400, "UserError", "An environment needs an image or a build context")
    if sent.get("image") and sent.get("build"):
        raise AzureError(400, "UserError", "An environment has an image or a build context, not both")
    name = str(wanted["id"]).rsplit("/", 3)[1]
    if name.lower().startswith(("azureml-", "microsoft")) and name not in CURATED:
        raise AzureError(400, "UserError", f"Names of environments that begin with '{name[:9]}' are Azure's own")
    made = {"properties": {}, **sent, "environmentType": "UserCreated"}
    if isinstance(sent.get("build"), dict):
        made["build"] = {"dockerfilePath": "Dockerfile"} | {key: said for key, said in sent["build"].items() if said}
    if sent.get("condaFile"):
        made["condaFile"] = _conda(str(sent["condaFile"]))
    return made


def _conda(said: str) -> str:
    """A conda file as the service keeps it: JSON."""
    try:
        parsed = yaml.safe_load(said)
    except yaml.YAMLError as e:
        raise AzureError(400, "UserError", f"The conda file is no YAML: {str(e).splitlines()[0]}") from e
    if not isinstance(parsed, dict):
        raise AzureError(400, "UserError", "The conda file is no mapping")
    return json.dumps(parsed, indent=2, default=str)


ASSET = Asset("environments", "environment", ("image", "condaFile", "build"), make, USUAL)
KINDS = ASSET.kinds()
