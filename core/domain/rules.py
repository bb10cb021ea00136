"""What values refuse at birth, in one sentence each: what it is, what was found, what was expected."""

import math
import unicodedata
from typing import Any

from core.domain.errors import SpecInvalid

NAME_BYTES_MAX = 200
"""Names become folders; file systems take 255 bytes, and some go to what is written beside them."""


def check_whole(name: str, value: Any, low: int, high: int) -> None:
    """A whole number within both bounds; `true` and "10" are none."""
    if type(value) is not int or not low <= value <= high:
        raise SpecInvalid(f"{name} is {_shown(value)}, expected a whole number from {low:,} to {high:,}")


def check_number(name: str, value: Any, low: float, high: float, *, above: bool = False) -> None:
    """A finite number within both bounds, or above the lower one; `true`, "10" and nan are none."""
    sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not sound or not low <= value <= high or (above and value == low):
        bounds = f"above {low:,g} and at most {high:,g}" if above else f"from {low:,g} to {high:,g}"
        raise SpecInvalid(f"{name} is {_shown(value)}, expected a number {bounds}")


def check_flag(name: str, value: Any) -> None:
    """True or false, and nothing that counts as one of them."""
    if not isinstance(value, bool):
        raise SpecInvalid(f"{name} is {_shown(value)}, expected true or false")


def check_limit(limit: int) -> int:
    """`limit`, where it is one: a negative one would be none to SQLite, and 0 would hide everything."""
    if type(limit) is not int or limit < 1:
        raise SpecInvalid(f"A limit is a whole number from 1 on, got {limit!r}")
    return limit


def check_text(name: str, value: Any, *, empty: bool = False) -> None:
    """A text, which says something unless it may be empty."""
    if not isinstance(value, str) or not (empty or value.strip()):
        raise SpecInvalid(f"{name} is {_shown(value)}, expected a text")


def check_name(what: str, name: Any) -> None:
    """A name that may be a folder's: any letters, but no slash, no dot in front, nothing that cannot be written."""
    check_text(f"The name of {what}", name)
    if "/" in name or name.startswith("."):
        raise SpecInvalid(f"{_shown(name)} is not a name for {what}", hint="No slash, and no dot in front")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise SpecInvalid(f"{_shown(name)} is not a name for {what}: it holds a character that cannot be written")
    if len(name.encode()) > NAME_BYTES_MAX:
        raise SpecInvalid(f"A name for {what} has at most {NAME_BYTES_MAX} bytes, got {len(name.encode())}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
