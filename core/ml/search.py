"""AutoML: a plan of strong configurations, each judged out of fold, then a vote of the best."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.domain.data import TableProfile
from core.domain.signature import Signature
from core.domain.training import Guardrail, TrainingSpec, Trial
from core.ml.executor import Executor
from core.ml.finished import FinishedTrial, read_finished

__all__ = ["FinishedTrial", "Search", "SearchResult", "read_finished"]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found; everything that packaging needs lies in `folder`, one folder a trial number."""

    best: Trial
    members: tuple[tuple[int, float], ...]
    """The trials that make the best model, with weights that sum to 1: one for a single model."""
    signature: Signature
    guardrails: tuple[Guardrail, ...]
    notes: tuple[str, ...]
    """What a person must know of this model, a sentence each, e.g. that a column leaks."""
    folder: Path


class Search(Protocol):
    """An AutoML engine."""

    def __call__(
        self,
        table: Path,
        spec: TrainingSpec,
        profile: TableProfile,
        *,
        folder: Path,
        executor: Executor,
        finished: Iterable[FinishedTrial] = (),
        clock: Callable[[], float],
        on_trial: Callable[[Trial], None],
        should_stop: Callable[[], bool],
        time_used_s: float = 0.0,
    ) -> SearchResult:
        """Search for at most `spec.timeout_s` seconds, less the `time_used_s` of earlier starts of the same job.

        `clock` gives seconds since the epoch. `on_trial` hears of each trial when it starts (RUNNING) and when it
        ended, after its folder `folder/{number}` is complete on disk. `finished` trials are used, not trained again.
        `should_stop` is asked often: when it says so, what runs is stopped and what is done is the result.
        Raises TableUnusable (nothing to learn), TrainingFailed (no trial succeeded in time).
        """
