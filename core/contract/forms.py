"""The three forms of a request body, and the request that any of them becomes."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """A decoded body: one list per column of `signature.used`, each with `rows` values, None where one is missing.

    Values are in the column's own type: int, float, bool or str.
    """

    method: str
    form: str
    rows: int
    columns: tuple[list[Any], ...]
