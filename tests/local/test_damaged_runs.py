"""One run that cannot be read is its own failure: the service goes on, and so do the other runs."""

import sqlite3
import time
from contextlib import closing

import pytest
from local_world import World
from run_by_hand import ByHand

from core.domain.job import Job, JobState
from core.domain.pipeline import PipelineStep, StepKind
from core.local.service.runs import Runs
from core.local.service.telling import Telling, Way

PLAN = (PipelineStep("a", StepKind.COMMAND, settings={"command": ["true"]}, code="c"),)
NEWER = {
    "its steps": "UPDATE steps SET body = json_set(body, '$.v', 99) WHERE run_id = ?",
    "what was asked for": "UPDATE jobs SET spec = '{\"v\":99}' WHERE id = ?",
}


def queued(world: World) -> Job:
    return ByHand(world.store, world.settings).add(PLAN)


def damage(world: World, job: Job, sql: str) -> None:
    with closing(sqlite3.connect(world.paths.store)) as db, db:
        db.execute(sql, (job.id,))


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("what", NEWER)
def test_a_run_that_cannot_be_read_stays_and_the_others_go_on(world: World, what: str, begun: bool) -> None:
    bad, runs = queued(world), Runs(world.store, world.settings)
    if begun:
        world.store.jobs.start_attempt(bad.id, time.time())
    damage(world, bad, NEWER[what])
    good = queued(world)
    for _ in range(3):
        runs.tick()
    assert bad.id not in {run.id for run in world.store.runs.list() if run.state.final}
    assert [step.state for step in world.store.runs.steps(good.id)] == ["running"]


def test_giving_a_run_up_is_one_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job, runs = queued(world), Runs(world.store, world.settings)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("core.local.service.runs.plan", lambda *_: 1 / 0)
    monkeypatch.setattr("core.local.service.runs.end_run", killed)
    with pytest.raises(KeyboardInterrupt):
        runs.tick()
    assert not world.store.jobs.get(job.id).cancel_requested


def test_a_failed_run_that_cannot_be_read_does_not_hold_up_what_is_told_of_others(world: World) -> None:
    bad, good = queued(world), queued(world)
    with world.store.write() as tx:
        for at, job in enumerate((bad, good)):
            tx.jobs.start_attempt(job.id, time.time())
            tx.jobs.end(job.id, JobState.FAILED, time.time(), message="m")
            tx.notices.add(job.id, time.time() - 10 + at)
    damage(world, bad, NEWER["its steps"])
    told: list[bytes] = []
    Telling(world.store, world.settings, told=[Way("w", lambda body, stopping: told.append(body))]).once()
    assert [good.id.encode() in body for body in told] == [True]
