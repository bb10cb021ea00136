"""What is known of a table, column by column: computed over Parquet, in bounded memory, never as a frame."""

# ruff: noqa: S608  # the SQL is made of our own names c0, c1, ... and of a literal quoted here

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from core.domain.counting import columns_said
from core.domain.data import Level, TableProfile
from core.domain.errors import SpecInvalid
from core.ml.data.categories import categories, levels
from core.ml.data.numbers import numbers
from core.ml.data.scan import Scan, open_scan
from core.ml.data.sketches import sketches
from core.ml.data.sql_paths import literal
from core.predict.members import Array

POSITIVE_WORDS = frozenset({"yes", "y", "true", "t", "1", "1.0", "positive"})


def profile_table(parquet: Path, target: str = "") -> TableProfile:
    """The profile of every column of `parquet`, in table order; 0 rows and any column name are fine.

    Kinds: dates, times and nested values are strings, decimals and integers wider than 64 bits are numbers. Not-finite
    floats count as missing. Levels are given for text and for whatever has at most 100 distinct values, with the
    share of `positive_level` where `target` has two levels; an id's text is not listed. `std` is the sample's.
    Raises SpecInvalid when there is no column `target`.
    """
    with open_scan(parquet) as scan:
        names = [c.name for c in scan.columns]
        if target and target not in names:
            raise SpecInvalid(f"There is no column '{target}'", hint=columns_said(names, target))
        positive = _positive(scan, target)
        numeric, others = ([c for c in scan.columns if c.numeric is wanted] for wanted in (True, False))
        measured = (
            numbers(scan, numeric, _signs(scan, positive)) if scan.exact else sketches(scan, numeric, positive or NONE)
        )
        found = dict(chain(measured, categories(scan, others, positive or NONE)))
        return TableProfile(scan.rows, tuple(found[column] for column in scan.columns))


def to_json(profile: TableProfile) -> dict[str, Any]:
    """The profile as JSON values; `from_json` gives the equal profile back, also after a trip through text."""
    return {"rows": profile.rows, "columns": [msgspec.to_builtins(c) for c in profile.columns]}


def from_json(document: dict[str, Any]) -> TableProfile:
    """The profile that `to_json` wrote. Raises msgspec.ValidationError for anything else."""
    return msgspec.convert(document, TableProfile)


def positive_level(levels: Sequence[Level]) -> str:
    """Which of a binary target's two levels is the positive: the only one that says yes, true or 1, else the rarer.

    Of two equally frequent ones it is the later in the alphabet. Raises SpecInvalid for other than two levels.
    """
    if len(levels) != 2:
        raise SpecInvalid(f"A binary target has two levels, not {len(levels)}")
    words = [level.value for level in levels if level.value.strip().lower() in POSITIVE_WORDS]
    if len(words) == 1:
        return words[0]
    a, b = sorted(levels, key=lambda level: level.value)
    return a.value if a.count < b.count else b.value


NONE = "NULL"
"""No target, or one that is not binary: nothing is known of any row."""


def _positive(scan: Scan, target: str) -> str:
    """The SQL of whether a row's target is the positive one of two; empty where there is no such target."""
    goal = next((c for c in scan.columns if c.name == target), None)
    if goal is None or len(found := levels(scan, [goal])[goal]) != 2:
        return ""
    return f"({goal.sql}::VARCHAR = {literal(positive_level(found))})"


def _signs(scan: Scan, positive: str) -> Array | None:
    """What the SQL gives for each row: 1, 0, or NaN where the target is missing."""
    if not positive:
        return None
    signs = scan.connection.sql(f"SELECT {positive}::DOUBLE FROM {scan.table}").to_arrow_table().column(0)
    return np.asarray(signs.to_numpy(), dtype=np.float64)
