"""Tables that nobody should train on and people do: a clear refusal before anything is trained, or a model."""

import csv
import re
import time
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from turns import in_turn

from core.domain.compute import Compute
from core.domain.errors import SpecInvalid, TableUnusable
from core.domain.job import Job, JobState
from core.domain.training import Algorithm, TrainingSpec, TrialState
from core.local.paths import Paths
from core.local.store import Store
from core.local.worker.executors import ProcessExecutor
from core.local.worker.run import run_job
from core.local.worker.tools import Tools
from core.local.workspace import open_local
from core.ml.executor import InProcessExecutor
from core.ml.trial import train
from core.settings import read_settings
from core.workspace import Workspace

Columns = dict[str, Iterable[Any]]
ROWS = 60
X = np.round(np.random.default_rng(0).normal(size=ROWS), 3)
Y = np.where(X > 0, "yes", "no")
DAYS = [date(2024, 1, 1) + timedelta(days=7 * i) for i in range(ROWS)]
FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %b %Y")
LONG = "word " * (2**20 // 5)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_local(read_settings({}, home=str(tmp_path / "home")))


def submitted(workspace: Workspace, folder: Path, columns: Columns, name: str = "t", **spec: Any) -> Job:
    """A queued training on a CSV file of these columns."""
    path = folder / f"{name}.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])
    data = workspace.data.register(name, str(path)).ref
    quick = {"n_cross_validations": 2, "max_trials": 1, "allowed_training_algorithms": (Algorithm.LOGISTIC_REGRESSION,)}
    return workspace.jobs.submit(TrainingSpec(data, "y", **quick | spec))


def trained(workspace: Workspace, job: Job, executor: Callable[..., Any] = lambda *_: InProcessExecutor(train)) -> Job:
    """The job, done in this process as its worker would."""
    store = Store(Paths(workspace.settings.home).store)
    store.jobs.start_attempt(job.id, time.time())
    run_job(job.id, workspace, tools=Tools(executors=executor))
    return workspace.jobs.get(job.id)


REFUSED: dict[str, tuple[Columns, str]] = {
    "a constant target": ({"x": X, "y": ["yes"] * ROWS}, "the one value 'yes' in every row"),
    "one row per class": ({"x": X, "y": [f"k{i}" for i in range(ROWS)]}, "60 classes, but only 0 with more than one"),
    "one row of a class": ({"x": X, "y": ["rare", *["usual"] * (ROWS - 1)]}, "only 1 with more than one row"),
    "a class that is called by a long text": (
        {"x": X, "y": np.where(X > 0, LONG[:5_000], "no").tolist()},
        "a value of 4,999 characters, at most 1,000 name a class",
    ),
    "200 classes": ({"x": range(400), "y": [f"k{i % 200}" for i in range(400)]}, "200 different values, at most 100"),
    "only columns like IDs": (
        {"id": [f"c-{i}" for i in range(ROWS)], "key": [f"{i * 7919:x}-k" for i in range(ROWS)], "y": Y},
        "No column is left to predict 'y' from: 'id' has a different value in nearly every row",
    ),
    "nothing but empty columns": ({"x": [""] * ROWS, "y": Y}, "No column is left to predict 'y' from: 'x' is empty"),
    "too few rows": ({"x": X[:9], "y": Y[:9]}, "9 rows with a value of 'y', expected at least 10"),
}


@pytest.mark.parametrize(("columns", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_learned_is_refused_before_it_is_queued(workspace, tmp_path, columns, why):
    with pytest.raises(TableUnusable, match=re.escape(why)) as refused:
        submitted(workspace, tmp_path, columns)
    assert refused.value.hint
    assert not workspace.jobs.list()


def test_validation_data_of_a_single_class_is_refused(workspace, tmp_path):
    (tmp_path / "one.csv").write_text("x,y\n" + "1,yes\n2,yes\n" * 9)
    one = workspace.data.register("one", str(tmp_path / "one.csv")).ref
    with pytest.raises(TableUnusable, match=re.escape("has the one value 'yes' of 'y' in every row")):
        submitted(workspace, tmp_path, {"x": X, "y": Y}, validation_data=one, n_cross_validations=0)


TRAINED: dict[str, Columns] = {
    "one row of a third class": {"x": X, "y": ["rare", *Y[1:]]},
    "90 classes": {"x": [i % 30 for i in range(360)], "y": [f"k{i % 90}" for i in range(360)]},
    "infinities": {"x": ["inf", "-inf", "1e308", "-1e308", "1e999", *X[5:]], "z": X * 1e300, "y": Y},
    "classes beyond 64 bits": {"x": X, "y": [2**64 if x > 0 else 1 for x in X]},
    "classes that are fractions": {"x": X, "y": [0.5 if x > 0 else "" if x < -1 else 1.5 for x in X]},
    "names of 1,000 letters": {"ü😀" * 500 + "a": X, "ü😀" * 500 + "b": -X, "y": Y},
    "text of 1 MB": {"t": [LONG if i == 20 else "short" for i in range(ROWS)], "x": X, "y": Y},
    "a date in four formats": {"when": [f"{day:{FORMATS[i % 4]}}" for i, day in enumerate(DAYS)], "x": X, "y": Y},
    "four dates of a format each": {**{f: [f"{day:{f}}" for day in DAYS] for f in FORMATS}, "y": Y},
    "a few rows more than none": {"x": X[:12], "y": Y[:12]},
    "two rows of the rarer class": {"x": X, "y": ["rare", "rare", *["usual"] * (ROWS - 2)]},
}


@pytest.mark.parametrize("kind", in_turn(TRAINED, 3))
def test_what_is_odd_gives_a_model(workspace, tmp_path, kind):
    job = trained(workspace, submitted(workspace, tmp_path, TRAINED[kind]))
    assert job.state is JobState.SUCCEEDED, job.message


def test_a_fold_without_the_rarer_class_has_no_score_and_the_trial_goes_on(workspace, tmp_path):
    columns = {"x": X[:12], "y": ["rare", "rare", *["usual"] * 10]}
    job = trained(workspace, submitted(workspace, tmp_path, columns, n_cross_validations=6))
    assert job.state is JobState.SUCCEEDED, job.message
    assert len(workspace.jobs.trials(job.id)[0].fold_scores) == 2


@pytest.mark.full
def test_a_category_of_a_hundred_thousand_levels_gives_a_model(workspace, tmp_path):
    columns = {"c": [f"level {i % 100_000}" for i in range(120_000)], "d": [i % 7 for i in range(120_000)]}
    columns["y"] = ["yes" if i % 7 + i % 3 > 4 else "no" for i in range(120_000)]
    assert trained(workspace, submitted(workspace, tmp_path, columns)).state is JobState.SUCCEEDED


def test_a_compute_of_a_single_megabyte_is_refused(workspace):
    with pytest.raises(SpecInvalid, match="memory_mb of compute 'tiny' is 1, expected a whole number from 256"):
        workspace.computes.create(Compute("tiny", memory_mb=1))


def test_where_every_trial_dies_of_memory_the_job_ends_with_the_cause_and_what_to_do(workspace, tmp_path):
    def starved(_: Compute, __: TrainingSpec) -> ProcessExecutor:
        return ProcessExecutor(train, threads=1, memory_mb=1, libraries=["sklearn.linear_model"])

    job = trained(workspace, submitted(workspace, tmp_path, {"x": X, "y": Y}, max_trials=2), starved)
    assert job.state is JobState.FAILED
    assert re.search(r"the first of 2 failed with: It used [\d,]+ MB of memory, its limit is 1 MB", job.message)
    assert "more memory" in job.hint
    assert {t.state for t in workspace.jobs.trials(job.id)} == {TrialState.FAILED}
