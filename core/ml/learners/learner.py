"""What every learner offers the trials: one common face to its fit, its arrays and its native file."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple, Protocol

import numpy as np

from core.domain.training import Algorithm
from core.ml.task import Labels, Param, Params, Rows, Stop
from core.predict.encoder import ColumnCode
from core.predict.members import Array, Member

PATIENCE = 40
"""Rounds without a better log loss on the held-out fold after which boosting stops."""
ROUNDS_MAX = 2000


@dataclass(frozen=True, slots=True)
class Setup:
    """What a fit needs besides the rows."""

    params: Params
    classes: int
    codes: tuple[ColumnCode, ...]
    threads: int
    seed: int
    stop: Stop
    late: Stop
    """True when boosting should add no more trees."""


class Fitted(Protocol):
    """A fitted learner."""

    @property
    def rounds(self) -> int:
        """Boosting rounds that were best on the held-out rows; 0 for learners without rounds."""

    def probabilities(self, matrix: Array) -> Array:
        """Rows x classes as the library itself predicts them."""

    def member(self) -> Member:
        """The same model as plain arrays."""

    def native(self) -> tuple[str, bytes]:
        """The library's own portable file (ending, content); an empty ending where it has none but a pickle."""


Fit = Callable[[Setup, Rows, Rows | None, int], Fitted]
"""(setup, training rows, held-out rows to stop on or None, rounds or 0) -> fitted."""


class Draw(NamedTuple):
    """What is drawn alike for a variation of any booster."""

    rate: float
    columns: float
    rows: float
    l2: float


Vary = Callable[[Draw, Random], Params]


@dataclass(frozen=True, slots=True)
class Learner:
    """A learner as the registry holds it. Its file is light: the library is imported by the fit that needs it."""

    algorithm: Algorithm
    library: str
    """The module that its fit imports; whoever forks trials loads it once before."""
    fit: Fit
    configs: tuple[Params, ...]
    """Configurations that are strong on most tables, best first."""
    vary: Vary | None = None
    """One more configuration by chance; None for a learner that gains nothing by more of them."""


@dataclass(frozen=True, slots=True)
class Always:
    """What a fold without a second class can learn: that one class. Never refitted on all rows, hence no member."""

    only: int
    classes: int
    rounds: int = 0

    def probabilities(self, matrix: Array) -> Array:
        return spread(np.ones((len(matrix), 1)), np.array([self.only]), self.classes)

    def member(self) -> Member:
        raise NotImplementedError("All rows have at least two classes")

    def native(self) -> tuple[str, bytes]:
        return "", b""


def leaf_rows(wanted: Param, rows: int) -> int:
    """Few rows need small leaves, or nothing can be split."""
    return max(1, min(int(wanted or 1), rows // 20))


def two_columns(predicted: Any) -> Array:
    """Rows x classes, where a library gives the second of two alone."""
    values = np.asarray(predicted, dtype=np.float64)
    return np.column_stack((1.0 - values, values)) if values.ndim == 1 else values


def spread(probabilities: Array, present: Labels, classes: int) -> Array:
    """Columns for all classes, where a fold met only some."""
    full = np.zeros((len(probabilities), classes))
    full[:, present] = probabilities
    return full
