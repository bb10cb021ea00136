"""What constructors refuse, each in one sentence: what the value is, what was found, what was expected."""

from typing import Any

from core.domain.errors import SpecInvalid


def check_whole(name: str, value: Any, low: int, high: int) -> None:
    """A whole number within both bounds; `true` and "10" are none."""
    if type(value) is not int or not low <= value <= high:
        raise SpecInvalid(f"{name} is {shown(value)}, expected a whole number from {low:,} to {high:,}")


def check_number(name: str, value: Any, low: float, high: float, *, above: bool = False) -> None:
    """A finite number within both bounds, or above the lower one; `true`, "10" and nan are none."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # The bounds are finite, so what is not is outside; `math.isfinite` fails for whole numbers beyond a float.
    if not number or not low <= value <= high or (above and value == low):
        bounds = f"above {low:,.12g} and at most {high:,.12g}" if above else f"from {low:,.12g} to {high:,.12g}"
        raise SpecInvalid(f"{name} is {shown(value)}, expected a number {bounds}")


def check_flag(name: str, value: Any) -> None:
    """True or false, and nothing that counts as one of them."""
    if not isinstance(value, bool):
        raise SpecInvalid(f"{name} is {shown(value)}, expected true or false")


def check_limit(limit: int) -> int:
    """The limit of a listing, at least 1: 0 would hide everything, and a negative one would be no limit at all."""
    if type(limit) is not int or limit < 1:
        raise SpecInvalid(f"The limit is a whole number of at least 1, got {limit!r}")
    return limit


def check_text(name: str, value: Any, *, empty: bool = False) -> None:
    """A text, which says something unless it may be empty."""
    if not isinstance(value, str) or not (empty or value.strip()):
        raise SpecInvalid(f"{name} is {shown(value)}, expected a text")


def shown(value: Any) -> str:
    """A refused value, as a sentence has room for it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
