"""Columns of a request -> one matrix of float64 that every member reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from core.domain.data import ColumnKind
from core.domain.errors import ModelUnreadable
from core.predict.members import Array

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


class Encoder:
    """The one coding that training, packaging and the server share."""

    def __init__(self, codes: Sequence[ColumnCode]) -> None:
        self.codes = tuple(codes)
        self._places = [
            {level: float(i) for i, level in enumerate(c.levels)} if c.kind is ColumnKind.STRING else None
            for c in self.codes
        ]
        self._fills = [(at, c.fill) for at, c in enumerate(self.codes) if c.fill is not None]

    def __call__(self, columns: Sequence[Sequence[Any]]) -> Array:
        """The matrix (rows x columns) of one sequence of JSON scalars (None: missing) per code, in the codes' order."""
        if len(columns) != len(self.codes):
            raise ValueError(f"Expected {len(self.codes)} columns, got {len(columns)}")
        matrix = np.empty((len(columns[0]) if columns else 0, len(columns)))
        for at, (places, values) in enumerate(zip(self._places, columns, strict=True)):
            matrix[:, at] = values if places is None else [places.get(v, np.nan) for v in values]
        return self.finish(matrix)

    def finish(self, matrix: Array) -> Array:
        """The coded matrix with its fills and within float32's range; changed in place."""
        np.clip(matrix, -FLOAT32_MAX, FLOAT32_MAX, out=matrix)
        if np.isnan(matrix).any():
            for at, fill in self._fills:
                column = matrix[:, at]
                column[np.isnan(column)] = fill
        return matrix

    def to_json(self) -> list[dict[str, Any]]:
        """The codes as JSON values; `from_json` gives an equal encoder."""
        values: list[dict[str, Any]] = msgspec.to_builtins(self.codes)
        return values

    @classmethod
    def from_json(cls, values: Sequence[Mapping[str, Any]]) -> "Encoder":
        """The encoder that `to_json` wrote. Raises ModelUnreadable."""
        try:
            return cls(msgspec.convert(values, tuple[ColumnCode, ...]))
        except msgspec.ValidationError as e:
            raise ModelUnreadable(f"The model's encoder is damaged: {e}", hint="Register the model again") from e
