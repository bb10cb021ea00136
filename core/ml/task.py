"""What is to be learned, and one try at it: plain values, so that a trial can run anywhere that sees the table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.domain.metrics import TaskKind
from core.domain.signature import Signature
from core.domain.training import TrialState
from core.predict.encoder import ColumnCode
from core.predict.members import Array

Labels = npt.NDArray[np.int64]
"""Places in the classes, one a row."""
Rows = tuple[Array, Labels]
"""The encoded matrix and its labels."""
Param = str | int | float | bool | None
Params = Mapping[str, Param]


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

    @property
    def classes(self) -> int:
        return len(self.signature.classes)

    @property
    def kind(self) -> TaskKind:
        return TaskKind.BINARY if self.classes == 2 else TaskKind.MULTICLASS


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


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """How a task ended; its folder holds the rest when it succeeded."""

    number: int
    state: TrialState
    error: str = ""


class TrialStopped(Exception):
    """Raised inside a trial whose time is over."""


Stop = Callable[[], bool]
Train = Callable[[TrialTask, Stop], None]
"""Does a task: writes its folder and returns, raises TrialStopped soon after `stop()` says so, or fails."""
