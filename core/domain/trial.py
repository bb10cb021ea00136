"""One configuration that a search has tried, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class TrialState(StrEnum):
    """`STOPPED`: cut off by the job's time or a cancel."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration tried. `metrics` are out-of-fold, under Azure's names."""

    number: int
    algorithm: str
    state: TrialState
    params: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    started_at: float = 0.0
    duration_s: float = 0.0
    error: str = ""
    members: tuple[int, ...] = ()
    """Trial numbers of an ensemble's members."""
    featurizer: str = ""
    """What stands before the algorithm, as Azure names it: `MaxAbsScaler`, or with target encoding and so on."""
    fold_scores: tuple[float, ...] = ()
    """The primary metric on each fold that is done; while it runs, of those so far."""
    folds: int = 0
    """How many there will be."""
    predict_ms: float = 0.0
    """Milliseconds for one row, measured in process; 0 where unknown."""
    size_bytes: int = 0
    fast: bool = True
    """It answers without its library; one that does not is chosen only where it was asked for."""

    @property
    def label(self) -> str:
        """As Azure's run table names it: featurizer, algorithm."""
        return f"{self.featurizer}, {self.algorithm}" if self.featurizer else self.algorithm


@dataclass(frozen=True, slots=True)
class TrialDetail:
    """Everything about one trial that the leaderboard opens on a click."""

    trial: Trial
    job_id: str
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Trials side by side: `rows[i]` belongs to `trials[i]`, its values to `metrics`."""

    metrics: tuple[str, ...]
    trials: tuple[Trial, ...]
    rows: tuple[tuple[float | None, ...], ...]
