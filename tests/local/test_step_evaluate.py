"""The step that decides whether a new model is better than the live one, on rows that neither was trained on."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from local_world import World
from serving_fakes import write_model

from core.domain.data import ColumnKind, DataAsset
from core.domain.endpoint import DeploymentSpec
from core.domain.job import Job, JobKind, JobState
from core.domain.model import Model
from core.domain.pipeline import PipelineStep, StepKind
from core.domain.proof import GateSpec
from core.domain.run import PipelineRunSpec, StepResult
from core.domain.signature import Column, Signature
from core.domain.training import TrainingSpec
from core.local.paths import new_id
from core.local.store import transactions
from core.local.worker import step_evaluate
from core.local.worker.step_attempt import Step
from core.local.worker.tools import Tools
from core.local.worker.work import JobLog, Work
from core.local.workspace import open_local

ROWS = 400


def signature(reads: str, target: str = "y", classes: Sequence[Any] = ("no", "yes")) -> Signature:
    """Of a model that says yes, the larger the number in one column."""
    return Signature((Column(reads, ColumnKind.NUMBER, nullable=True, typical=0),), target, tuple(classes), classes[-1])


class Contest:
    """A workspace with tables of which `signal` tells the answer and `noise` does not, and models that read one."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        random = np.random.default_rng(5)
        answer = random.integers(0, 2, ROWS)
        signal, noise = answer + random.normal(0, 0.8, ROWS), random.normal(0, 1, ROWS)
        self.lines = [f"{s:.6f},{n:.6f},{'yes' if a else 'no'}" for s, n, a in zip(signal, noise, answer, strict=True)]

    def table(self, name: str, lines: Sequence[str], header: str = "signal,noise,y") -> DataAsset:
        path = self.folder / f"{name}.csv"
        path.write_text("\n".join([header, *lines]) + "\n")
        return open_local(self.world.settings).data.register(name, str(path))

    def new(self, data: DataAsset, reads: Signature, metric: str = "AUC_weighted") -> str:
        """The id of a training that has left a model."""
        spec = TrainingSpec(data.ref, reads.target, primary_metric=metric)
        job = Job(new_id(), JobKind.AUTOML, JobState.RUNNING, "x", "local", spec, time.time())
        write_model(self.world.paths.job_model(job.id), reads)
        return self.world.store.jobs.add(job).id

    def live(self, data: DataAsset, reads: Signature) -> None:
        store, paths = self.world.store, self.world.paths
        model = store.models.add(Model("m", 0, new_id(), 0, "Fake", {}, data.ref, reads, 1, time.time()))
        write_model(paths.model(model.name, model.job_id, model.trial), reads)
        self.world.add_endpoint("bank")
        gate = Job(new_id(), JobKind.GATE, JobState.QUEUED, "gate", "proof", GateSpec("bank", "v1"), time.time())
        transactions.deploy(store, DeploymentSpec("bank", "m", 1, "v1"), gate, time.time())
        store.endpoints.set_traffic("bank", {"v1": 100}, None, time.time(), "Ada")

    def judged(self, job_id: str, holdout: DataAsset | None = None, **settings: Any) -> dict[str, Any]:
        """The outputs of the step."""
        world, now = self.world, time.time()
        job = Job(new_id(), JobKind.PIPELINE, JobState.RUNNING, "x", "local", PipelineRunSpec("p", "p", 1), now)
        wanted = PipelineStep("evaluate", StepKind.EVALUATE, (), {"endpoint": "bank", **settings})
        inputs = {"job": job_id, **({"holdout": str(holdout.ref)} if holdout else {})}
        with JobLog(world.paths.job_log(job.id), time.time) as log:
            work = Work(job, open_local(world.settings), world.store, world.paths, time.time, log, Tools())
            result = step_evaluate.run(work, Step(job, job.spec, wanted, inputs, 1))
        assert isinstance(result, StepResult)
        assert result.note == result.outputs["reason"]
        return dict(result.outputs)


@pytest.fixture
def contest(world: World, tmp_path: Path) -> Contest:
    return Contest(world, tmp_path)


def test_a_truly_better_model_is_better_and_the_reason_has_the_numbers(contest: Contest) -> None:
    data, fresh = contest.table("data", contest.lines[:200]), contest.table("fresh", contest.lines[200:])
    contest.live(data, signature("noise"))
    found = contest.judged(contest.new(data, signature("signal")), fresh)
    assert (found["better"], found["rows"], found["live"]) == (True, 200, "bank/v1")
    of = found["comparison"]
    assert of["low"] > 0
    assert (of["metric"], of["test"], of["confidence"]) == ("AUC_weighted", "DeLong", 0.95)
    assert found["difference"] == of["new"] - of["live"]
    assert found["reason"] == (
        f"The new model is better: AUC is {of['new']:.4f} on 200 fresh rows, that of the live model {of['live']:.4f} "
        f"(95 % interval of the gain: {of['low']:.4f} to {of['high']:.4f})"
    )
    for metric in ("accuracy", "log_loss"):
        assert contest.judged(contest.new(data, signature("signal"), metric), fresh)["better"]


def test_a_model_that_is_worse_or_as_good_is_not_better(contest: Contest) -> None:
    data, fresh = contest.table("data", contest.lines[:200]), contest.table("fresh", contest.lines[200:])
    contest.live(data, signature("signal"))
    same = contest.judged(contest.new(data, signature("signal")), fresh)
    assert (same["better"], same["difference"]) == (False, 0)
    assert same["reason"].startswith("The new model is not shown to be better: AUC is ")
    worse = contest.judged(contest.new(data, signature("noise")), data=str(fresh.ref))
    assert worse["reason"].startswith("The new model is worse: AUC is ")


def test_rows_that_either_model_was_trained_on_do_not_count(contest: Contest) -> None:
    # The same rows, written as the other table happens to write them, in another order of columns, and twice.
    old = contest.table("old", contest.lines[:100])
    turned = [",".join(reversed(line.split(","))) for line in contest.lines[100:200]]
    new = contest.table("new", turned, "y,noise,signal")
    held_out = contest.table("held", [*contest.lines[:200], *contest.lines[:10], *contest.lines[340:]])
    contest.live(old, signature("noise"))
    assert contest.judged(contest.new(new, signature("signal")), held_out)["rows"] == 60
    only = contest.judged(contest.new(new, signature("signal")), contest.table("seen", contest.lines[50:150]))
    assert (only["better"], only["rows"]) == (False, 0)
    assert only["reason"] == "There are no rows of seen:1 that neither model was trained on"
    assert "difference" not in only


def test_too_few_rows_or_one_class_alone_are_no_comparison(contest: Contest) -> None:
    data = contest.table("data", contest.lines[:200])
    contest.live(data, signature("noise"))
    job = contest.new(data, signature("signal"))
    few = contest.judged(job, contest.table("few", contest.lines[200:240]))
    assert few["reason"].startswith("There are only 40 rows of few:1 that neither model was trained on: at least 50")
    yes = [line for line in contest.lines[200:] if line.endswith("yes")]
    assert contest.judged(job, contest.table("yes", yes))["reason"] == (
        "No row of yes:1 that neither model was trained on is of the class 'no'"
    )
    lacking = [line.partition(",")[2] for line in contest.lines[200:]]
    assert contest.judged(job, contest.table("lacking", lacking, "noise,y"))["reason"] == (
        "lacking:1 lacks a column that one of the models reads: signal"
    )
    assert contest.judged(job)["reason"].endswith("no hold-out was given")


def test_where_nothing_is_live_the_gate_decides(contest: Contest) -> None:
    data = contest.table("data", contest.lines)
    job = contest.new(data, signature("signal"))
    without_endpoint = contest.judged(job)
    assert without_endpoint == {
        "better": True,
        "reason": "Nothing is live at bank yet: the gate decides",
        "rows": 0,
        "live": "",
    }
    contest.live(data, signature("noise"))
    contest.world.store.endpoints.set_traffic("bank", {"v1": 0}, None, time.time(), "")
    assert contest.judged(job) == without_endpoint


def test_models_of_another_target_or_other_classes_are_not_compared(contest: Contest) -> None:
    data = contest.table("data", contest.lines)
    contest.live(data, signature("noise"))
    other = contest.judged(contest.new(data, signature("signal", target="noise")), data)
    assert (other["better"], other["reason"]) == (
        False,
        "The new model cannot be compared with the live model m:1: it predicts 'noise', the live one 'y'",
    )
    more = contest.judged(contest.new(data, signature("signal", classes=("maybe", "no", "yes"))), data)
    assert more["reason"].endswith("its classes are maybe, no, yes, those of the live one no, yes")


def test_missing_cells_are_values_too_when_rows_are_told_apart(contest: Contest) -> None:
    holes = [f",{line.split(',')[1]},{line.rsplit(',', 1)[1]}" for line in contest.lines[200:300]]
    data = contest.table("data", [*contest.lines[:150], *holes])
    contest.live(data, signature("noise"))
    found = contest.judged(
        contest.new(data, signature("signal")), contest.table("f", [*contest.lines[150:250], *holes])
    )
    # The live model reads `noise` alone, so that a row whose other column is filled now is none that it has not seen.
    assert found["rows"] == 50
