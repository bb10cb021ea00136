"""Components: steps of pipelines under a name and a version, or under a digest where they have none."""

import json
import re
from typing import Any
from uuid import UUID, uuid5

from core.emulator.arm.resources import WHO, WORKSPACE, known
from core.emulator.assets.environments import CURATED
from core.emulator.assets.uris import asset
from core.emulator.assets.versions import Asset, registered
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.routes import Route

ANONYMOUS = "azureml_anonymous"
DEFAULT = "azureml_default"
"""The SDK asks for it where its user has named neither version nor label."""
USUAL: Document = {"description": None, "tags": {}, "properties": {}, "isArchived": False, "isAnonymous": False}


def make(emulation: Emulation, wanted: Document, sent: Document) -> Document:
    """Raises AzureError 400 for what is no specification."""
    spec = sent.get("componentSpec")
    if not isinstance(spec, dict) or not spec.get("type"):
        raise AzureError(400, "UserError", "A component needs a componentSpec with a type")
    made = dict(spec)
    if not sent.get("isAnonymous"):
        name, _, version = str(wanted["id"]).rsplit("/", 2)
        made |= {"name": name.rsplit("/", 1)[1], "version": version}
    kind = str(spec["type"]).lower()
    made.setdefault("is_deterministic", kind != "pipeline")
    if isinstance(spec.get("environment"), str):
        made["environment"] = environment_id(emulation, spec["environment"])
    if kind == "command":
        made.setdefault("resources", {"instance_count": 1})
    for said in (made.get("inputs") or {}).values():
        if isinstance(said, dict):
            said.setdefault("optional", False)
    jobs = made.pop("jobs", None)
    shown = _texts(made)
    return sent | {"componentSpec": shown if jobs is None else shown | {"jobs": jobs}}


def put_anonymous(emulation: Emulation, request: Request) -> Reply:
    """A component without a name: the same content has the same name, of Azure's own choosing.

    It is found under the name that its client chose, too.
    """
    known(emulation, request)
    sent = dict(request.document().get("properties") or {}) | {"isAnonymous": True}
    spec = sent.get("componentSpec") or {}
    content = {name: value for name, value in spec.items() if name not in ("name", "version")}
    number = str(uuid5(UUID(emulation.names.workspace_id), json.dumps(content, sort_keys=True, default=str)))
    base = f"{emulation.names.workspace_path}/components/{ANONYMOUS}/versions"
    before = emulation.state.get(f"{base}/{number}")
    properties = {**USUAL, **make(emulation, {}, {name: value for name, value in sent.items() if value is not None})}
    own = properties["componentSpec"]
    if own.get("name") == ANONYMOUS:
        own["version"] = number
    made = before or registered(emulation, "components", ANONYMOUS, properties, number, by=WHO)
    if request.found["version"].lower() != number:
        emulation.state.put(f"{base}/{request.found['version']}", made)
    return Reply(201, made)


def get_default(emulation: Emulation, request: Request) -> Reply:
    """The version that a client means who names none: the newest."""
    known(emulation, request)
    return Reply(body=asset(emulation, "components", request.found["name"], "latest"))


def environment_id(emulation: Emulation, said: str) -> str:
    """The full id of an environment, `latest` resolved: Azure's own lie in its registry, others in the workspace."""
    match = re.fullmatch(r"(?:azureml:)?([\w.-]+)(?::|@)([\w.-]+)", said)
    if not match:
        return said
    name, version = match.groups()
    if name in CURATED:
        number = CURATED[name] if version.lower() == "latest" else version
        return f"azureml://registries/azureml/environments/{name}/versions/{number}"
    kept = asset(emulation, "environments", name, version)
    return f"azureml:{kept['id']}"


def _texts(said: Any) -> Any:
    """Numbers and truth values as texts, as the service shows a specification."""
    if isinstance(said, dict):
        return {key: _texts(value) for key, value in said.items() if value is not None}
    if isinstance(said, list):
        return [_texts(value) for value in said]
    return said if isinstance(said, str) else str(said)


ASSET = Asset("components", "component", ("componentSpec",), make, USUAL)
KINDS = ASSET.kinds()
ROUTES = (
    Route("PUT", "arm", f"{WORKSPACE}/components/{ANONYMOUS}/versions/{{version}}", put_anonymous),
    Route("GET", "arm", f"{WORKSPACE}/components/{{name}}/versions/{DEFAULT}", get_default),
)
