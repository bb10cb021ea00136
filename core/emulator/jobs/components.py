"""What a node of a pipeline does: its component, by its id, or what the node itself says."""

import re
from collections.abc import Mapping
from typing import Any

from core.emulator.emulation import Emulation
from core.emulator.jobs.refusals import user_error
from core.emulator.messages import Document

NAMED = re.compile(r"azureml:(?P<name>[^:/]+):(?P<version>[^:/]+)")


def spec_of(emulation: Emulation, node: Mapping[str, Any]) -> Document:
    """The specification of a node's component. Raises AzureError 400 where there is none."""
    wanted = node.get("componentId") or node.get("component")
    if isinstance(wanted, Mapping):
        return dict(wanted)
    if not wanted:
        return dict(node)
    return registered(emulation, str(wanted))


def registered(emulation: Emulation, component_id: str) -> Document:
    """The specification of a component that is kept in the workspace. Raises AzureError 400."""
    path = component_id
    if match := NAMED.fullmatch(component_id):
        path = f"{emulation.names.workspace_path}/components/{match['name']}/versions/{match['version']}"
    kept = emulation.state.get("/" + path.removeprefix("azureml:").lstrip("/"))
    if kept is None:
        raise user_error(f"Could not find component: {component_id}.")
    spec: Document = kept["properties"]["componentSpec"]
    return spec


def asset_address(address: Any) -> str | None:
    """An address as components write it (`azureml:/subscriptions/...`), without the prefix of an ARM id."""
    text = str(address or "")
    return text.removeprefix("azureml:") if text.startswith("azureml:/subscriptions") else text or None
