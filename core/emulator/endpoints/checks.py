"""What Azure refuses of an endpoint or a deployment at once, in its words."""

import re
from collections.abc import Mapping
from typing import Any

from core.emulator.messages import AzureError, Document

NAME = re.compile(r"[a-zA-Z](?:[a-zA-Z0-9-]{1,30}[a-zA-Z0-9])")
"""3 to 32 letters, digits and dashes, a letter first, no dash at the end."""
INSTANCE_TYPE = re.compile(r"standard_[a-z]+\d[a-z0-9_-]*", re.IGNORECASE)
MIRROR_MAX_PCT = 50
AUTH_MODES = {
    "key": "Key",
    "amltoken": "AMLToken",
    "aml_token": "AMLToken",
    "aadtoken": "AADToken",
    "aad_token": "AADToken",
}


def refused(message: str, code: str = "UserError", status: int = 400) -> AzureError:
    """Azure's refusal of what a client asked for."""
    return AzureError(status, code, message)


def check_name(what: str, name: str) -> None:
    """Raises AzureError 400."""
    if not NAME.fullmatch(name):
        raise refused(
            f"The {what} name '{name}' is invalid. It must be 3 to 32 characters long, begin with a letter, end with a"
            " letter or digit, and have only letters, digits and '-'.",
            "BadArgument",
        )


def auth_mode(given: Any, allowed: tuple[str, ...]) -> str:
    """The mode in Azure's spelling. Raises AzureError 400."""
    mode = AUTH_MODES.get(str(given).lower())
    if mode not in allowed:
        raise refused(f"AuthMode '{given}' is not supported. It is one of {', '.join(allowed)}.", "BadArgument")
    return mode


def check_traffic(properties: Mapping[str, Any], known: Mapping[str, Document]) -> None:
    """Raises AzureError 400 for percents that Azure does not take, and for deployments that are not there."""
    traffic, mirror = percents(properties, "traffic"), percents(properties, "mirrorTraffic")
    for name in (*traffic, *mirror):
        if name.lower() not in known:
            raise refused(f"The traffic names the deployment '{name}', which does not exist.", "BadArgument")
        state = known[name.lower()]["properties"].get("provisioningState")
        if state == "Failed" and traffic.get(name, 0) > 0:
            raise refused(f"The deployment '{name}' is in the state Failed and cannot take traffic.", "BadArgument")
    if sum(traffic.values()) not in (0, 100):
        raise refused(
            f"The traffic of all deployments must add up to 0 or 100, got {sum(traffic.values())}.", "BadArgument"
        )
    if len([name for name, percent in mirror.items() if percent]) > 1:
        raise refused("Traffic can be mirrored to one deployment only.", "BadArgument")
    if sum(mirror.values()) > MIRROR_MAX_PCT:
        raise refused(f"At most {MIRROR_MAX_PCT} percent of the traffic can be mirrored.", "BadArgument")
    if both := [name for name, percent in mirror.items() if percent and traffic.get(name)]:
        raise refused(f"The deployment '{both[0]}' has live traffic and cannot be mirrored to as well.", "BadArgument")


def percents(properties: Mapping[str, Any], name: str) -> dict[str, int]:
    """A map of percents as it was sent. Raises AzureError 400."""
    found = properties.get(name) or {}
    for deployment, percent in found.items():
        if isinstance(percent, bool) or not isinstance(percent, int) or not 0 <= percent <= 100:
            raise refused(f"The {name} of '{deployment}' is {percent!r}, expected 0 to 100.", "BadArgument")
    return dict(found)


def seconds(duration: Any, default_s: float) -> float:
    """An ISO 8601 duration such as PT5S or PT1M30.5S in seconds. Raises AzureError 400."""
    if duration in (None, ""):
        return default_s
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", str(duration))
    if not match:
        raise refused(f"'{duration}' is no ISO 8601 duration.", "BadArgument")
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest
