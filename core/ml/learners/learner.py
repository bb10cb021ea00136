"""What every learner offers the trials: one common face to its fit, its arrays and its native file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, Protocol

import numpy as np

from core.domain.data import ColumnKind
from core.domain.metrics import TaskKind
from core.domain.training import Algorithm
from core.ml.task import Labels, Param, Params, Rows, Stop, Target
from core.predict.encoder import ColumnCode
from core.predict.members import Array, Linear, Member
from core.predict.steps import Step

PATIENCE = 40
"""Rounds without a better log loss on the held-out fold after which boosting stops."""
ROUNDS_MAX = 2000
IMPOSSIBLE = -1e300
"""What is added to the margin of a class that no training row has; its probability is then 0."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a fit needs besides the rows."""

    params: Params
    kind: TaskKind
    classes: int
    """0 for a regression."""
    codes: tuple[ColumnCode, ...]
    threads: int
    seed: int
    stop: Stop
    late: Stop
    """True when boosting should add no more trees."""
    class_weights: tuple[float, ...] = ()
    """What a row of each class weighs; empty: alike."""

    @property
    def text(self) -> list[int]:
        """The columns of the matrix that are codes of text."""
        return [at for at, code in enumerate(self.codes) if code.kind is ColumnKind.STRING and not code.part]

    @property
    def split_by_sets(self) -> list[int]:
        """The columns that a booster is to split by sets of categories."""
        return self.text if self.params.get(CATEGORIES, ORDINAL) == SPLITS else []

    def for_library(self) -> dict[str, Param]:
        """The parameters that are the library's own."""
        return {name: value for name, value in self.params.items() if name != CATEGORIES}

    @property
    def outputs(self) -> int:
        """Numbers that a model gives for a row."""
        return self.classes or 1

    def weights(self, target: Target) -> Array | None:
        """What each row weighs; None where all weigh the same."""
        return np.array(self.class_weights)[target] if self.class_weights else None


class Fitted(Protocol):
    """A fitted learner."""

    @property
    def rounds(self) -> int:
        """Boosting rounds that there are; 0 for learners without rounds."""

    @property
    def curves(self) -> tuple[Array, ...]:
        """The loss after each round on each part of the held-out rows; empty without rounds or such rows."""

    def probabilities(self, matrix: Array, rounds: int = 0) -> Array:
        """Rows x classes as the library itself predicts them (of a regression rows x 1), after so many rounds.

        0: after all of them.
        """

    def member(self, rounds: int = 0) -> Member:
        """The same model as plain arrays."""

    def native(self, rounds: int = 0) -> tuple[str, bytes]:
        """The library's own portable file (ending, content); an empty ending where it has none but a pickle."""


def own_steps(fitted: Fitted) -> tuple[Step, ...]:
    """What the member reads beside the matrix that was learned from: columns of the learner's own making."""
    return getattr(fitted, "steps", ())


Fit = Callable[[Setup, Rows, Sequence[Rows], int], Fitted]
"""(setup, training rows, parts of held-out rows, rounds or 0) -> fitted.

With rounds, so many are trained. Without, training goes on until the mean loss on the held-out rows has not become
better for long, and *all* rounds are kept: which number is right is decided by the curves of other rows.
"""


class Draw(NamedTuple):
    """What is drawn alike for a variation of any booster."""

    rate: float
    columns: float
    rows: float
    l2: float


@dataclass(slots=True)
class Curves:
    """The loss on each of so many parts of held-out rows, round by round."""

    parts: int
    patience: int = PATIENCE
    losses: list[list[float]] = field(default_factory=list)
    best: float = float("inf")
    best_at: int = 0

    def add(self, losses: Sequence[float]) -> bool:
        """One more round; true when none was better for `patience` rounds."""
        if not self.parts:
            return False
        self.losses.append([float(loss) for loss in losses])
        mean = sum(self.losses[-1]) / self.parts
        if mean < self.best:
            self.best, self.best_at = mean, len(self.losses)
        return len(self.losses) - self.best_at >= self.patience

    def arrays(self) -> tuple[Array, ...]:
        """One a part."""
        return tuple(np.array(part) for part in zip(*self.losses, strict=True))


Vary = Callable[[Draw, Random], Params]

NUMBERS = "numbers"
"""The parameter that says how numbers are taken: `scores`, by their rank, or `plain`, by value."""
SCORES, PLAIN = "scores", "plain"
RANKS = "QuantileTransformer"
"""The featurizer of numbers by rank."""
CATEGORIES = "categories"
"""The parameter of a booster that says how it takes text: by the order of its codes, or by sets of them."""
ORDINAL, SPLITS = "ordinal", "splits"


@dataclass(frozen=True, slots=True)
class Learner:
    """A learner as the registry holds it. Its file is light: the library is imported by the fit that needs it."""

    algorithm: Algorithm
    library: str
    """The module that its fit imports; whoever forks trials loads it once before."""
    fit: Fit
    configs: tuple[Params, ...]
    """Configurations that are strong on most tables, best first."""
    featurizer: str = ""
    """What it does to the encoded columns first, as Azure names it: `StandardScalerWrapper`; else as scikit-learn."""
    vary: Vary | None = None
    """One more configuration by chance; None for a learner that gains nothing by more of them."""
    more: tuple[str, ...] = ()
    """What can be asked of it beside the hyperparameters of its configurations, by the library's own names."""

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        """All that can be set."""
        return tuple(dict.fromkeys((*(name for config in self.configs for name in config), *self.more)))

    def featurizer_for(self, params: Params) -> str:
        """The featurizer of a configuration."""
        return RANKS if params.get(NUMBERS) == SCORES else self.featurizer


@dataclass(frozen=True, slots=True)
class Always:
    """What a fold without a second class can learn: that one class."""

    only: int
    classes: int
    rounds: int = 0
    curves: tuple[Array, ...] = ()

    def probabilities(self, matrix: Array, rounds: int = 0) -> Array:
        return spread(np.ones((len(matrix), 1)), np.array([self.only]), self.classes)

    def member(self, rounds: int = 0) -> Member:
        return constant(np.eye(self.classes)[self.only])

    def native(self, rounds: int = 0) -> tuple[str, bytes]:
        return "", b""


@dataclass(frozen=True, slots=True)
class Unmoved:
    """What can be learned where no column varies: the shares of the classes, or the mean."""

    said: Array
    rounds: int = 0
    curves: tuple[Array, ...] = ()

    def probabilities(self, matrix: Array, rounds: int = 0) -> Array:
        return np.tile(self.said, (len(matrix), 1))

    def member(self, rounds: int = 0) -> Member:
        return constant(self.said)

    def native(self, rounds: int = 0) -> tuple[str, bytes]:
        return "", b""


def unmoved(setup: Setup, target: Target) -> Unmoved:
    """The weighted shares of the classes, or the mean of the numbers."""
    weights = setup.weights(target)
    if not setup.classes:
        return Unmoved(np.array([np.average(target, weights=weights)]))
    counts = np.bincount(target, weights, setup.classes)
    return Unmoved(counts / counts.sum())


def constant(said: Array) -> Member:
    """What says the same of every row."""
    none = np.zeros(0, dtype=np.int32)
    return Linear(
        none, np.zeros(0), np.zeros(0), np.zeros((0, len(said))), np.zeros((0, len(said))),
        none, none, none, np.zeros((0, len(said))), np.asarray(said, dtype=np.float64),
        "identity" if len(said) > 1 else "value",
    )  # fmt: skip


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
