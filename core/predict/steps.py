"""Small fitted steps that add columns to the encoded matrix before a member reads it."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol

import numpy as np

from core.predict.arrays import AnyArray, Array


class Step(Protocol):
    """Adds columns, computed from those that are there."""

    kind: ClassVar[str]

    def added(self, matrix: Array) -> Array:
        """Rows x new columns, from the matrix as earlier steps have widened it."""

    def arrays(self) -> dict[str, AnyArray]:
        """Everything large, for `arrays.npz`."""

    def meta(self) -> dict[str, Any]:
        """Everything small, for `model.json`."""


class StepKind(Protocol):
    """A class of steps, as a model folder is read."""

    def from_arrays(self, meta: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> Step:
        """The step that `meta` and `arrays` described. Raises ModelUnreadable."""


STEPS: Mapping[str, StepKind] = {}
"""Every kind there is, by the name in `model.json`."""


def widened(matrix: Array, steps: Iterable[Step]) -> Array:
    """The matrix with the columns that the steps add, each seeing what the earlier ones have added."""
    for step in steps:
        matrix = np.hstack((matrix, step.added(matrix)))
    return matrix
