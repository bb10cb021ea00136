"""The steps that change what clients see: deploy, gate and promote, each once and only where it may."""

import time
from threading import Thread
from typing import Any

import pytest
from local_world import SIGNATURE, World
from waiting import wait_until

from core.domain.endpoint import DeploymentSpec, DeploymentState, EndpointState
from core.domain.errors import Conflict, GateRefused, StateChanged, StepFailed
from core.domain.job import Job, JobKind, JobState
from core.domain.model import Model
from core.domain.pipeline import PipelineStep, StepKind
from core.domain.proof import CheckResult, GateBudget, GateReport, GateSpec
from core.domain.run import PipelineRunSpec, StepResult
from core.local.paths import new_id
from core.local.store import transactions
from core.local.worker import step_deploy, step_gate, step_promote
from core.local.worker.step_attempt import Step
from core.local.worker.tools import Tools
from core.local.worker.work import JobLog, Work
from core.local.workspace import open_local

DOING = {StepKind.DEPLOY: step_deploy.run, StepKind.GATE: step_gate.run, StepKind.PROMOTE: step_promote.run}
V1 = {"deployment": "bank/v1"}


def a_job(kind: JobKind) -> Job:
    return Job(new_id(), kind, JobState.RUNNING, "x", "local", PipelineRunSpec("p", "p", 1), time.time())


class Serving:
    """A workspace with an endpoint `bank`, whose service we are, and one run of a pipeline at a time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.run_begins()

    def run_begins(self) -> None:
        self.run, self.job = a_job(JobKind.PIPELINE), a_job(JobKind.STEP)

    def does(
        self, kind: StepKind, inputs: dict[str, str], attempt: int = 1, *, again: bool = False, **settings: Any
    ) -> StepResult:
        """An attempt at a step; `again`: the same one, which was killed when all was done."""
        if not again:
            self.job = a_job(JobKind.STEP)
        world, step = self.world, PipelineStep(kind.value, kind, (), settings)
        with JobLog(world.paths.job_log(self.job.id), time.time) as log:
            work = Work(self.job, open_local(world.settings), world.store, world.paths, time.time, log, Tools())
            return DOING[kind](work, Step(self.run, self.run.spec, step, inputs, attempt))

    def sees(self, error: str = "") -> None:
        """What the service has found of the deployments' server."""
        self.world.store.endpoints.observe("bank", EndpointState.READY)
        for one in self.world.endpoint("bank").deployments:
            state = DeploymentState.FAILED if error else DeploymentState.READY
            self.world.store.deployments.observe("bank", one.name, state, error)
        self.world.store.endpoints.observe_version("bank", self.world.store.endpoints.version("bank"))

    def deploys(self, name: str = "v1") -> str:
        """A deployment that was there before; its gate."""
        self.world.deploy("bank", name)
        return self.world.endpoint("bank").deployments[-1].gate_job_id

    def ends(self, gate: str, *, passed: bool) -> None:
        store, now = self.world.store, time.time()
        store.jobs.start_attempt(gate, now)
        spec = store.jobs.get(gate).spec
        assert isinstance(spec, GateSpec)
        checks = (CheckResult("c", "contract", passed, ""),)
        report = GateReport(gate, "bank", spec.deployment, "m:1", checks, GateBudget(), "default", now, 0.0)
        transactions.end_gate(store, gate, report, now)

    def gates(self) -> int:
        return len(self.world.store.jobs.list(JobKind.GATE))


@pytest.fixture
def serving(world: World) -> Serving:
    world.add_endpoint("bank")
    return Serving(world)


@pytest.fixture
def model(world: World) -> str:
    made = Model("m", 0, new_id(), 0, "Fake", {}, world.data.ref, SIGNATURE, 1, time.time())
    return world.store.models.add(made).ref


def test_a_deployment_is_made_once_and_waited_for(serving: Serving, model: str) -> None:
    def when_it_is_there() -> None:
        wait_until(lambda: serving.world.endpoint("bank").deployments, 20)
        serving.sees()

    (service := Thread(target=when_it_is_there)).start()
    done = serving.does(StepKind.DEPLOY, {"model": model}, endpoint="bank")
    service.join()
    assert (done.outputs, done.note) == ({"deployment": "bank/v1"}, "bank/v1 serves m:1")
    assert serving.does(StepKind.DEPLOY, {"model": model}, again=True, endpoint="bank") == done
    assert (serving.gates(), len(serving.world.endpoint("bank").deployments)) == (1, 1)
    serving.world.store.models.add(Model("m", 0, new_id(), 0, "F", {}, serving.world.data.ref, SIGNATURE, 1, 1.0))
    with pytest.raises(Conflict, match="serves m:1"):
        serving.does(StepKind.DEPLOY, {"model": "m:2"}, endpoint="bank", deployment="v1")


def test_a_deployment_that_does_not_load_fails_with_its_servers_last_words(serving: Serving, model: str) -> None:
    open_local(serving.world.settings).endpoints.deploy(DeploymentSpec("bank", "m", 1))
    serving.sees("ModelUnreadable: the folder is empty")
    with pytest.raises(StepFailed, match="bank/v1 is not ready: ModelUnreadable: the folder is empty"):
        serving.does(StepKind.DEPLOY, {"model": model}, endpoint="bank")


def test_the_gate_that_came_with_the_deployment_is_waited_for_and_a_passed_one_counts(serving: Serving) -> None:
    gate = serving.deploys()
    assert serving.does(StepKind.GATE, V1).started_job_id == gate
    serving.ends(gate, passed=True)
    taken = serving.does(StepKind.GATE, V1)
    assert (taken.outputs, taken.started_job_id) == ({"report": gate, "passed": True}, "")
    deep = serving.does(StepKind.GATE, V1, depth="full").started_job_id
    assert serving.gates() == 2, "one that looked less deep does not count"
    assert serving.does(StepKind.GATE, V1, again=True, depth="full").started_job_id == deep


def test_a_gate_that_failed_before_the_run_is_run_anew_and_once(serving: Serving) -> None:
    serving.ends(serving.deploys(), passed=False)
    serving.run_begins()
    anew = serving.does(StepKind.GATE, V1).started_job_id
    assert serving.does(StepKind.GATE, V1, again=True).started_job_id == anew
    serving.ends(anew, passed=False)
    assert serving.does(StepKind.GATE, V1, again=True).started_job_id == anew, "that is the attempt's verdict"
    later = serving.does(StepKind.GATE, V1, attempt=2).started_job_id
    assert (later != anew, serving.gates()) == (True, 3)


def test_all_traffic_goes_to_what_has_passed_and_twice_is_once(serving: Serving) -> None:
    serving.ends(serving.deploys("old"), passed=True)
    gate = serving.deploys()
    with pytest.raises(GateRefused, match="The gate of bank/v1 has not passed"):
        serving.does(StepKind.PROMOTE, V1)
    serving.ends(gate, passed=True)
    serving.sees()
    stale = Thread(target=lambda: wait_until(lambda: serving.world.endpoint("bank").traffic.get("v1"), 20))
    stale.start()
    (service := Thread(target=lambda: (stale.join(), serving.sees()))).start()
    done = serving.does(StepKind.PROMOTE, {**V1, "live": "bank/old"})
    service.join()
    traffic = {"old": 0, "v1": 100}
    assert done.outputs == {"promoted": True, "traffic": traffic, "previous": {"old": 100}}
    assert serving.does(StepKind.PROMOTE, {**V1, "live": "bank/old"}, again=True) == done
    assert serving.world.endpoint("bank").traffic == traffic


def test_nothing_is_promoted_where_another_is_live_than_was_compared_with(serving: Serving) -> None:
    for name in ("old", "v1"):
        serving.ends(serving.deploys(name), passed=True)
    with pytest.raises(StateChanged, match="was compared with bank/older, but bank/old is live now"):
        serving.does(StepKind.PROMOTE, {**V1, "live": "bank/older"})
    assert serving.world.endpoint("bank").traffic == {"old": 100}
