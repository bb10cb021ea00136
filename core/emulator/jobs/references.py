"""The assets that a job names: what is not there is told when the job is submitted, as Azure does."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.emulator.assets.environments import CURATED
from core.emulator.assets.uris import asset
from core.emulator.emulation import Emulation
from core.emulator.jobs.refusals import user_error
from core.emulator.messages import AzureError

SHORT = re.compile(r"azureml:(?!/)([\w.-]+)[:@]([\w.-]+)")
LONG = re.compile(
    r"(?:azureml:)?/subscriptions/.+/workspaces/[^/]+/(data|environments)/([^/]+)/versions/([^/]+)/?", re.I
)
TABLES = ("trainingData", "validationData", "testData")


def check(emulation: Emulation, sent: Mapping[str, Any]) -> None:
    """Raises AzureError 400 for data and environments of this workspace that a job names and nobody has made."""
    for kind, said in _named(sent):
        match = LONG.fullmatch(said)
        short = None if match else SHORT.fullmatch(said)
        if match:
            _there(emulation, match[1].lower(), match[2], match[3])
        elif short:
            _there(emulation, kind, short[1], short[2])


def _named(sent: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    task = sent.get("taskDetails") or {}
    for given in (*(sent.get("inputs") or {}).values(), *(task.get(name) for name in TABLES)):
        if isinstance(given, dict) and isinstance(given.get("uri"), str):
            yield "data", given["uri"]
    if isinstance(sent.get("environmentId"), str):
        yield "environments", sent["environmentId"]


def _there(emulation: Emulation, kind: str, name: str, version: str) -> None:
    if kind == "environments" and (name in CURATED or name.lower().startswith("azureml")):
        return  # Azure has more versions of its own than the emulation lists
    try:
        asset(emulation, kind, name, version)
    except AzureError:
        if kind == "data" and _is_model(emulation, name, version):
            return
        raise user_error(f"Could not find asset with ID: azureml://{kind}/{name}/versions/{version}") from None


def _is_model(emulation: Emulation, name: str, version: str) -> bool:
    """An input may be a model by its short name, too."""
    try:
        asset(emulation, "models", name, version)
    except AzureError:
        return False
    return True
