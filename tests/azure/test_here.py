"""Jobs that this machine does for a workspace on Azure: they outlive whoever asked, and none is forgotten."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from waiting import wait_until

from core.azure import here as machine
from core.azure.context import Context
from core.azure.here import ATTEMPTS_MAX, Here, Process, alive, end
from core.azure.runner import run_job
from core.azure.work import Work
from core.domain.errors import JobNotFound, SlipwayError
from core.domain.job import JobKind, JobState
from core.domain.proof import GateResult, GateSpec
from core.settings import read_settings

GATE = GateSpec("people", "blue")


class Sleepers:
    """Starts processes that do nothing, in the place of those that do a job."""

    def __init__(self) -> None:
        self.started: list[Process] = []

    def __call__(self, job_id: str, log: Path) -> Process:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
        machine._children[child.pid] = child
        self.started.append(Process(child.pid, psutil.Process(child.pid).create_time()))
        return self.started[-1]


@pytest.fixture
def sleepers():
    started = Sleepers()
    yield started
    for process in started.started:
        end(process, signal.SIGKILL)


@pytest.fixture
def here(tmp_path, sleepers):
    return Here(tmp_path / "jobs", lambda: 1_800_000_000.0, sleepers)


def killed(here: Here, sleepers: Sleepers) -> None:
    end(sleepers.started[-1], signal.SIGKILL)
    wait_until(lambda: not alive(sleepers.started[-1]), 5)


def begun(here: Here, job_id: str, attempt: int) -> None:
    """What the job's own process would have written."""
    here.write(replace(here.read(job_id), state=JobState.RUNNING, attempt=attempt))


def test_a_job_is_queued_with_a_process_and_listed_newest_first(here, sleepers):
    first = here.add(GATE, "gate")
    second = here.add(GateSpec("others", "blue"), "gate")
    assert (first.state, first.kind, first.compute) == (JobState.QUEUED, JobKind.GATE, "this machine")
    assert len(sleepers.started) == 2
    assert {job.id for job in here.list()} == {first.id, second.id}
    assert [job.id for job in here.list(endpoint="others")] == [second.id]
    assert here.get(first.id) == first
    assert first.id in here
    assert "../jobs" not in here
    with pytest.raises(JobNotFound, match="nothing"):
        here.get("nothing")


def test_a_job_whose_process_was_killed_is_started_again_and_at_last_said_to_be_lost(here, sleepers):
    job = here.add(GATE, "gate")
    for attempt in range(1, ATTEMPTS_MAX + 1):
        assert len(sleepers.started) == attempt
        begun(here, job.id, attempt)
        killed(here, sleepers)
        now = here.get(job.id)
    assert now.state is JobState.FAILED
    assert f"died {ATTEMPTS_MAX} times" in now.message
    assert now.hint
    assert len(sleepers.started) == ATTEMPTS_MAX
    assert here.get(job.id) == now


def test_a_queued_job_is_canceled_at_once_and_its_process_ends(here, sleepers):
    job = here.add(GATE, "gate")
    assert here.cancel(job.id).state is JobState.CANCELED
    wait_until(lambda: not alive(sleepers.started[-1]), 5)
    assert here.cancel(job.id).state is JobState.CANCELED
    assert len(sleepers.started) == 1, "what was canceled is not started again"


def test_a_running_job_is_asked_to_end_and_is_canceled_when_its_process_has(here, sleepers):
    job = here.add(GATE, "gate")
    begun(here, job.id, 1)
    with here.held(job.id):
        asked = here.cancel(job.id)
        assert (asked.state, asked.stopping) == (JobState.RUNNING, True)
    wait_until(lambda: here.get(job.id).state is JobState.CANCELED, 5)


def test_what_goes_against_an_endpoint_is_canceled_with_it(here):
    mine, other = here.add(GATE, "gate"), here.add(GateSpec("others", "blue"), "gate")
    here.forget_endpoint("people", "green")
    assert not here.get(mine.id).state.final
    here.forget_endpoint("people")
    assert (here.get(mine.id).state, here.get(other.id).state) == (JobState.CANCELED, JobState.QUEUED)


def passes(work: Work, spec: GateSpec) -> GateResult:
    work.log.info(f"{spec.endpoint} is fine")
    return GateResult(True, work.job.id)


def fails(work: Work, spec: GateSpec) -> GateResult:
    raise SlipwayError("It cannot be reached", hint="Try again")


def breaks(work: Work, spec: GateSpec) -> GateResult:
    raise ZeroDivisionError("1 / 0")


@pytest.fixture
def context(tmp_path, sleepers):
    environ = {
        "SLIPWAY_HOME": str(tmp_path), "SLIPWAY_AZURE_SUBSCRIPTION": "s", "SLIPWAY_AZURE_RESOURCE_GROUP": "g",
        "SLIPWAY_AZURE_WORKSPACE": "w",
    }  # fmt: skip
    made = Context(read_settings(environ))
    made.__dict__["here"] = Here(made.folder / "jobs", made.clock, sleepers)
    return made


@pytest.mark.parametrize(
    ("run", "state", "said"),
    [(passes, JobState.SUCCEEDED, ""), (fails, JobState.FAILED, "It cannot be reached"),
     (breaks, JobState.FAILED, "ZeroDivisionError")],
)  # fmt: skip
def test_a_job_is_done_to_its_end_with_a_log_that_says_why(context, run, state, said):
    here = context.here
    job = here.add(GATE, "gate")
    run_job(job.id, context, {JobKind.GATE: f"{__name__}:{run.__name__}"})
    ended = here.get(job.id)
    assert (ended.state, ended.attempt) == (state, 1)
    assert said in ended.message
    assert ended.result == (GateResult(True, job.id) if run is passes else None)
    texts = [line.text for line in here.log(job.id, 100)]
    assert "people is fine" in texts if run is passes else any(said in text for text in texts)
    assert run_job(job.id, context, {}) == 0, "what has ended is not done again"


def test_a_job_that_another_process_does_is_left_to_it(context):
    job = context.here.add(GATE, "gate")
    with context.here.held(job.id):
        assert run_job(job.id, context, {}) == 0
    assert context.here.read(job.id).state is JobState.QUEUED
