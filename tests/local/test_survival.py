"""Kill -9 while busy, then look: one seeded round of each victim. `tests/chaos` does many, drawn by seed."""

import random

import pytest
from local_world import World, kill, living
from waiting import wait_until

from core.domain.endpoint import EndpointState
from core.domain.job import JobState
from core.domain.training import TrialState

VICTIMS = ("service", "worker", "server", "service and worker", "all")


@pytest.mark.usefixtures("forked_services")
@pytest.mark.parametrize("seed", [2])
def test_whatever_is_killed_while_busy_the_work_goes_on(world: World, seed: int) -> None:
    draw = random.Random(seed)
    world.add_endpoint("bank")
    world.deploy("bank")
    job_id = world.submit("fake:each_s=0.2", trials=10_000, model="bank")
    service = world.start_service()
    wait_until(lambda: world.endpoint("bank").state is EndpointState.READY, 20)
    for victim in draw.sample(VICTIMS, len(VICTIMS)):
        more = len(world.store.trials.list(job_id)) + draw.randint(0, 2)
        wait_until(lambda more=more: ready(world) and is_training(world, job_id, more), 20)
        before = {t.number: t for t in world.store.trials.list(job_id) if t.state is TrialState.SUCCEEDED}
        worker, server = world.worker(job_id), world.server("bank")
        assert world.job(job_id).state is JobState.RUNNING
        if victim in ("service", "service and worker", "all"):
            kill(service)
        if victim in ("worker", "service and worker", "all"):
            kill(worker)
        if victim in ("server", "all"):
            kill(server)
        if not living(service):
            assert (living(worker) is None) == (victim != "service")
            assert (living(server) is None) == (victim == "all")
            service = world.start_service()
        after = {trial.number: trial for trial in world.store.trials.list(job_id)}
        assert {number: after[number] for number in before} == before
        if victim == "service":
            assert world.worker(job_id) == worker
            assert world.server("bank") == server
    world.enough(job_id)
    wait_until(lambda: world.job(job_id).state.final, 30)
    assert world.job(job_id).state is JobState.SUCCEEDED, world.job(job_id).message
    assert {trial.state for trial in world.store.trials.list(job_id)} == {TrialState.SUCCEEDED}
    assert world.store.models.get("bank").version == 1
    wait_until(lambda: ready(world), 20)
    assert world.endpoint("bank").traffic == {"v1": 100}


def ready(world: World) -> bool:
    return world.endpoint("bank").state is EndpointState.READY


def is_training(world: World, job_id: str, more: int) -> bool:
    """A trial runs, and more than so many are known."""
    trials = world.store.trials.list(job_id)
    running = any(trial.state is TrialState.RUNNING for trial in trials)
    return running and len(trials) > more and living(world.store.jobs.worker(job_id)) is not None
