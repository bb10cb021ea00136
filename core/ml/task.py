"""What is to be learned, and one try at it: plain values, so that a trial can run anywhere that sees the table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.metrics import TaskKind
from core.domain.signature import Signature
from core.domain.training import TrialState
from core.predict.encoder import ColumnCode
from core.predict.members import Array

Labels = npt.NDArray[np.int64]
"""Places in the classes, one a row."""
Target = npt.NDArray[Any]
"""What is to be learned, one a row: labels, or for a regression numbers (float64)."""
Rows = tuple[Array, Target]
"""The encoded matrix and its target."""
Param = str | int | float | bool | None
Params = Mapping[str, Param]
ROUNDS = "rounds"
"""The parameter that a training finds out itself: how many rounds its boosting was worth, on average of its folds."""
REPEAT = "repeat"
"""The parameter of a trial that is one tried before, on other folds and by another seed: the how manieth repeat."""
TRAINING_ROWS = "training_rows"
"""The parameter that says how many rows each model learns from at most, where a table is too large for its time."""
SHARE_PARTS_MAX = 1_000_000
PLANNED = (REPEAT, TRAINING_ROWS)
"""The plan's own parameters; the rest of them are its features' and its algorithm's."""


@dataclass(frozen=True, slots=True)
class LearningProblem:
    """What every trial of one search shares."""

    table: str
    """The Parquet file."""
    signature: Signature
    codes: tuple[ColumnCode, ...]
    rows: int
    """Rows whose target is known; the others are left out."""
    folds: int
    seed: int
    kind: TaskKind
    metric: str
    """What is optimized."""
    class_weights: tuple[float, ...] = ()
    """What a row of each class weighs; empty: alike."""
    featurized: bool = True
    """Whether trials may add columns to the encoded ones."""
    validation_share: float = 0.0
    """Share of the rows on which alone the trials are judged; 0: all are, by cross-validation."""
    validation_table: str = ""
    """A Parquet file on which alone the trials are judged; empty: none."""

    @property
    def classes(self) -> int:
        return len(self.signature.classes)

    @property
    def held_out(self) -> Fraction:
        """The validation share in whole numbers, so that it is the same of however many rows."""
        return Fraction(self.validation_share).limit_denominator(SHARE_PARTS_MAX)

    @property
    def models(self) -> int:
        """Of each trial: one a fold, and a single one where rows are held out."""
        return 1 if self.validation_table or self.validation_share else self.folds

    @property
    def learned(self) -> int:
        """About how many rows each model of a trial learns from."""
        if self.validation_table:
            return self.rows
        held = self.validation_share or 1 / self.folds
        return self.rows - round(self.rows * held)

    @property
    def outputs(self) -> int:
        """Numbers that a model gives for a row: a probability for each class, or the predicted number."""
        return self.classes or 1


@dataclass(frozen=True, slots=True)
class TrialTask:
    """One configuration to train, complete in itself."""

    number: int
    algorithm: str
    params: Params
    problem: LearningProblem
    folder: Path
    """What the trial leaves, complete or not at all."""
    threads: int
    seconds: float = float("inf")
    """Boosting stops adding trees so as to be done by then; nothing else looks at it."""
    started_at: float = 0.0
    refit: bool = False
    """Not the folds, which are done and lie in the folder, but one model of all rows, to stand in their place."""
    rival: tuple[float, ...] = ()
    """The best trial's scores by fold when this one started, to tell whether it is hopeless beside them."""

    @property
    def repeat(self) -> int:
        """The how manieth repeat it is of a trial before it, on other folds; 0 for the first time."""
        return int(self.params.get(REPEAT) or 0)


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """How a task ended; its folder holds the rest when it succeeded."""

    number: int
    state: TrialState
    error: str = ""
    refit: bool = False


@dataclass(frozen=True, slots=True)
class TrialProgress:
    """A task has done one more fold: the scores so far."""

    number: int
    fold_scores: tuple[float, ...]
    waits: bool = False
    """These are so far behind the best trial's that the other folds may wait until there is nothing better to do."""


class TrialStopped(Exception):
    """Raised inside a trial that is to end: its time is over, or it was given up, with the reason."""


Stop = Callable[[], bool]
Tell = Callable[[TrialProgress], None]
"""Returns when the trial may go on, which is later for one that waits."""
Train = Callable[[TrialTask, Stop, Tell], None]
"""Does a task: writes its folder and returns, raises TrialStopped soon after `stop()` says so, or fails."""
