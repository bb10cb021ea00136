"""Names in Azure ML: assets there have plain letters, digits, dashes and underscores; ours have any."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from core.azure.context import TAG
from core.domain.names import slug

ASSET = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}")
NAME = f"{TAG}.name"
"""The tag that holds a name which Azure does not take."""
SLUG_CHARS_MAX = 100


def asset_name(name: str) -> str:
    """What an asset of this name is called there: its name where Azure takes it, else one like it that is its own."""
    if ASSET.fullmatch(name):
        return name
    return "-".join(filter(None, (slug(name)[:SLUG_CHARS_MAX], hashlib.sha256(name.encode()).hexdigest()[:8])))


def named(name: str) -> dict[str, str]:
    """The tags from which `own_name` knows the name again."""
    return {} if asset_name(name) == name else {NAME: name}


def own_name(name: str, tags: Mapping[str, str] | None) -> str:
    """The name that somebody gave an asset which is called `name` in Azure."""
    return str(mapping(tags).get(NAME) or name)


def version_number(version: object) -> int | None:
    """A version as ours are; None for one of somebody who counts otherwise, `2024-05` for example."""
    text = str(version or "")
    return int(text) if text.isascii() and text.isdecimal() and 0 < int(text) <= 1_000_000_000 else None


def mapping(value: Any) -> Mapping[str, Any]:
    """Tags or properties; none where Azure's answer has something else in their place."""
    return value if isinstance(value, Mapping) else {}
