"""What the service sees to: no process of a step outlives it, however the step, its worker or the service ends."""

import os
import re
import shutil
import signal
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ending import gone
from local_world import World, kill, ticking
from own_steps import command, step_of, trigger
from waiting import wait_until

from core.domain.errors import Conflict, JobNotFound
from core.domain.job import JobKind, JobState
from core.domain.pipeline import Parameter, ParameterType, PipelineStep, StepKind, ValueType
from core.domain.run import StepState
from core.local.machine import families
from core.local.machine.processes import this_process
from core.local.service.runs import Runs
from core.local.service.step_limits import StepLimits
from core.local.service.workers import Jobs
from core.local.workspace import open_local

STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
folder = sys.argv[1]
for leaves in (False, True):
    if os.fork() == 0:
        if leaves:
            os.setsid()
            if os.fork(): os._exit(0)
        break
print("here", flush=True)
open(f"{folder}/{os.getpid()}", "w").close()
time.sleep(600)
"""
"""Itself, a child, and a grandchild that has left; none of them ends when it is asked to."""
SECOND_S = 2.5
"""A second is promised on a machine that is free; here others are at work."""


@pytest.fixture
def pids(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "pids"
    folder.mkdir()
    yield folder
    for pid in running(folder):
        os.kill(pid, signal.SIGKILL)


def noted(folder: Path) -> list[int]:
    """The processes that have left their number there."""
    return [int(path.name) for path in folder.iterdir()]


def running(folder: Path) -> list[int]:
    return [pid for pid in noted(folder) if not gone(pid)]


def all_begun(world: World, tick: Callable[[], None], pids: Path, count: int = 3) -> None:
    wait_until(ticking(tick, lambda: len(noted(pids)) == count), 30)
    assert len(running(pids)) == count


def test_canceling_a_run_ends_everything_within_a_second(world: World, pids: Path) -> None:
    run_id = trigger(world, command(world, STUBBORN, str(pids))).id
    tick = world.reconciler()
    all_begun(world, tick, pids)
    open_local(world.settings).pipelines.cancel(run_id)
    began = time.monotonic()
    wait_until(ticking(tick, lambda: not running(pids)), 5)
    assert time.monotonic() - began < SECOND_S
    wait_until(ticking(tick, lambda: world.job(run_id).state.final), 10)
    assert step_of(world, run_id).state is StepState.CANCELED
    assert world.job(step_of(world, run_id).job_id).state is JobState.CANCELED
    lines = open_local(world.settings).pipelines.step_log(run_id, "own")
    assert ("out", "here") in [(line.level, line.text) for line in lines]


@pytest.mark.full
def test_a_program_may_tidy_up_when_it_is_canceled(world: World, pids: Path) -> None:
    tidy = """
import os, signal, sys, time
def end(*_): print("tidy", flush=True); sys.exit()
signal.signal(signal.SIGTERM, end)
open(f"{sys.argv[1]}/{os.getpid()}", "w").close()
time.sleep(600)
"""
    run_id = trigger(world, command(world, tidy, str(pids))).id
    tick = world.reconciler()
    all_begun(world, tick, pids, 1)
    open_local(world.settings).pipelines.cancel(run_id)
    wait_until(ticking(tick, lambda: world.job(run_id).state.final), 10)
    assert "tidy" in [line.text for line in open_local(world.settings).pipelines.step_log(run_id, "own")]


@pytest.mark.full
def test_a_worker_that_hangs_does_not_keep_a_canceled_step_alive(world: World, pids: Path) -> None:
    run_id = trigger(world, command(world, STUBBORN, str(pids))).id
    tick = world.reconciler()
    all_begun(world, tick, pids)
    worker = world.worker(step_of(world, run_id).job_id)
    os.kill(worker.pid, signal.SIGSTOP)
    open_local(world.settings).pipelines.cancel(run_id)
    began = time.monotonic()
    wait_until(ticking(tick, lambda: not running(pids)), 5)
    assert time.monotonic() - began < SECOND_S
    wait_until(ticking(tick, lambda: world.job(run_id).state is JobState.CANCELED), 10)


def test_a_killed_worker_takes_its_programs_along_before_the_next_attempt(world: World, pids: Path) -> None:
    code = STUBBORN.replace("folder =", "if os.path.exists(sys.argv[1] + '-again'): sys.exit()\nfolder =")
    run_id = trigger(world, command(world, code, str(pids))).id
    tick = world.reconciler()
    all_begun(world, tick, pids)
    Path(f"{pids}-again").touch()
    kill(world.worker(step_of(world, run_id).job_id))
    wait_until(ticking(tick, lambda: world.job(run_id).state.final), 30)
    assert step_of(world, run_id).state is StepState.SUCCEEDED
    assert len(world.store.jobs.list(JobKind.STEP)) == 1, "the same step job was done again"
    assert running(pids) == []


@pytest.mark.full
def test_a_service_that_stops_leaves_nothing_of_a_step_running(world: World, pids: Path) -> None:
    trigger(world, command(world, STUBBORN, str(pids)))
    jobs, tick = world.jobs(), world.reconciler()
    all_begun(world, tick, pids)
    jobs.stop()
    assert running(pids) == []


def test_only_processes_of_the_very_job_are_found(world: World) -> None:
    assert families.marked("some-job") == []
    assert families.tree(this_process())[0].pid == os.getpid()
    stranger = type(this_process())(os.getpid(), this_process().started - 100)
    assert families.tree(stranger) == [], "another process had that number"


def test_a_run_goes_from_step_to_step_over_a_failed_attempt(world: World, tmp_path: Path) -> None:
    give = """
import os, sys
again = os.path.exists(sys.argv[2]); open(sys.argv[2], "w").close()
print("attempt", 2 if again else 1)
if not again: os.kill(os.getpid(), 9)
open(os.environ["SLIPWAY_STEP_OUTPUTS"] + "/word", "w").write(sys.argv[1])
"""
    take = """
import json, os
told = json.load(open(os.environ["SLIPWAY_STEP_INPUTS"]))
out = os.environ["SLIPWAY_STEP_OUTPUTS"]
json.dump({"word": open(told["inputs"]["given"]["path"]).read(), "times": told["arguments"]["times"]},
          open(out + "/outputs.json", "w"))
os.mkdir(out + "/folder"); open(out + "/folder/a", "w").write("a")
"""
    first = command(
        world,
        give,
        "say ${what}",
        str(tmp_path / "once"),
        name="first",
        outputs={"word": ValueType.FILE},
        retries=1,
        backoff_s=0.1,
    )
    outputs = {"word": ValueType.STRING, "times": ValueType.INTEGER, "folder": ValueType.FILE}
    inputs, arguments = {"given": "first.word"}, {"times": "${times}"}
    second = command(world, take, inputs=inputs, arguments=arguments, outputs=outputs)
    parameters = (Parameter("what", ParameterType.STRING, "-"), Parameter("times", ParameterType.INTEGER, 3))
    run_id = trigger(world, first, second, parameters=parameters, what="$HOME; hello").id
    wait_until(ticking(world.reconciler(), lambda: world.job(run_id).state.final), 30)

    step, given = step_of(world, run_id), step_of(world, run_id, "first")
    assert (step.state, given.attempt) == (StepState.SUCCEEDED, 2), step.message
    assert (step.outputs["word"], step.outputs["times"]) == ("say $HOME; hello", 3)
    pipelines = open_local(world.settings).pipelines
    lines = pipelines.step_log(run_id, "first")
    assert [line.text for line in lines if line.level == "out"] == ["attempt 1", "attempt 2"]
    assert "It was ended by SIGKILL" in next(line.text for line in lines if line.level == "error")
    assert pipelines.step_log(run_id, "first", 3) == lines[-3:]
    with pipelines.open_output(run_id, "first", "word") as file:
        assert file.read() == b"say $HOME; hello"
    with pipelines.open_output(run_id, "own", "folder") as packed, tarfile.open(fileobj=packed) as archive:
        assert archive.getnames() == ["folder", "folder/a"]
    with pytest.raises(Conflict, match="Output 'times' of step 'own' is no file but integer"):
        pipelines.open_output(run_id, "own", "times")
    with pytest.raises(JobNotFound, match="has no output 'other'"):
        pipelines.open_output(run_id, "own", "other")
    shutil.rmtree(world.paths.job(step.job_id))
    with pytest.raises(Conflict, match="no longer kept"):
        pipelines.open_output(run_id, "own", "folder")


HANGS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
block = bytearray(int(sys.argv[2]) << 20)
open(f"{sys.argv[1]}/{os.getpid()}", "w").close()
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("used_mb", "limits", "message"),
    [
        (1, {"timeout_s": 1.0}, r"It ran for [12]\.\d s, its limit is 1 s"),
        (60, {"memory_mb": 90}, r"It used \d{2,3} MB of memory, its limit is 90 MB"),
    ],
    ids=["time", "memory"],
)
def test_the_limits_of_a_built_in_step_hold_though_its_worker_hangs(
    world: World, pids: Path, used_mb: int, limits: Mapping[str, Any], message: str
) -> None:
    step = PipelineStep("own", StepKind.PREPARE, settings={"data": "t:1"}, **limits)
    run_id = trigger(world, step).id
    hangs = (sys.executable, "-c", HANGS, str(pids), str(used_mb))
    jobs, runs = Jobs(world.store, world.settings, command=hangs), Runs(world.store, world.settings)

    def tick() -> None:
        runs.tick()
        jobs.tick()

    wait_until(ticking(tick, lambda: world.job(run_id).state.final), 30)
    failed = step_of(world, run_id)
    assert failed.state is StepState.FAILED
    assert re.fullmatch(message, failed.message)
    assert running(pids) == []


def test_the_limit_of_a_step_holds_for_the_training_that_it_has_started(world: World) -> None:
    step = PipelineStep("own", StepKind.PREPARE, settings={"data": "t:1"}, timeout_s=60.0)
    run_id = trigger(world, step).id
    Runs(world.store, world.settings).tick()
    attempt = world.store.jobs.start_attempt(step_of(world, run_id).job_id, 1000.0)
    training = world.job(world.submit())
    now = 1050.0
    limits = StepLimits(world.store, lambda: now, lambda: now)
    of_step = replace(training, parent_id=attempt.id)
    assert limits.broken(of_step, this_process()) == ""
    assert limits.broken(training, this_process()) == ""
    now = 1061.0
    assert limits.broken(of_step, this_process()) == "It ran for 61.0 s, its limit is 60 s"
