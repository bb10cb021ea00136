"""The nearest of the rows that were kept: the one kind of model that holds rows of its table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from core.domain.errors import ModelUnreadable
from core.predict.arrays import AnyArray, Array
from core.predict.linear import LINEAR_ARRAYS, Linear

CELLS = 4_000_000
"""Distances that are held at a time."""
CLOSEST = 1e-6
"""Nearer than so, a row counts no more."""
PLACE = "place_"


@dataclass(frozen=True, slots=True)
class Neighbors:
    """The mean answer of the `nearest` kept rows, each weighed by one over its distance.

    All rows that are as far as the last of them count too, so that the answer does not hang on their order.
    """

    kind: ClassVar[str] = "neighbors"
    fast: ClassVar[bool] = False
    """Every row that is kept is looked at for every answer."""

    place: Linear
    """From the encoded matrix to where a row lies."""
    rows: Array
    answers: Array
    """Of each kept row: its share of every class, or its number."""
    counts: Array
    """What each kept row weighs beside the others."""
    nearest: int

    def __post_init__(self) -> None:
        """Raises ModelUnreadable for arrays whose shapes do not fit."""
        fits = (
            self.rows.dtype.kind == self.answers.dtype.kind == self.counts.dtype.kind == "f"
            and self.rows.ndim == self.answers.ndim == 2
            and len(self.rows) == len(self.answers) == len(self.counts) > 0
            and self.rows.shape[1] == len(self.place.intercept)
            and 1 <= self.nearest <= len(self.rows)
            and bool(np.isfinite(self.rows).all() and np.isfinite(self.answers).all() and (self.counts > 0).all())
        )
        if not fits:
            raise ModelUnreadable("The arrays of the neighbors do not fit together", hint="Register the model again")

    def probabilities(self, matrix: Array) -> Array:
        """Rows x classes of the encoded matrix; of a regression, rows x 1."""
        return self.of_places(self.place.margins(matrix))

    def of_places(self, places: Array) -> Array:
        """The same from where the rows lie."""
        at_once = max(1, CELLS // len(self.rows))
        said = [self._of(places[at : at + at_once]) for at in range(0, len(places), at_once)]
        return np.concatenate(said) if said else np.zeros((0, self.answers.shape[1]))

    def _of(self, places: Array) -> Array:
        squares = (places**2).sum(axis=1)[:, None] - 2.0 * places @ self.rows.T + (self.rows**2).sum(axis=1)
        # Rounded, so that rows that are equally far stay so, whatever the order of their sums.
        distances = np.sqrt(np.maximum(squares, 0.0)).round(9)
        last = np.partition(distances, self.nearest - 1, axis=1)[:, self.nearest - 1 : self.nearest]
        weights = np.where(distances <= last, self.counts / np.maximum(distances, CLOSEST), 0.0)
        return np.asarray(weights @ self.answers / weights.sum(axis=1, keepdims=True))

    def arrays(self) -> dict[str, AnyArray]:
        place = {PLACE + name: array for name, array in self.place.arrays().items()}
        return place | {"rows": self.rows, "answers": self.answers, "counts": self.counts}

    def meta(self) -> dict[str, Any]:
        return {"nearest": self.nearest}

    @classmethod
    def from_arrays(cls, meta: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> "Neighbors":
        """The neighbors that `meta` and `arrays` described. Raises ModelUnreadable."""
        try:
            place = Linear.from_arrays({"link": "identity"}, {name: arrays[PLACE + name] for name in LINEAR_ARRAYS})
            return cls(place, arrays["rows"], arrays["answers"], arrays["counts"], int(meta["nearest"]))
        except KeyError as e:
            raise ModelUnreadable(f"The model lacks {e}", hint="Register the model again") from e
