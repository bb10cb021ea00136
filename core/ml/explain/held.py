"""Rows with what is right, and whose models never saw them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.ml.task import Target
from core.predict.arrays import Array

BACKGROUND_ROWS = 100
SEED = 7


@dataclass(frozen=True, slots=True)
class Held:
    """Encoded rows, what is right, and the folds whose models never saw each."""

    matrix: Array
    target: Target
    fold: npt.NDArray[np.int64]
    """Rows x bags of the model: a repeat of a trial has folds of its own."""

    def some(self, rows: int) -> "Held":
        """A sample of as many, always the same."""
        if len(self.target) <= rows:
            return self
        places = np.sort(np.random.default_rng(SEED).choice(len(self.target), rows, replace=False))
        return Held(self.matrix[places], self.target[places], self.fold[places])

    def folds(self) -> Iterator[tuple[tuple[int, ...], npt.NDArray[np.intp]]]:
        """The places of the rows that are in the same fold of every bag, with these folds."""
        found, which = np.unique(self.fold, axis=0, return_inverse=True)
        for at, folds in enumerate(found.tolist()):
            yield tuple(folds), np.flatnonzero(which.ravel() == at)


def background_of(held: Held) -> Array:
    """Rows of the usual kind."""
    return held.some(BACKGROUND_ROWS).matrix
