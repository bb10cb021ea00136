"""Which workspace of Azure ML is meant: the settings, or a `config.json` as the studio downloads it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.domain.errors import SpecInvalid
from core.domain.rules import shown
from core.settings import Settings

_KEYS = ("subscription_id", "resource_group", "workspace_name")
_FORMS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "subscription_id": (
        re.compile(r"[0-9a-zA-Z-]+"),
        "It is the id, not the name: 'az account list --output table' shows both",
    ),
    "resource_group": (
        re.compile(r"[\w.()-]{0,89}[\w()-]"),
        "1 to 90 letters, digits, dashes, underscores, dots and parentheses, no dot at the end",
    ),
    "workspace_name": (
        re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}"),
        "Letters, digits, dashes and underscores, a letter or digit first",
    ),
}
"""What Azure takes as each name: they become part of addresses and of a folder's name."""
_SCOPE = re.compile(
    r"/subscriptions/(?P<subscription_id>[^/]+)/resourceGroups/(?P<resource_group>[^/]+)"
    r"/providers/Microsoft\.MachineLearningServices/workspaces/(?P<workspace_name>[^/]+)",
    re.IGNORECASE,
)
"""What a file of the SDK v1 has in the place of the three names."""


@dataclass(frozen=True, slots=True)
class Target:
    """A workspace of Azure ML by its three names."""

    subscription: str
    resource_group: str
    workspace: str

    @property
    def group_path(self) -> str:
        """The id of its resource group in Azure Resource Manager."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"

    @property
    def path(self) -> str:
        """Its id in Azure Resource Manager."""
        return f"{self.group_path}/providers/Microsoft.MachineLearningServices/workspaces/{self.workspace}"

    @property
    def folder_name(self) -> str:
        """Its own, also beside a workspace of the same name in another resource group."""
        return f"{self.workspace.lower()}-{hashlib.sha256(self.path.lower().encode()).hexdigest()[:8]}"


def read_target(settings: Settings) -> Target:
    """The workspace that the settings name; a name that stands in the settings wins over the file's.

    Raises SpecInvalid that says which name is missing and where it can stand.
    """
    found = _from_file(Path(settings.azure_config).expanduser()) if settings.azure_config else {}
    named = (settings.azure_subscription, settings.azure_resource_group, settings.azure_workspace)
    values = [given or found.get(key, "") for given, key in zip(named, _KEYS, strict=True)]
    if missing := [key for key, value in zip(_KEYS, values, strict=True) if not value]:
        raise SpecInvalid(
            f"Which workspace of Azure ML is meant is not known: {' and '.join(missing)} missing",
            hint="Download config.json in Azure's studio (your workspace's menu, top right) and set"
            " SLIPWAY_AZURE_CONFIG to it, or set SLIPWAY_AZURE_SUBSCRIPTION, SLIPWAY_AZURE_RESOURCE_GROUP and"
            " SLIPWAY_AZURE_WORKSPACE",
        )
    for key, value in zip(_KEYS, values, strict=True):
        form, rule = _FORMS[key]
        if not form.fullmatch(value):
            raise SpecInvalid(f"{shown(value)} is no {key} of Azure", hint=rule)
    return Target(*values)


def _from_file(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text("utf-8-sig"))
    except OSError as e:
        raise SpecInvalid(f"{path} cannot be read: {e.strerror}", hint="It is the setting azure_config") from e
    except ValueError as e:
        raise SpecInvalid(f"{path} is not JSON: {e}", hint="Download config.json anew in Azure's studio") from e
    if not isinstance(found, dict):
        raise SpecInvalid(f"{path} holds no JSON object", hint="Download config.json anew in Azure's studio")
    if scope := _SCOPE.fullmatch(str(found.get("Scope", ""))):
        return scope.groupdict()
    return {key: str(found[key]) for key in _KEYS if found.get(key)}
