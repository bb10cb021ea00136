"""Numbers by their rank: what is far out stands no farther out than the farthest that training met."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isnan
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from core.domain.errors import ModelUnreadable
from core.predict.arrays import AnyArray, Array, exactly, typed, within

Places = npt.NDArray[np.int64]
Listed = tuple[list[int], list[list[float]], list[list[float]]]
FEW = 8
"""So many rows are scored number by number: of a row, numpy's call for each column takes four times as long."""


@dataclass(frozen=True, slots=True)
class Scores:
    """A step that adds, for each of some columns of numbers, a score that grows with the value and has two ends.

    Between the `knot`s of a column, which ascend, the score is on the straight line between those of the two.
    """

    kind: ClassVar[str] = "scores"

    column: Places
    start: Places
    """Where the knots of each column begin; one more than there are columns."""
    knot: Array
    score: Array
    _knots: Listed | None = field(init=False, default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ModelUnreadable for arrays that do not fit together."""
        fits = (
            typed(self, SCORES_KINDS)
            and len(self.start) == len(self.column) + 1
            and len(self.knot) == len(self.score)
            and self.start[0] == 0
            and self.start[-1] == len(self.knot)
            and bool((np.diff(self.start) > 0).all())
            and within(self.start[:-1], max(1, len(self.knot)))
            and bool(np.isfinite(self.knot).all() and np.isfinite(self.score).all())
            and (len(self.column) == 0 or int(self.column.min()) >= 0)
        )
        if not fits:
            raise ModelUnreadable("The model's scores have arrays that do not fit", hint="Register the model again")

    @property
    def sources(self) -> tuple[tuple[int, ...], ...]:
        """See `Step.sources`."""
        return tuple((at,) for at in self.column.tolist())

    @property
    def shape(self) -> int:
        """See `Step.shape`."""
        return 0

    @classmethod
    def joined(cls, steps: Sequence["Scores"], places: Sequence[Places]) -> "Scores":
        """See `StepKind.joined`."""
        knots = np.cumsum([0, *(len(step.knot) for step in steps)])
        starts = [step.start[:-1] + at for step, at in zip(steps, knots[:-1], strict=True)]
        return cls(
            column=np.concatenate([place[step.column] for step, place in zip(steps, places, strict=True)]),
            start=np.append(np.concatenate(starts), knots[-1]),
            knot=np.concatenate([step.knot for step in steps]),
            score=np.concatenate([step.score for step in steps]),
        )

    def added(self, matrix: Array) -> Array:
        """See `Step.added`."""
        made = np.empty((len(matrix), len(self.column)))
        if len(matrix) <= FEW:
            for row, values in zip(made, matrix.tolist(), strict=True):
                row[:] = [
                    _score(values[column], knots, scores)
                    for column, knots, scores in zip(*(self._knots or self._listed()), strict=True)
                ]
            return made
        for at, column in enumerate(self.column.tolist()):
            own = slice(self.start[at], self.start[at + 1])
            values = matrix[:, column]
            # A single knot would give a missing value a score, too.
            made[:, at] = np.where(np.isnan(values), np.nan, np.interp(values, self.knot[own], self.score[own]))
        return made

    def _listed(self) -> Listed:
        """The columns, and the knots and scores of each, as Python's own numbers."""
        parts = list(pairwise(self.start.tolist()))
        knots, scores = ([array[first:end].tolist() for first, end in parts] for array in (self.knot, self.score))
        listed = (self.column.tolist(), knots, scores)
        object.__setattr__(self, "_knots", listed)
        return listed

    def arrays(self) -> dict[str, AnyArray]:
        """See `Step.arrays`."""
        return {name: getattr(self, name) for name in SCORES_ARRAYS}

    def meta(self) -> dict[str, Any]:
        """See `Step.meta`."""
        return {}

    @classmethod
    def from_arrays(cls, meta: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> "Scores":
        """The scores that `arrays` described. Raises ModelUnreadable."""
        return cls(**exactly(SCORES_ARRAYS, arrays))


def _score(value: float, knots: list[float], scores: list[float]) -> float:
    """What `numpy.interp` gives, to the last bit; NaN for a missing value."""
    if isnan(value):
        return value
    at = bisect_right(knots, value) - 1
    if at < 0:
        return scores[0]
    if at >= len(knots) - 1:
        return scores[-1]
    slope = (scores[at + 1] - scores[at]) / (knots[at + 1] - knots[at])
    return slope * (value - knots[at]) + scores[at]


SCORES_ARRAYS = ("column", "start", "knot", "score")
SCORES_KINDS = {"column": "iu", "start": "iu", "knot": "f", "score": "f"}
