"""Trainings that something ends before their time: a dead worker, memory, a cancel. What was finished is kept."""

import json
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import backends
import pytest
import trial_doubles
from forked import FORKS
from turns import on_day

from core.domain.job import Job, JobState
from core.domain.training import Algorithm, TrainingSpec, Trial, TrialState
from core.local.paths import Paths
from core.local.store import Store
from core.local.worker.executors import ProcessExecutor, another_main
from core.local.worker.run import run_job
from core.local.worker.tools import Tools
from core.local.workspace import open_local
from core.ml import final
from core.ml.ensembles.allowance import Allowance
from core.ml.executor import Executor, InProcessExecutor
from core.ml.finished import FinishedTrial, refit_folder
from core.ml.learners.registry import libraries
from core.ml.task import Train
from core.ml.trial import train
from core.predict.folder import load_model
from core.settings import Settings
from core.workspace import Workspace

LINEAR = (Algorithm.LOGISTIC_REGRESSION,)


class NoBags(Allowance):
    """Room for members that were refitted, and for no others."""

    def admits(self, members: Sequence[FinishedTrial], refitted: Sequence[int] = ()) -> bool:
        return {f.trial.number for f in members} <= set(refitted)


def doomed(job_id: str, settings: Settings, doing: Train) -> None:
    """An attempt at a job, in the job's own process, that is killed."""
    final.Allowance = NoBags
    run_job(job_id, open_local(settings), tools=Tools(executors=lambda *_: InProcessExecutor(doing)))


@dataclass(frozen=True)
class World:
    """A workspace with a small table, whose jobs are attempted by processes of their own."""

    workspace: Workspace
    store: Store
    paths: Paths

    def submit(self, **spec: object) -> Job:
        wanted = {"max_trials": 2, "n_cross_validations": 2, "allowed_training_algorithms": LINEAR, **spec}
        wanted = {"enable_vote_ensemble": False, "enable_stack_ensemble": False, **wanted}
        return self.workspace.jobs.submit(TrainingSpec(self.workspace.data.list()[0].ref, "bought", **wanted))

    def killed(self, job: Job, doing: Train) -> Job:
        """After an attempt by a process of its own that was killed."""
        self.store.jobs.start_attempt(job.id, time.time())
        worker = FORKS.Process(target=doomed, args=(job.id, self.workspace.settings, doing))
        with another_main():
            worker.start()
        worker.join(240)
        assert worker.exitcode == -signal.SIGKILL
        return job

    def run(self, job: Job, executor: Executor) -> Job:
        """After an attempt by this process."""
        self.store.jobs.start_attempt(job.id, time.time())
        run_job(job.id, self.workspace, tools=Tools(executors=lambda *_: executor))
        return self.workspace.jobs.get(job.id)

    def ended(self, job: Job, state: JobState) -> Job:
        """A job with these trials that the service has ended so."""
        other = replace(self.workspace.jobs.get(job.id), id=f"{job.id}-{state}")
        self.store.jobs.add(other)
        self.paths.job(other.id).mkdir(parents=True)
        self.paths.trials(other.id).symlink_to(self.paths.trials(job.id))
        if state is JobState.CANCELED:
            self.store.jobs.cancel(other.id, 1.0)
        self.store.jobs.end(other.id, state, 2.0, message="as the service ends it")
        return self.workspace.jobs.get(other.id)

    def singles(self, job_id: str) -> list[Trial]:
        return [trial for trial in self.workspace.jobs.trials(job_id) if not trial.members]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("cut-off")
    workspace = backends.MAKE["local"](folder / "home")
    lines = ["age,red,bought", *(f"{20 + n * 7 % 50},{n % 3},{'yes' if n * 7 % 50 > 25 else 'no'}" for n in range(60))]
    (folder / "people.csv").write_text("\n".join(lines) + "\n")
    workspace.data.register("people", str(folder / "people.csv"))
    paths = Paths(workspace.settings.home)
    store = Store(paths.store)
    yield World(workspace, store, paths)
    store.close()


@pytest.fixture(scope="module")
def killed(world: World) -> Job:
    """A job whose worker was killed in its second trial."""
    return world.killed(world.submit(max_trials=3), trial_doubles.die_in_the_second)


@on_day(0, 2)
def test_a_worker_that_is_killed_in_a_refit_goes_on_with_it_and_registers_the_model(world, monkeypatch):
    job = world.killed(world.submit(max_trials=1, model_name="people"), trial_doubles.die_in_the_refit)
    (before,) = world.singles(job.id)
    folder = world.paths.trials(job.id) / "0"
    kept = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert before.state is TrialState.SUCCEEDED
    assert not refit_folder(folder).exists()

    monkeypatch.setattr(final, "Allowance", NoBags)
    ended = world.run(job, ProcessExecutor(train, threads=1, memory_mb=4096, libraries=libraries(LINEAR)))
    assert (ended.state, ended.result.model.version) == (JobState.SUCCEEDED, 1)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == kept, "nothing is trained again"
    assert world.singles(job.id) == [before]
    model = world.paths.job_model(job.id)
    assert [member["refitted"] for member in json.loads((model / "card.json").read_bytes())["members"]] == [True]
    assert [len(bag) for bag in load_model(model).bags] == [1]


@on_day(1, 2)
def test_a_trial_that_dies_of_memory_is_a_failed_one_and_the_job_goes_on(world):
    job = world.submit()
    hungry = ProcessExecutor(trial_doubles.eat_memory_first, threads=1, memory_mb=300, libraries=libraries(LINEAR))
    assert world.run(job, hungry).state is JobState.SUCCEEDED
    first, *others = world.singles(job.id)
    assert first.state is TrialState.FAILED
    assert "its limit is 300 MB" in first.error
    assert {trial.state for trial in others} == {TrialState.SUCCEEDED}


@pytest.mark.parametrize("state", [JobState.CANCELED, JobState.FAILED], ids=str)
def test_a_job_whose_worker_was_killed_is_continued_from_its_trials_however_it_was_ended(world, killed, state):
    before = world.ended(killed, state)
    assert before.state is state
    longer = world.workspace.jobs.extend(before.id, 60.0)
    assert world.run(longer, InProcessExecutor(train)).state is JobState.SUCCEEDED
    first, *others = world.singles(longer.id)
    assert (first.state, first.started_at < killed_at(world, longer)) == (TrialState.SUCCEEDED, True)
    assert {trial.state for trial in others} == {TrialState.SUCCEEDED}


def killed_at(world: World, longer: Job) -> float:
    """When the longer job began, which only trials of the first one can have begun before."""
    return world.workspace.jobs.get(longer.id).started_at or 0.0
