"""What linear models and networks see of the encoded matrix: scaled numbers, flags of missing ones, one-hot text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.predict.encoder import FLOAT32_MAX
from core.predict.members import Array, Linear
from core.predict.scores import Scores

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

KNOTS = 65
"""At so many ranks of a column its scores are taken."""
SCORE_MAX = 3.0
"""The score of the highest rank: that of the highest of some 700 normal numbers."""
TINY = 1e-290
"""Numbers nearer to 0 are ranked as 0: the line between two of them may be too steep for a float."""


@dataclass(frozen=True, slots=True)
class Features:
    """How to widen the matrix, learned on the training rows."""

    numeric: npt.NDArray[np.int32]
    center: Array
    scale: Array
    holes: npt.NDArray[np.int32]
    """Which of `numeric` have missing values in training."""
    text: npt.NDArray[np.int32]
    size: npt.NDArray[np.int32]
    places: tuple[npt.NDArray[np.int32], ...]
    """Of each text column, the place of each code, and last that of a missing one; rare ones share a place."""

    @classmethod
    def of(
        cls, matrix: Array, text: Sequence[int], levels: Sequence[int], numeric: Sequence[int] | None = None,
        rare: int = 1, most: int = 1 << 20,
    ) -> "Features":  # fmt: skip
        """Center and scale by mean and deviation; without `numeric`, of all columns that are not text.

        Codes that fewer than `rare` rows have, and all but the `most` frequent, share a place with what is unseen.
        """
        others = [at for at in range(matrix.shape[1]) if at not in set(text)]
        chosen = np.array(others if numeric is None else numeric, dtype=np.int32)
        known = np.ma.masked_invalid(matrix[:, chosen])
        deviation = np.asarray(known.std(axis=0).filled(0.0))
        return cls(
            chosen,
            np.asarray(known.mean(axis=0).filled(0.0)),
            np.where(deviation > 0, deviation, 1.0),
            np.flatnonzero(np.isnan(matrix[:, chosen]).any(axis=0)).astype(np.int32),
            np.array(text, dtype=np.int32),
            np.array(levels, dtype=np.int32),
            tuple(_places(matrix[:, at], size, rare, most) for at, size in zip(text, levels, strict=True)),
        )

    def wide(self, matrix: Array) -> "csr_matrix":
        """Rows x (numbers, flags of missing numbers, places of text)."""
        from scipy.sparse import csr_matrix

        scaled = (matrix[:, self.numeric] - self.center) / self.scale
        missing = np.isnan(scaled)
        rows, numbers, flags = len(matrix), len(self.numeric), len(self.holes)
        codes = [
            first + place[np.where(np.isnan(matrix[:, at]), len(place) - 1, matrix[:, at]).astype(np.intp)]
            for at, place, first in zip(self.text, self.places, self._firsts, strict=True)
        ]
        plain = np.tile(np.arange(numbers + flags, dtype=np.int32), (rows, 1))
        columns = np.column_stack((plain, *codes))
        values = np.hstack(
            (np.where(missing, 0.0, scaled), missing[:, self.holes].astype(np.float64), np.ones((rows, len(codes))))
        )
        ends = np.arange(rows + 1) * columns.shape[1]
        made = csr_matrix((values.ravel(), columns.ravel(), ends), shape=(rows, self.width))
        made.eliminate_zeros()
        return made

    def linear(self, coef: Array, intercept: Array, link: str = "") -> Linear:
        """The member with these coefficients (outputs x width) of the wide matrix."""
        numbers, by_feature = len(self.numeric), np.ascontiguousarray(coef.T, dtype=np.float64)
        absent = np.zeros((numbers, by_feature.shape[1]))
        absent[self.holes] = by_feature[numbers : numbers + len(self.holes)]
        rows = [by_feature[first + place] for first, place in zip(self._firsts, self.places, strict=True)]
        return Linear(
            self.numeric,
            self.center,
            self.scale,
            by_feature[:numbers],
            absent,
            self.text,
            np.cumsum(self.size + 1, dtype=np.int32) - self.size - 1,
            self.size,
            np.concatenate([*rows, np.zeros((0, by_feature.shape[1]))]),
            np.asarray(intercept, dtype=np.float64),
            link or ("sigmoid" if len(intercept) == 1 else "softmax"),
        )

    @property
    def width(self) -> int:
        """Columns of the wide matrix."""
        return len(self.numeric) + len(self.holes) + sum(int(place.max()) + 1 for place in self.places)

    @property
    def _firsts(self) -> list[int]:
        """Where the places of each text column begin in the wide matrix."""
        sizes = [int(place.max()) + 1 for place in self.places]
        start = len(self.numeric) + len(self.holes)
        return [start + sum(sizes[:at]) for at in range(len(sizes))]


def _places(codes: Array, size: int, rare: int, most: int) -> npt.NDArray[np.int32]:
    """The place of each code: its own, or 0 for all that are rare; a missing value has one where it is not rare."""
    counts = np.bincount(np.where(np.isnan(codes), size, codes).astype(np.intp), minlength=size + 1)
    own = np.flatnonzero(counts >= rare)
    if len(own) > most:
        own = np.sort(own[np.argsort(-counts[own], kind="stable")[:most]])
    places = np.zeros(size + 1, dtype=np.int32)
    places[own] = 1 + np.arange(len(own))
    return places


def scores_of(matrix: Array, columns: Sequence[int]) -> Scores:
    """Scores for these columns, as if their ranks came from a normal distribution."""
    knots, scores = [], []
    for at in columns:
        knot, score = _knots(matrix[:, at])
        knots.append(knot)
        scores.append(score)
    sizes = [len(knot) for knot in knots]
    none = np.zeros(0)
    return Scores(
        np.array(columns, dtype=np.int64),
        np.concatenate(([0], np.cumsum(sizes, dtype=np.int64))).astype(np.int64),
        np.concatenate([none, *knots]),
        np.concatenate([none, *scores]),
    )


def _knots(values: Array) -> tuple[Array, Array]:
    """The different values at evenly spaced ranks of a column, and the normal score of each one's mean rank."""
    from scipy.special import ndtri

    known = np.sort(values[~np.isnan(values)])
    known[np.abs(known) < TINY] = 0.0
    if not len(known):
        return np.zeros(1), np.zeros(1)
    knot = np.unique(known[np.linspace(0, len(known) - 1, KNOTS).round().astype(int)])
    if len(knot) == 1:
        return knot, np.zeros(1)
    rank = (np.searchsorted(known, knot, "left") + np.searchsorted(known, knot, "right")) / 2 / len(known)
    return knot, np.clip(ndtri(rank), -SCORE_MAX, SCORE_MAX)


def lowest(matrix: Array) -> Array:
    """Per column a value below every known one, near enough that random cuts still fall between the others."""
    known = np.ma.masked_invalid(matrix)
    low, high = known.min(axis=0).filled(0.0), known.max(axis=0).filled(0.0)
    return np.asarray(np.maximum(low - np.maximum(1.0, 0.05 * (high - low)), -FLOAT32_MAX))
