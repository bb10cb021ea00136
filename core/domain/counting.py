"""Counts and names in sentences: a number with its noun in the right form, as many names as somebody reads."""

from collections.abc import Sequence
from difflib import get_close_matches

NAMES_SHOWN, NAME_SHOWN = 20, 60
"""So many names are told, and so many letters of each."""


def counted(number: int, one: str, many: str = "") -> str:
    """(1, "row") -> `1 row`; (2000, "row") -> `2,000 rows`; `many` where an s is not enough."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def short(value: object) -> str:
    """A name or a value as text, of a long one the beginning: a cell may hold a megabyte."""
    text = str(value)
    return text if len(text) <= NAME_SHOWN else f"{text[: NAME_SHOWN - 1]}…"


def several(said: Sequence[str]) -> str:
    """`a, b and 4,998 more`: as many as somebody reads."""
    more = len(said) - NAMES_SHOWN
    return ", ".join(said[:NAMES_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def columns_said(names: Sequence[str], wanted: str = "") -> str:
    """`The columns are: a, b and 4,998 more`; of many, those first that resemble the one that was wanted."""
    shown = [short(name) for name in names]
    if len(shown) > NAMES_SHOWN and wanted:
        alike = get_close_matches(short(wanted), dict.fromkeys(shown), n=3)
        shown = [*alike, *(name for name in shown if name not in alike)]
    return f"The columns are: {several(shown)}"
