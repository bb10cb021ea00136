"""AutoML: a plan of strong configurations, each judged out of fold, then a vote of the best."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from core.domain.counting import counted
from core.domain.data import TableProfile
from core.domain.metrics import gain
from core.domain.training import ENDED_EARLY, Algorithm, TrainingSpec, Trial, TrialState
from core.ml.data.prepare import Prepared, prepare
from core.ml.executor import Executor, GivenUp, nobody
from core.ml.featurize import worthwhile
from core.ml.final import Final
from core.ml.finished import (
    FinishedTrial,
    commit,
    fingerprint,
    read_finished,
    read_trial,
    record,
    stage,
)
from core.ml.leaderboard import Leaderboard
from core.ml.plan.budget import Budget
from core.ml.plan.config import Config
from core.ml.plan.failures import LIMIT, all_fail, nothing
from core.ml.plan.order import Order
from core.ml.plan.pace import Pace
from core.ml.result import SearchResult
from core.ml.task import PLANNED, TrialOutcome, TrialProgress, TrialTask

__all__ = ["FinishedTrial", "Search", "SearchResult", "read_finished", "search"]


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
        validation: Path | None = None,
        given_up: GivenUp = nobody,
    ) -> SearchResult:
        """Search for at most `spec.timeout_s` seconds, less the `time_used_s` of earlier starts of the same job.

        `clock` gives seconds since the epoch. `on_trial` hears of each trial when it starts (RUNNING) and when it
        ended, after its folder `folder/{number}` is complete on disk. `finished` trials are used, not trained again.
        `should_stop` is asked often: when it says so, what runs is stopped and what is done is the result.
        `given_up` says why a single trial is to end. `validation` is the Parquet file of the spec's validation data.
        Raises TableUnusable (nothing to learn), TrainingFailed (no trial succeeded in time).
        """


WORTH_SHARE = 0.5
"""A trial is not started in less than this share of the shortest one's time."""
LOOKED_AT_MAX = 40
"""So many configurations that would take too long are passed over at once."""
TELL_S = 0.4
"""The folds of a trial are told no more often than this."""


def search(
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
    validation: Path | None = None,
    given_up: GivenUp = nobody,
) -> SearchResult:
    """The engine `portfolio` (see `Search` for the contract)."""
    began = clock()
    prepared = prepare(table, spec, profile, validation)
    prepared_s = clock() - began
    board = Leaderboard(spec.primary_metric, fingerprint(prepared.problem))
    board.add_all(finished)
    run = _Run(
        spec, prepared, folder, executor, clock, on_trial, should_stop, given_up, began - time_used_s, board, prepared_s
    )
    run.train()
    found = run.result()
    return replace(found, notes=(*found.notes, *run.why_early))


@dataclass
class _Run:
    """One search under way."""

    spec: TrainingSpec
    prepared: Prepared
    folder: Path
    executor: Executor
    clock: Callable[[], float]
    on_trial: Callable[[Trial], None]
    should_stop: Callable[[], bool]
    given_up: GivenUp
    started: float
    board: Leaderboard
    prepared_s: float
    running: dict[int, Trial] = field(default_factory=dict)
    told_at: dict[int, float] = field(default_factory=dict)
    held_since: dict[int, float] = field(default_factory=dict)
    """When a trial began to wait that was not heard of since."""
    waited_s: dict[int, float] = field(default_factory=dict)
    again: list[Config] = field(default_factory=list)
    """Configurations whose first look was on few rows."""
    why_early: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problem = self.prepared.problem
        self.order = Order(self.spec, self.board, worthwhile(problem))
        self.pace = Pace(problem.learned, len(problem.codes))
        self.final = Final(
            self.spec, self.prepared, self.folder, self.board, self.executor, self.clock, self.on_trial, self._number,
            self.prepared_s,
        )  # fmt: skip
        self.budget = Budget(
            self.spec,
            self.clock,
            self.started,
            lambda: self.final.ending_s,
            lambda: self.final.refit_s,
            lambda: bool(self.board.ranked),
        )
        for finished in self.board.ranked:
            self.pace.note(finished.trial)

    def train(self) -> None:
        for event in self.executor.run(self._tasks(), self._is_over, self._given_up):
            if isinstance(event, TrialProgress):
                self._advance(event)
            else:
                self._end(event)
        self.why_early = self._why_early()

    def result(self) -> SearchResult:
        """The best of the trials and of what they make together. Raises TrainingFailed."""
        if not self.board.ranked:
            raise nothing(self.spec, self.board)
        return self.final.result(self.budget.left_at_last, self.should_stop)

    def _tasks(self) -> Iterator[TrialTask]:
        """The next configuration that was not tried yet, at the moment when a trial may start."""
        while not self._enough() and (config := self._next()) is not None:
            yield self._start(config)

    def _next(self) -> Config | None:
        """The next one that can end in time, on all rows where that is possible, else on as many as can be."""
        for _ in range(LOOKED_AT_MAX):
            config = self.again.pop(0) if self.again and self.board.ranked else self.order.next(self._affordable)
            if config is None:
                return None
            sized = self._sized(config)
            if self.budget.timeless or self.pace.fits(sized, self.budget.left_at_most()):
                return sized
        return None

    def _affordable(self, config: Config) -> bool:
        return self.budget.timeless or self.pace.affordable(config, self.budget.left())

    def _sized(self, config: Config) -> Config:
        if not self.board.ranked:
            if self._started() + 1 >= self.spec.max_trials:
                return config  # it would not be tried again
            if (small := self.pace.first(config, self.budget.in_time())) != config:
                self.again.append(config)
            return small
        return config if self.budget.timeless else self.pace.within(config, self.budget.left())

    def _start(self, config: Config) -> TrialTask:
        trial = Trial(
            self._number(),
            config.algorithm,
            TrialState.RUNNING,
            config.params,
            started_at=self.clock(),
            folds=self.prepared.problem.models,
        )
        self.running[trial.number] = trial
        self.on_trial(trial)
        return TrialTask(
            trial.number,
            trial.algorithm,
            trial.params,
            self.prepared.problem,
            self.folder / str(trial.number),
            self.executor.threads,
            self.budget.of_trial(),
            trial.started_at,
            rival=self._rival(config),
        )

    def _number(self) -> int:
        """The next one that no trial has."""
        return max(self.board.last_number, max(self.running, default=-1)) + 1

    def _rival(self, config: Config) -> tuple[float, ...]:
        """The best trial's folds, where they can be compared and a hopeless trial may be dropped."""
        if not self.spec.enable_early_termination or not self.board.ranked or set(PLANNED) & set(config.params):
            return ()
        best = self.board.ranked[0].trial
        return () if set(PLANNED) & set(best.params) else best.fold_scores

    def _given_up(self, number: int) -> str:
        """Why a trial is to end now."""
        if why := self.given_up(number):
            return why
        limit, trial = self.spec.trial_timeout_s, self.running.get(number)
        if limit and trial is not None and self.clock() - trial.started_at - self._waited_s(number) > limit:
            return f"It ran {LIMIT} of {limit:g} s"
        return ""

    def _waited_s(self, number: int) -> float:
        """How long a trial was held back, or is, which does not count as its time."""
        since = self.held_since.get(number)
        return self.waited_s.get(number, 0.0) + (self.clock() - since if since is not None else 0.0)

    def _advance(self, progress: TrialProgress) -> None:
        trial = replace(self.running[progress.number], fold_scores=progress.fold_scores)
        self.running[trial.number] = trial
        since = self.held_since.pop(trial.number, None)
        if since is not None:
            self.waited_s[trial.number] = self.waited_s.get(trial.number, 0.0) + self.clock() - since
        if progress.waits:
            self.order.behind.add(Algorithm(trial.algorithm))
            self.held_since[trial.number] = self.clock()
        if self.clock() - self.told_at.get(trial.number, trial.started_at) >= TELL_S:
            self.told_at[trial.number] = self.clock()
            self.on_trial(trial)

    def _end(self, outcome: TrialOutcome) -> None:
        trial = self.running.pop(outcome.number)
        folder = self.folder / str(trial.number)
        if outcome.state is TrialState.SUCCEEDED:
            finished = read_trial(folder)
            self.pace.note(finished.trial)
            self._note(finished)
            self.final.checkpoint(self.budget.left())
            return
        lasted = self.clock() - trial.started_at - self._waited_s(trial.number)
        ended = replace(trial, state=outcome.state, duration_s=lasted, error=outcome.error)
        self._note(self._write(FinishedTrial(ended, folder, self.board.problem)))

    def _note(self, finished: FinishedTrial) -> None:
        self.board.add(finished)
        self.on_trial(finished.trial)

    def _write(self, finished: FinishedTrial) -> FinishedTrial:
        staged = stage(finished.folder)
        record(staged, finished)
        commit(staged, finished.folder)
        return finished

    def _is_over(self) -> bool:
        return self.should_stop() or self.budget.over() or self._good_enough()

    def _good_enough(self) -> bool:
        """A trial has reached the score that was asked for."""
        wanted, metric = self.spec.exit_score, self.spec.primary_metric
        if wanted is None or not self.board.ranked:
            return False
        return gain(metric, self.board.ranked[0].trial.metrics.get(metric, float("nan"))) >= gain(metric, wanted)

    def _enough(self) -> bool:
        """No time or number left for one more trial."""
        if self._is_over() or self.budget.left_at_most() <= 0 or self._started() >= self.spec.max_trials:
            return True
        if all_fail(self.board):
            return True
        if not self.board.ranked or self.budget.timeless:
            return False
        return self.budget.left() < WORTH_SHARE * self.board.shortest_s

    def _started(self) -> int:
        return len(self.board.singles) + len(self.running)

    def _why_early(self) -> tuple[str, ...]:
        """One sentence, where time was left."""
        if self.should_stop() or not self.budget.early():
            return ()
        if self._good_enough():
            why = f"trial {self.board.ranked[0].trial.number} reached the exit score {self.spec.exit_score:g}"
        elif self._started() >= self.spec.max_trials:
            verb = "was" if self.spec.max_trials == 1 else "were"
            why = f"{counted(self.spec.max_trials, 'trial')} {verb} asked for at most"
        elif not (why := self.order.why_done):
            return ()
        return (f"{ENDED_EARLY} {self.budget.used():.0f} of {self.spec.timeout_s:g} s: {why}",)
