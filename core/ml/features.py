"""The linear model's view of the encoded matrix: scaled numbers, a flag where one is missing, one-hot text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.predict.members import Array, Linear

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True, slots=True)
class Features:
    """How to widen the matrix, learned on the training rows."""

    numeric: npt.NDArray[np.int32]
    center: Array
    scale: Array
    text: npt.NDArray[np.int32]
    start: npt.NDArray[np.int32]
    size: npt.NDArray[np.int32]

    @classmethod
    def of(cls, matrix: Array, text: Sequence[int], levels: Sequence[int]) -> "Features":
        """Centre and scale by mean and deviation; each text column has its levels and one place for the unseen."""
        numeric = np.array([at for at in range(matrix.shape[1]) if at not in set(text)], dtype=np.int32)
        known = np.ma.masked_invalid(matrix[:, numeric])
        deviation = np.asarray(known.std(axis=0).filled(0.0))
        size = np.array(levels, dtype=np.int32)
        return cls(
            numeric,
            np.asarray(known.mean(axis=0).filled(0.0)),
            np.where(deviation > 0, deviation, 1.0),
            np.array(text, dtype=np.int32),
            np.cumsum(size + 1, dtype=np.int32) - size - 1,
            size,
        )

    def wide(self, matrix: Array) -> "csr_matrix":
        """Rows x (numbers, flags of missing numbers, places of text)."""
        from scipy.sparse import csr_matrix

        scaled = (matrix[:, self.numeric] - self.center) / self.scale
        missing = np.isnan(scaled)
        codes = matrix[:, self.text]
        places = self.start + np.where(np.isnan(codes), self.size, codes).astype(np.int32)
        rows, numbers = scaled.shape
        columns = np.hstack((np.tile(np.arange(2 * numbers, dtype=np.int32), (rows, 1)), places + 2 * numbers))
        values = np.hstack((np.where(missing, 0.0, scaled), missing.astype(np.float64), np.ones(places.shape)))
        ends = np.arange(rows + 1) * columns.shape[1]
        made = csr_matrix((values.ravel(), columns.ravel(), ends), shape=(rows, 2 * numbers + self._places))
        made.eliminate_zeros()
        return made

    def linear(self, coef: Array, intercept: Array) -> Linear:
        """The member with these coefficients (outputs x width) of the wide matrix."""
        numbers, by_feature = len(self.numeric), np.ascontiguousarray(coef.T)
        return Linear(
            self.numeric,
            self.center,
            self.scale,
            by_feature[:numbers],
            by_feature[numbers : 2 * numbers],
            self.text,
            self.start,
            self.size,
            by_feature[2 * numbers :],
            np.asarray(intercept, dtype=np.float64),
            "sigmoid" if len(intercept) == 1 else "softmax",
        )

    @property
    def _places(self) -> int:
        return int((self.size + 1).sum())


def lowest(matrix: Array) -> Array:
    """Per column a value below every known one, near enough that random cuts still fall between the others."""
    known = np.ma.masked_invalid(matrix)
    low, high = known.min(axis=0).filled(0.0), known.max(axis=0).filled(0.0)
    return np.asarray(low - np.maximum(1.0, 0.05 * (high - low)))
