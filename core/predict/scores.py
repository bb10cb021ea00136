"""Numbers by their rank: what is far out stands no farther out than the farthest that training met."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from core.domain.errors import ModelUnreadable
from core.predict.arrays import AnyArray, Array, exactly, typed, within

Places = npt.NDArray[np.int64]


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

    def added(self, matrix: Array) -> Array:
        """See `Step.added`."""
        made = np.empty((len(matrix), len(self.column)))
        for at, column in enumerate(self.column.tolist()):
            own = slice(self.start[at], self.start[at + 1])
            values = matrix[:, column]
            # A single knot would give a missing value a score, too.
            made[:, at] = np.where(np.isnan(values), np.nan, np.interp(values, self.knot[own], self.score[own]))
        return made

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


SCORES_ARRAYS = ("column", "start", "knot", "score")
SCORES_KINDS = {"column": "iu", "start": "iu", "knot": "f", "score": "f"}
