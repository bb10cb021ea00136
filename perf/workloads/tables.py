"""What a table and a search cost: the profile, and the engine's own work around trials that cost nothing."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from perf.workloads.places import once, own, remove
from perf.workloads.workload import Inputs, Prepared, Workload

TARGET, COLUMNS = "y", 21
ROWS, ROWS_MANY = 32_950, 1_000_000
SEED = 7


def _profile(rows: int, table_of: Callable[[Inputs], Path]) -> Callable[[Inputs], Prepared]:
    def prepare(inputs: Inputs) -> Prepared:
        from core.ml.data.profile import profile_table

        table = table_of(inputs)

        def check(profile: Any) -> None:
            assert profile.rows == rows
            assert len(profile.columns) == COLUMNS
            assert profile.column(TARGET).distinct == 2

        return Prepared(lambda: profile_table(table, TARGET), check)

    return prepare


def many_rows(inputs: Inputs) -> Path:
    """The table over and over, 1,000,000 rows of it."""
    import duckdb

    def make(place: Path) -> None:
        with duckdb.connect() as db:
            some = f"FROM '{inputs.table}', range({ROWS_MANY // ROWS + 1}) LIMIT {ROWS_MANY}"
            db.execute(f"COPY (SELECT * EXCLUDE (range) {some}) TO '{place}/table.parquet' (FORMAT parquet)")

    return once(inputs.scratch / "many-rows", make) / "table.parquet"


def _search(trials: int) -> Callable[[Inputs], Prepared]:
    """One search whose trials leave a complete folder each and fit nothing."""

    def prepare(inputs: Inputs) -> Prepared:
        from core.domain.data import DataRef
        from core.domain.training import TrainingSpec
        from core.ml.data.profile import profile_table
        from core.ml.executor import InProcessExecutor
        from core.ml.search import search

        folder, ticks = own(inputs, "search"), count(1_000_000)
        profile, heard = profile_table(inputs.table, TARGET), []
        spec = TrainingSpec(DataRef("perf"), TARGET, timeout_s=100_000.0, max_trials=trials)
        executor = InProcessExecutor(train=_leaving(inputs.table, trials))

        def call() -> Any:
            heard.clear()
            return search(
                inputs.table,
                spec,
                profile,
                folder=folder,
                executor=executor,
                clock=lambda: float(next(ticks)),
                on_trial=heard.append,
                should_stop=lambda: False,
            )

        def check(result: Any) -> None:
            ended = [trial for trial in heard if trial.metrics]
            assert len(ended) >= trials
            # The weights of a stack need not add up to 1, as those of a vote do.
            assert {number for number, _ in result.members} <= {trial.number for trial in ended}
            assert result.members
            assert (folder / str(result.best.number) / "trial.json").exists()

        return Prepared(call, check, lambda: remove(folder))

    return prepare


def _leaving(table: Path, trials: int) -> Callable[[Any, Any], None]:
    """Does a trial by leaving answers that were made before, each trial's a little better than the last one's."""
    import numpy as np
    import pyarrow.parquet as pq

    from core.domain.metrics import TaskKind
    from core.domain.training import Trial, TrialState
    from core.ml.finished import OOF, FinishedTrial, commit, fingerprint, record, stage
    from core.ml.metrics import evaluate

    labels = np.array(pq.read_table(table, columns=[TARGET])[TARGET].to_pylist()) == "yes"
    rng, answers = np.random.default_rng(SEED), []
    for number in range(trials):
        guess = labels * (0.5 + 0.01 * number) + rng.random(len(labels))
        yes = guess / (guess.max() + 1e-3)
        answers.append(np.column_stack([1 - yes, yes]))
    metrics = [evaluate(TaskKind.BINARY, labels.astype(np.int64), said) for said in answers]

    def leave(task: Any, stop: Any, tell: Any = None) -> None:
        made, turn = TrialState.SUCCEEDED, task.number % trials
        trial = Trial(task.number, task.algorithm, made, task.params, metrics[turn], task.started_at, 1.0)
        staged = stage(task.folder)
        np.save(staged / OOF, answers[turn])
        record(staged, FinishedTrial(trial, task.folder, fingerprint(task.problem)))
        commit(staged, task.folder)

    return leave


def _table(inputs: Inputs) -> Path:
    return inputs.table


WORKLOADS = (
    Workload("profile, 32,950 rows", "rows x columns", _profile(ROWS, _table)),
    Workload("profile, 1,000,000 rows", "rows x columns", _profile(ROWS_MANY, many_rows), gate=False, costly=True),
    Workload("AutoML around 1 trial", "rows x columns", _search(1), costly=True),
    Workload("AutoML around 12 trials", "trials x rows", _search(12), costly=True, gate=False, parts=12),
)
