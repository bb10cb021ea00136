"""Trials that cost nothing, a clock that moves by itself, and a search with everything filled in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tables import customers, write_table

from core.domain.data import DataRef
from core.domain.training import TrainingSpec, Trial, TrialState
from core.ml.data.profile import profile_table
from core.ml.data.table import read_training
from core.ml.executor import Executor, InProcessExecutor
from core.ml.finished import OOF, FinishedTrial, commit, fingerprint, record, stage
from core.ml.metrics import evaluate
from core.ml.search import SearchResult, search
from core.ml.task import Stop, Tell, TrialStopped, TrialTask


@dataclass
class Clock:
    """Seconds that pass only when something is done."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class QuickTrials:
    """Trains nothing: trial `n` is right with chance `skill(n)`, takes `lasts_s`, and what `fails` names goes wrong."""

    clock: Clock
    lasts_s: float = 1.0
    skill: Callable[[int], float] = lambda number: 0.6 + 0.01 * (number % 7)
    fails: dict[int, str] = field(default_factory=dict)
    tasks: list[TrialTask] = field(default_factory=list)

    def __call__(self, task: TrialTask, stop: Stop, tell: Tell) -> None:
        self.tasks.append(task)
        for _ in range(10):
            self.clock.now += self.lasts_s / 10
            if stop():
                raise TrialStopped
        if task.number in self.fails:
            raise ValueError(self.fails[task.number])
        _, labels = read_training(task.problem)
        classes, rng = task.problem.classes, np.random.default_rng(task.number)
        guess = rng.integers(0, classes, len(labels))
        said = np.where(rng.random(len(labels)) < self.skill(task.number), labels, guess)
        self.leave(task, labels, 0.8 * np.eye(classes)[said] + 0.2 / classes)

    def leave(self, task: TrialTask, labels: np.ndarray, answers: np.ndarray) -> None:
        """The trial's folder, as far as the search reads it."""
        metrics, state = evaluate(task.problem.kind, labels, answers), TrialState.SUCCEEDED
        trial = Trial(task.number, task.algorithm, state, task.params, metrics, task.started_at, self.lasts_s)
        staged = stage(task.folder)
        np.save(staged / OOF, answers)
        record(staged, FinishedTrial(trial, task.folder, fingerprint(task.problem)))
        commit(staged, task.folder)


@dataclass
class Searching:
    """One search over the customers' table, real but for its trials."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    heard: list[Trial] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.trials = QuickTrials(self.clock)
        self.table = write_table(self.folder / "table.parquet", customers())
        self.profile = profile_table(self.table, "answer")

    @property
    def ended(self) -> list[Trial]:
        return [t for t in self.heard if t.state is not TrialState.RUNNING]

    def run(
        self, *, executor: Executor | None = None, spec: dict[str, Any] | None = None, **options: Any
    ) -> SearchResult:
        wanted = {"timeout_s": 20.0, **(spec or {})}
        return search(
            self.table,
            TrainingSpec(DataRef("customers"), "answer", **wanted),
            self.profile,
            folder=self.folder / "trials",
            executor=executor or InProcessExecutor(train=self.trials),
            clock=self.clock,
            on_trial=options.pop("on_trial", self.heard.append),
            should_stop=options.pop("should_stop", lambda: False),
            **options,
        )
