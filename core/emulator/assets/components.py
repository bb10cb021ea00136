"""Components: steps of pipelines under a name and a version, or under a digest where they have none."""

import re
from typing import Any

from core.emulator.assets.environments import CURATED
from core.emulator.assets.uris import asset
from core.emulator.assets.versions import Asset
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document

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
    made.setdefault("is_deterministic", spec["type"] != "pipeline")
    if isinstance(spec.get("environment"), str):
        made["environment"] = environment_id(emulation, spec["environment"])
    if str(spec["type"]).lower() == "command":
        made.setdefault("resources", {"instance_count": 1})
    jobs = made.pop("jobs", None)
    shown = _texts(made)
    return sent | {"componentSpec": shown if jobs is None else shown | {"jobs": jobs}}


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
