"""Models: folders and files under a name and a version, the jobs they came from, and their MLflow flavors."""

import re
from typing import Any

import yaml

from core.emulator import blobs
from core.emulator.assets.uris import ARTIFACTS, artifacts_of, located, long_uri
from core.emulator.assets.versions import Asset, active
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Request

TYPES = ("custom_model", "mlflow_model", "triton_model")
USUAL: Document = {
    "description": None, "tags": {}, "properties": {}, "isArchived": False, "isAnonymous": False, "flavors": {},
    "jobName": None,
}  # fmt: skip
JOB = re.compile(r".*/jobs/([^/]+)/outputs/(?:artifacts|default)(?:/paths)?(/.*)?|runs:/([^/]+)(/.*)", re.IGNORECASE)
DCID = re.compile(r"ExperimentRun/dcid\.([^/]+)")


def make(emulation: Emulation, wanted: Document, sent: Document) -> Document:
    """Raises AzureError 400 for a type that there is not, and for one without an address."""
    kind = str(sent.get("modelType") or "custom_model")
    if kind.lower() not in TYPES:
        raise AzureError(400, "UserError", f"The model type '{kind}' is none of {', '.join(TYPES)}")
    uri = str(sent.get("modelUri") or "")
    if not uri:
        raise AzureError(400, "UserError", "A model needs a modelUri")
    uri = _settled(emulation, uri)
    run = DCID.search(uri)
    made = sent | {"modelType": kind.lower(), "modelUri": uri}
    if run:
        made["jobName"] = sent.get("jobName") or run[1]
    if kind.lower() == "mlflow_model" and not sent.get("flavors"):
        made["flavors"] = _flavors(emulation, uri)
    return made


def matches(resource: Document, request: Request) -> bool:
    """By stage and by tags, as `listViewType` wants them."""
    properties, query = resource["properties"], request.query
    if (stage := query.get("stage")) and str(properties.get("stage", "")).lower() != stage.lower():
        return False
    if (version := query.get("version")) and resource["name"] != version:
        return False
    tags = properties.get("tags") or {}
    for wanted in filter(None, query.get("tags", "").split(",")):
        name, given, value = wanted.partition("=")
        if name not in tags or (given and str(tags[name]) != value):
            return False
    return active(resource, request)


def _settled(emulation: Emulation, uri: str) -> str:
    """Where the model lies for good: outputs of jobs are named by their place in the artifact store."""
    if match := JOB.fullmatch(uri):
        job, path = match[1] or match[3], (match[2] or match[4] or "").strip("/")
        uri = f"azureml://datastores/workspaceartifactstore/paths/{artifacts_of(job)}/{path}".rstrip("/")
    elif re.match(r"azureml:.*/jobs/", uri, re.IGNORECASE):
        place = located(emulation, uri)
        store = "workspaceartifactstore" if place.container == ARTIFACTS else "workspaceblobstore"
        uri = f"azureml://datastores/{store}/paths/{place.name}"
    return long_uri(emulation, uri, is_folder=False)


def _flavors(emulation: Emulation, uri: str) -> Document:
    """What the file `MLmodel` says, if it is there: every value as a text, as the service shows it."""
    try:
        place = located(emulation, uri).below("MLmodel")
        said = yaml.safe_load(blobs.read(emulation, place.container, place.name))
        return {str(name): {"data": _texts(data)} for name, data in (said.get("flavors") or {}).items()}
    except (AzureError, FileNotFoundError, yaml.YAMLError, AttributeError):
        return {}


def _texts(data: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in data.items() if value is not None}


ASSET = Asset("models", "model", ("modelUri", "modelType"), make, USUAL)
KINDS = ASSET.kinds(matches=matches)
