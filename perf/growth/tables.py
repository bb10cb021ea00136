"""A table profiled, and what a search does around trials that cost nothing."""

from itertools import count
from pathlib import Path

import numpy as np

from core.domain.data import DataRef, TableProfile
from core.domain.training import Algorithm, TrainingSpec, Trial, TrialState
from core.ml.data.profile import profile_table
from core.ml.executor import InProcessExecutor
from core.ml.finished import OOF, FinishedTrial, commit, fingerprint, record, stage
from core.ml.search import SearchResult, search
from core.ml.task import Stop, Tell, Train, TrialTask
from perf.growth.axis import Axis
from perf.growth.made import TARGET, made_table
from perf.workloads.workload import Prepared

ROWS, COLUMNS, TRIALS = 4_000, 20, 8
SEED = 11


def _profile(folder: Path, *, rows: int = ROWS, columns: int = COLUMNS) -> Prepared:
    table = made_table(folder, rows, columns)

    def check(profile: TableProfile) -> None:
        assert (profile.rows, len(profile.columns)) == (rows, columns + 1)
        assert profile.column(TARGET).distinct == 2

    return Prepared(lambda: profile_table(table, TARGET), check)


def _search(folder: Path, *, rows: int = ROWS, columns: int = COLUMNS, trials: int = TRIALS) -> Prepared:
    """Every trial leaves a complete folder and is a little better than the one before, so that none is too many."""
    table = made_table(folder, rows, columns)
    profile, train, numbers = profile_table(table, TARGET), _leaving(rows), count()
    spec = TrainingSpec(
        DataRef("growth"), TARGET, 1e6, allowed_training_algorithms=(Algorithm.LIGHTGBM,), max_trials=trials
    )
    told: list[Trial] = []

    def call() -> SearchResult:
        told.clear()
        return search(
            table,
            spec,
            profile,
            folder=folder / f"search-{next(numbers)}",
            executor=InProcessExecutor(train=train),
            clock=lambda: 0.0,
            on_trial=told.append,
            should_stop=lambda: False,
        )

    def check(result: SearchResult) -> None:
        assert {trial.number for trial in told} >= set(range(trials))
        assert {number for number, _ in result.members} <= {trial.number for trial in told}
        assert result.members

    return Prepared(call, check)


def _leaving(rows: int) -> Train:
    guess = np.random.default_rng(SEED).random((8, rows))

    def leave(task: TrialTask, stop: Stop, tell: Tell) -> None:
        yes = guess[task.number % len(guess)]
        metrics = dict.fromkeys(("AUC_weighted", "accuracy"), 1 - 0.5 / (task.number + 2))
        made = Trial(task.number, task.algorithm, TrialState.SUCCEEDED, task.params, metrics, task.started_at, 1.0)
        staged = stage(task.folder)
        np.save(staged / OOF, np.column_stack([1 - yes, yes]))
        record(staged, FinishedTrial(made, task.folder, fingerprint(task.problem)))
        commit(staged, task.folder)

    return leave


PROFILE = (
    Axis(
        "profile: rows",
        "rows of 20 columns",
        (1_000, 10_000, 100_000, 1_000_000),
        lambda f, n: _profile(f, rows=n),
        budget_s=20,
    ),
    Axis(
        "profile: columns",
        "columns of 1,000 rows",
        (10, 100, 1_000, 5_000),
        lambda f, n: _profile(f, rows=1_000, columns=n),
        budget_s=20,
    ),
)
AUTOML = (
    Axis(
        "AutoML: rows",
        "rows, 8 trials",
        (8_000, 32_000, 128_000, 512_000),
        lambda f, n: _search(f, rows=n),
        budget_s=20,
    ),
    Axis("AutoML: columns", "columns, 8 trials", (16, 64, 256, 1024), lambda f, n: _search(f, columns=n), budget_s=20),
    Axis("AutoML: trials", "trials", (8, 32, 128, 512), lambda f, n: _search(f, rows=400, trials=n), budget_s=20),
)
