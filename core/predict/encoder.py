"""Columns of a request -> one matrix of float64 that every member reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from core.domain.data import ColumnKind
from core.domain.errors import ModelUnreadable
from core.predict.arrays import Array
from core.predict.dates import PARTS, PATTERNS, parts_of

FLOAT32_MAX = float(np.finfo(np.float32).max)
"""Two of the learners read float32 and refuse what is infinite there, so a value beyond it is taken as the border."""


@dataclass(frozen=True, slots=True)
class ColumnCode:
    """How one column becomes numbers: text by its place in `levels`, everything else by its value.

    `fill` stands for a missing or unseen value; None leaves it NaN, for columns in which training met such cells.
    """

    name: str
    kind: ColumnKind
    levels: tuple[str, ...] = ()
    fill: float | None = None
    dates: str = ""
    """The order in which the column's dates are written; empty for a column of no dates."""
    part: str = ""
    """Which part of a date this is; a column of dates has a code, and a column of the matrix, for each of its parts."""
    numbers: bool = False
    """The levels are numbers, or true and false as 1 and 0: a column of numbers that is taken as one of categories."""


class Encoder:
    """The one coding that training, packaging and the server share."""

    def __init__(self, codes: Sequence[ColumnCode]) -> None:
        self.codes = tuple(codes)
        groups = [(name, tuple(group)) for name, group in groupby(self.codes, key=attrgetter("name"))]
        self.names = tuple(name for name, _ in groups)
        """The columns of a request, in order; one of dates has several codes."""
        self._groups = [(group, _places(group[0]) if _categorical(group[0]) else None) for _, group in groups]
        self._fills = [(at, c.fill) for at, c in enumerate(self.codes) if c.fill is not None]

    def __call__(self, columns: Sequence[Sequence[Any]]) -> Array:
        """The matrix (rows x codes) of one sequence of JSON scalars (None: missing) per name, in the names' order."""
        if len(columns) != len(self._groups):
            raise ValueError(f"Expected {len(self._groups)} columns, got {len(columns)}")
        if columns and len(columns[0]) == 1:  # a third of the time that the columns take one by one
            return self.finish(np.array([self._row(columns)], dtype=np.float64))
        matrix = np.empty((len(columns[0]) if columns else 0, len(self.codes)))
        at = 0
        for (group, places), values in zip(self._groups, columns, strict=True):
            if group[0].part:
                matrix[:, at : at + len(group)] = parts_of(values, group[0].dates, [code.part for code in group])
            else:
                matrix[:, at] = values if places is None else [places.get(v, np.nan) for v in values]
            at += len(group)
        return self.finish(matrix)

    def finish(self, matrix: Array) -> Array:
        """The coded matrix with its fills and within float32's range; changed in place."""
        np.maximum(matrix, -FLOAT32_MAX, out=matrix)  # np.clip takes four times as long for a row
        np.minimum(matrix, FLOAT32_MAX, out=matrix)
        if np.isnan(matrix).any():
            for at, fill in self._fills:
                column = matrix[:, at]
                column[np.isnan(column)] = fill
        return matrix

    def _row(self, columns: Sequence[Sequence[Any]]) -> list[Any]:
        """The codes of a single row."""
        row: list[Any] = []
        for (group, places), (value,) in zip(self._groups, columns, strict=True):
            if places is not None:
                row.append(places.get(value, np.nan))
            elif group[0].part:
                row.extend(parts_of([value], group[0].dates, [code.part for code in group])[0])
            else:
                row.append(value)
        return row

    def to_json(self) -> list[dict[str, Any]]:
        """The codes as JSON values; `from_json` gives an equal encoder."""
        values: list[dict[str, Any]] = msgspec.to_builtins(self.codes)
        return values

    @classmethod
    def from_json(cls, values: Sequence[Mapping[str, Any]]) -> "Encoder":
        """The encoder that `to_json` wrote. Raises ModelUnreadable."""
        try:
            codes = msgspec.convert(values, tuple[ColumnCode, ...])
        except msgspec.ValidationError as e:
            raise ModelUnreadable(f"The model's encoder is damaged: {e}", hint="Register the model again") from e
        if odd := [c.name for c in codes if c.numbers and not all(map(_number, c.levels))]:
            raise ModelUnreadable(f"The model's levels of '{odd[0]}' are no numbers", hint="Register the model again")
        if odd := [c.name for c in codes if c.part and (c.part not in PARTS or c.dates not in PATTERNS)]:
            raise ModelUnreadable(f"The model reads '{odd[0]}' in a way that this version does not know")
        return cls(codes)


def _places(code: ColumnCode) -> dict[Any, float]:
    """The code of each level; a whole number is found by its float, as in Python they are equal."""
    return {float(level) if code.numbers else level: float(at) for at, level in enumerate(code.levels)}


def _categorical(code: ColumnCode) -> bool:
    return code.kind is ColumnKind.STRING and not code.part


def _number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
