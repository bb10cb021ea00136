"""What the profiles of all kinds of columns have in common: what is a role, and how many levels are told."""

from core.domain.data import ColumnProfile, ColumnRole
from core.ml.data.scan import Column

LEVELS_MAX = 100

ID_ROWS_MIN = 20
"""In fewer rows all values may differ by chance."""
KEY_ROWS = 500
"""Measured quantities heap on round values: in this many rows one comes twice, a key never does."""
KEY_COLLISIONS = 10
"""A column without repeats where random draws from its range would give this many is a key (p < e**-10)."""


def blank(column: Column, rows: int) -> ColumnProfile:
    """The profile of a column without a known cell."""
    return ColumnProfile(column.name, column.kind, ColumnRole.EMPTY, rows, rows, 0)


def is_key(rows: int, low: float, high: float, *, ascending: bool) -> bool:
    """Integers that differ in every row differ not by chance: they are many, dense in their range, or ascending."""
    return rows >= KEY_ROWS or rows**2 / 2 / (high - low + 1) >= KEY_COLLISIONS or ascending
