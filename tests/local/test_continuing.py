"""A training that goes on from an ended one's trials, and one trial that is ended alone."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import backends
import psutil
import pytest
import trial_doubles
from ending import gone
from turns import on_day
from waiting import wait_until

from core.domain.errors import Conflict, JobNotFound, SpecInvalid
from core.domain.job import Job, JobState
from core.domain.training import Algorithm, Task, TrainingSpec, Trial, TrialState
from core.local.paths import Paths
from core.local.store import Store
from core.local.worker.executors import ProcessExecutor
from core.local.worker.run import run_job
from core.local.worker.tools import Tools
from core.ml.executor import InProcessExecutor
from core.ml.finished import FinishedTrial, commit, record, stage
from core.ml.trial import train
from core.workspace import Workspace

LINEAR = (Algorithm.LOGISTIC_REGRESSION,)


@dataclass(frozen=True)
class World:
    """A workspace with a small table, whose jobs are done by hand."""

    workspace: Workspace
    store: Store

    def submit(self, **spec: object) -> Job:
        wanted = {"max_trials": 2, "n_cross_validations": 2, "allowed_training_algorithms": LINEAR, **spec}
        return self.workspace.jobs.submit(TrainingSpec(self.workspace.data.list()[0].ref, "bought", **wanted))

    def run(self, job: Job, tools: Tools = Tools(executors=lambda *_: InProcessExecutor(train))) -> Job:  # noqa: B008
        self.store.jobs.start_attempt(job.id, 1.0)
        run_job(job.id, self.workspace, tools=tools)
        return self.workspace.jobs.get(job.id)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    workspace = backends.MAKE["local"](tmp_path / "home")
    lines = ["age,red,bought", *(f"{20 + n * 7 % 50},{n % 3},{'yes' if n * 7 % 50 > 25 else 'no'}" for n in range(60))]
    (tmp_path / "people.csv").write_text("\n".join(lines) + "\n")
    workspace.data.register("people", str(tmp_path / "people.csv"))
    store = Store(Paths(workspace.settings.home).store)
    yield World(workspace, store)
    store.close()


def test_a_job_that_succeeded_goes_on_from_its_trials(world):
    first = world.run(world.submit())
    longer = world.workspace.jobs.extend(first.id, 30.0)
    assert (longer.state, longer.spec.timeout_s) == (JobState.QUEUED, 30.0)
    assert longer.id != first.id
    ended = world.run(longer)
    assert ended.state is JobState.SUCCEEDED
    before, after = world.workspace.jobs.trials(first.id), world.workspace.jobs.trials(longer.id)
    singles = [t for t in after if not t.members]
    assert after[: len(before)] == before
    assert len(singles) == 4
    assert len({tuple(sorted(t.params.items())) for t in singles}) == 4


def test_what_a_longer_job_does_leaves_the_first_one_as_it_was(world):
    first = world.run(world.submit())
    trials = Paths(world.workspace.settings.home).trials(first.id)
    before = {p.relative_to(trials): p.read_bytes() for p in trials.rglob("*") if p.is_file()}
    world.run(world.workspace.jobs.extend(first.id, 30.0))
    assert {p.relative_to(trials): p.read_bytes() for p in trials.rglob("*") if p.is_file()} == before


def test_a_job_that_has_not_ended_cannot_be_continued(world):
    with pytest.raises(Conflict, match="is queued"):
        world.workspace.jobs.extend(world.submit().id, 30.0)


def test_a_canceled_job_can_be_continued(world):
    job = world.submit()
    world.workspace.jobs.cancel(job.id)
    vote = Paths(world.workspace.settings.home).trials(job.id) / "7"
    staged = stage(vote)
    record(staged, FinishedTrial(Trial(7, "VotingEnsemble", TrialState.SUCCEEDED, members=(5, 6)), vote))
    commit(staged, vote)
    longer = world.workspace.jobs.extend(job.id, 30.0)
    assert longer.spec.max_trials == job.spec.max_trials, "an ensemble is none of the trials that are counted"
    assert world.run(longer).state is JobState.SUCCEEDED


def test_too_little_time_and_unknown_jobs_are_refused(world):
    job = world.submit()
    world.workspace.jobs.cancel(job.id)
    with pytest.raises(SpecInvalid, match="at least 3"):
        world.workspace.jobs.extend(job.id, 1.0)
    with pytest.raises(JobNotFound):
        world.workspace.jobs.extend("nothing", 30.0)


@on_day(1, 3)
def test_one_running_trial_is_ended_and_the_job_goes_on(world):
    job = world.submit(max_trials=3)
    processes = lambda *_: ProcessExecutor(trial_doubles.hang_first, threads=1, memory_mb=4096)  # noqa: E731
    doing = threading.Thread(target=world.run, args=(job, Tools(executors=processes)))
    doing.start()
    jobs = world.workspace.jobs
    wait_until(lambda: [t for t in jobs.trials(job.id) if t.state is TrialState.RUNNING], 30)
    pid = Paths(world.workspace.settings.home).trials(job.id) / "0" / "pid"
    trial = psutil.Process(int(wait_until(lambda: pid.exists() and pid.read_text(), 30)))
    assert jobs.cancel_trial(job.id, 0).number == 0
    wait_until(lambda: gone(trial), 4)  # a second on a machine that is not overloaded
    wait_until(lambda: jobs.trials(job.id)[0].state is not TrialState.RUNNING, 5)
    doing.join()
    first, *others = jobs.trials(job.id)
    assert (first.state, first.error) == (TrialState.STOPPED, "Canceled")
    assert {t.state for t in others} == {TrialState.SUCCEEDED}
    assert any(line.text.endswith(": Canceled") for line in jobs.logs(job.id, 100))
    assert jobs.get(job.id).state is JobState.SUCCEEDED
    assert jobs.cancel_trial(job.id, 1).state is TrialState.SUCCEEDED


def test_an_ensemble_whose_files_were_lost_when_its_job_was_cut_off_has_not_succeeded(world):
    job = world.submit(max_trials=1)
    world.store.trials.put(job.id, Trial(9, Algorithm.VOTING_ENSEMBLE, TrialState.SUCCEEDED, members=(0, 1)))
    assert world.run(job).state is JobState.SUCCEEDED
    assert {t.number: t.state for t in world.workspace.jobs.trials(job.id)}[9] is TrialState.STOPPED


def test_a_trial_that_is_not_there_cannot_be_canceled(world):
    with pytest.raises(JobNotFound):
        world.workspace.jobs.cancel_trial(world.submit().id, 5)


def test_a_number_is_learned_where_regression_is_asked_for(world):
    spec = {"task": Task.REGRESSION, "allowed_training_algorithms": (Algorithm.ELASTIC_NET,)}
    job = world.workspace.jobs.submit(
        TrainingSpec(world.workspace.data.list()[0].ref, "age", max_trials=1, n_cross_validations=2, **spec)
    )
    ended = world.run(job)
    assert ended.state is JobState.SUCCEEDED
    assert "r2_score" in ended.result.best.metrics
