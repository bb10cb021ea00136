"""Kill -9 of the client, a worker of each kind, the scoring server, the service, each while it works, at random moments
and at named failpoints; then everything must be right.

`SLIPWAY_CHAOS_SEED` repeats a run, `SLIPWAY_CHAOS_ROUNDS` makes it longer.
"""

import csv
import http.client
import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import living
import psutil
import pytest
from waiting import wait_until

from core.contract import samples
from core.domain.batch import BatchSpec
from core.domain.data import DataRef
from core.domain.endpoint import EndpointState
from core.domain.job import JobKind, JobState
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind
from core.domain.run import StepState
from core.domain.training import TrainingSpec, Trial, TrialState
from core.local import control
from core.local.machine import failpoints, ports, processes
from core.local.machine.failpoints import Failpoint, arm
from core.local.machine.processes import Process
from core.local.paths import Paths
from core.local.store import Store

pytestmark = pytest.mark.chaos

SEED = int(os.environ.get("SLIPWAY_CHAOS_SEED", "0")) or int(time.time())
ROUNDS = int(os.environ.get("SLIPWAY_CHAOS_ROUNDS", "8"))
VICTIMS = ("client", "worker", "server", "service")
TRAINING_S = 60
TRIALS = 6
BATCH_ROWS = 30_000
CLIENT = Path(__file__).parent.parent / "busy_client.py"


class Caller:
    """Scores two rows again and again, and remembers the last answer and when it came."""

    def __init__(self, live: living.Live) -> None:
        self._live = live
        signature = live.workspace.models.get(live.report["model"]["name"]).signature
        self._body = samples.body(samples.rows(signature, 2, 1))
        self.answered_at, self.status = 0.0, 0

    def once(self) -> int:
        """The status, or 0 where nobody answers."""
        port = ports.port_of(self._live.workspace.endpoints.get(self._live.endpoint).scoring_uri)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._live.key}"}
        try:
            connection.request("POST", "/score", self._body, headers)
            self.status = connection.getresponse().status
            self.answered_at = time.monotonic()
        except (OSError, http.client.HTTPException):
            self.status = 0
        finally:
            connection.close()
        return self.status

    @contextmanager
    def calling(self) -> Iterator["Caller"]:
        """Call all the time inside the block."""
        stopping = threading.Event()

        def call() -> None:
            while not stopping.wait(0.01):
                self.once()

        thread = threading.Thread(target=call)
        thread.start()
        try:
            yield self
        finally:
            stopping.set()
            thread.join()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = random.Random(1)
    rows = ((draw.randint(18, 90), draw.random(), draw.choice("abc")) for _ in range(800))
    lines = [
        f"{age},{x:.4f},{level},{'yes' if age / 90 + x > draw.uniform(0.4, 1.6) else 'no'}" for age, x, level in rows
    ]
    path = tmp_path_factory.mktemp("table") / "people.csv"
    path.write_text("\n".join(["age,x,level,y", *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which failpoints are armed, for whatever is started meanwhile."""
    folder = tmp_path_factory.mktemp("points")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(failpoints.VARIABLE, str(folder))
        yield folder


@pytest.fixture(autouse=True)
def _armed(points: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's own environment has no setting of anybody's; a service that it starts must see this one."""
    monkeypatch.setenv(failpoints.VARIABLE, str(points))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, table: Path, points: Path) -> Iterator[living.Live]:
    home, environ = tmp_path_factory.mktemp("chaos") / "workspace", {failpoints.VARIABLE: str(points)}
    try:
        yield living.go_live(home, "--data", str(table), "--target", "y", "--timeout", "20", environ=environ)
    finally:
        living.close(home)


@pytest.fixture(scope="module")
def store(live: living.Live) -> Store:
    return Store(Paths(live.home).store)


@contextmanager
def busy_client(live: living.Live, table: Path, said: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, str(CLIENT), live.endpoint, str(table)]
    environ = living.environment(live.home) | {"PYTHONPATH": str(CLIENT.parent.parent)}
    with said.open("wb") as out:
        client = subprocess.Popen(command, stdout=out, env=environ)
    try:
        yield client
    finally:
        client.kill()
        client.wait()


def acknowledged(said: Path) -> list[dict[str, str]]:
    """What the client has said; a torn last line was not."""
    return [json.loads(line) for line in said.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_round(live: living.Live, store: Store, table: Path, tmp_path: Path, number: int) -> None:
    draw = random.Random(SEED + number)
    victim = VICTIMS[number] if number < len(VICTIMS) else draw.choice(VICTIMS)
    sys.stdout.write(f"chaos: seed {SEED}, round {number}, victim {victim}\n")
    caller, said = Caller(live), tmp_path / "said"
    spec = TrainingSpec(DataRef("people"), "y", timeout_s=TRAINING_S, max_trials=TRIALS, seed=draw.randint(1, 99))
    job_id = live.workspace.jobs.submit(spec).id
    with busy_client(live, table, said) as client, caller.calling():
        wanted, done = draw.randint(2, 12), draw.randint(0, 3)
        wait_until(lambda: len(acknowledged(said)) >= wanted and trains(store, job_id, done), 60)
        at_work = {
            "worker": alive(store.jobs.worker(job_id)),
            "server": alive(store.endpoints.server(live.endpoint)),
            "service": alive(control.service_process(store)),
        }
        before = finished(store, job_id)
        assert live.workspace.jobs.get(job_id).state is JobState.RUNNING
        assert client.poll() is None
        assert time.monotonic() - caller.answered_at < 2
        if victim == "client":
            client.kill()
        else:
            os.kill(at_work[victim].pid, signal.SIGKILL)
            wait_until(lambda: not processes.alive(at_work[victim]), 10)
        if victim == "service":
            assert caller.once() == 200, "scoring does not need the service"
            live.workspace.service.start()
        wait_until(lambda: caller.once() == 200, 30)
    check_acknowledged(live, acknowledged(said))
    check_training(live, store, job_id, before, attempts=2 if victim == "worker" else 1)
    wait_until(lambda: all(run.state.final for run in live.workspace.pipelines.list_runs()), 60)
    assert {run.state for run in live.workspace.pipelines.list_runs()} <= {JobState.SUCCEEDED}
    wait_until(lambda: live.workspace.endpoints.get(live.endpoint).state is EndpointState.READY, 30)
    assert (store.endpoints.server(live.endpoint) == at_work["server"]) == (victim != "server")
    assert live.workspace.endpoints.get(live.endpoint).traffic == {"v1": 100}
    wait_until(lambda: sorted(modules(live)) == ["core.local.service", "core.serving"], 20)


def test_a_gate_whose_worker_is_killed_leaves_no_candidate_and_is_run_again(live: living.Live, store: Store) -> None:
    draw = random.Random(SEED)
    wanted = draw.randint(1, 20)
    job = live.workspace.proofs.run_gate(live.endpoint)
    checks = Paths(live.home).job(job.id) / "checks.jsonl"
    wait_until(lambda: checks.exists() and len(checks.read_bytes().splitlines()) >= wanted, 60)
    (candidate,) = candidates(live)
    os.kill(alive(store.jobs.worker(job.id)).pid, signal.SIGKILL)
    wait_until(lambda: candidate not in candidates(live), 10)
    wait_until(lambda: live.workspace.jobs.get(job.id).state.final, 120)
    assert live.workspace.jobs.get(job.id).attempt == 2
    assert [report.id for report in live.workspace.proofs.gate_reports()].count(job.id) == 1
    assert candidates(live) == []


BATCH_POINTS = [point for point in Failpoint if point.startswith("batch.")]
RUN_POINTS = [point for point in Failpoint if point.startswith(("step.", "model.", "automl.", "job."))]
DEATHS = 2
"""Of each job: one at a named point, the other at a random moment. Three without progress between them end a job."""


def test_a_batch_whose_workers_are_killed_scores_every_row_once(
    live: living.Live, store: Store, points: Path, tmp_path: Path
) -> None:
    draw = random.Random(SEED)
    big = tmp_path / "many.csv"
    lines = [f"{draw.randint(18, 90)},{draw.random():.4f},{draw.choice('abc')},{i}" for i in range(BATCH_ROWS)]
    big.write_text("\n".join(["age,x,level,number", *lines]) + "\n")
    data = live.workspace.data.register("many", str(big))
    point = draw.choice(BATCH_POINTS)
    sys.stdout.write(f"chaos: seed {SEED}, {point}\n")
    arm(points, point)
    job = live.workspace.jobs.submit(BatchSpec(live.endpoint, data.name, data.version))
    kill_at_random(live, store, job.id, draw)
    ended = live.workspace.jobs.get(job.id)
    assert ended.state is JobState.SUCCEEDED, ended.message
    assert not (points / point).exists(), "somebody died there"
    assert ended.attempt >= 2
    with io.TextIOWrapper(live.workspace.jobs.open_output(job.id), "utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["number"]) for row in rows] == list(range(BATCH_ROWS))
    assert (ended.result.rows, ended.result.scored) == (BATCH_ROWS, BATCH_ROWS)


@pytest.mark.parametrize("number", range(len(RUN_POINTS)))
def test_a_run_whose_workers_are_killed_does_each_step_once(
    live: living.Live, store: Store, points: Path, table: Path, number: int
) -> None:
    draw, point = random.Random(SEED + number), RUN_POINTS[number]
    sys.stdout.write(f"chaos: seed {SEED}, {point}\n")
    name, trained = f"killed-{number}", {"target": "y", "max_trials": 2, "timeout_s": 20}
    spec = PipelineSpec(
        name,
        (  # none takes over what the run before has made of the same table
            PipelineStep("prepare", StepKind.PREPARE, (), {"data": str(table)}, allow_reuse=False),
            PipelineStep("automl", StepKind.AUTOML, ("prepare",), trained, allow_reuse=False),
            PipelineStep("register", StepKind.REGISTER, ("automl",), {"model": name}),
        ),
    )
    arm(points, point)
    run = live.workspace.pipelines.trigger(live.workspace.pipelines.publish(spec).id, "chaos")
    kill_at_random(live, store, run.id, draw)
    ended = live.workspace.pipelines.get_run(run.id)
    assert ended.state is JobState.SUCCEEDED, ended.message
    assert not (points / point).exists(), "somebody died there"
    assert {step.state for step in ended.steps} == {StepState.SUCCEEDED}
    of_run = children(live, run.id)
    trainings = [job for job in live.workspace.jobs.list(JobKind.AUTOML) if job.id in of_run]
    assert len(trainings) == 1
    assert [model.version for model in live.workspace.models.list() if model.name == name] == [1]


def kill_at_random(live: living.Live, store: Store, job_id: str, draw: random.Random) -> None:
    """Kill the job's worker, or that of a job which it has started, now and then until it has ended."""
    left, next_at = DEATHS - 1, time.monotonic() + draw.uniform(0.2, 1.5)

    def look() -> bool:
        nonlocal left, next_at
        if left and time.monotonic() > next_at:
            workers = [store.jobs.worker(one) for one in (job_id, *children(live, job_id))]
            if at_work := [worker for worker in workers if worker and worker.pid and processes.alive(worker)]:
                os.kill(draw.choice(at_work).pid, signal.SIGKILL)
                left, next_at = left - 1, time.monotonic() + draw.uniform(0.5, 2.5)
        return live.workspace.jobs.get(job_id).state.final

    wait_until(look, 180)


def children(live: living.Live, job_id: str) -> list[str]:
    """All that it has started, at any depth."""
    jobs = [*live.workspace.jobs.list(), *live.workspace.jobs.list(JobKind.STEP)]
    found = [job.id for job in jobs if job.parent_id == job_id]
    return [*found, *(one for child in found for one in children(live, child))]


def trains(store: Store, job_id: str, done: int) -> bool:
    """A trial runs, and at least so many have ended."""
    trials = store.trials.list(job_id)
    return len(finished(store, job_id)) >= done and any(trial.state is TrialState.RUNNING for trial in trials)


def finished(store: Store, job_id: str) -> dict[int, Trial]:
    return {trial.number: trial for trial in store.trials.list(job_id) if trial.state is TrialState.SUCCEEDED}


def alive(process: Process | None) -> Process:
    assert process is not None
    assert processes.alive(process)
    return process


def check_acknowledged(live: living.Live, held: list[dict[str, str]]) -> None:
    """Everything that was said to be done is there, whole."""
    known = {
        "data": {str(asset.version) for asset in live.workspace.data.list() if asset.name == "busy"},
        "pipeline": {pipeline.id for pipeline in live.workspace.pipelines.list()},
        "run": {job.id for job in live.workspace.jobs.list(JobKind.PIPELINE, 10_000)},
    }
    for kind, value in (pair for line in held for pair in line.items() if pair[0] in known):
        assert value in known[kind]
    for asset in live.workspace.data.list():
        assert live.workspace.data.profile(asset.ref).rows == asset.rows
        assert len(live.workspace.data.sample(asset.ref, 10_000).rows) == asset.rows


def check_training(live: living.Live, store: Store, job_id: str, before: dict[int, Trial], *, attempts: int) -> None:
    wait_until(lambda: live.workspace.jobs.get(job_id).state.final, TRAINING_S * 3)
    job, after = live.workspace.jobs.get(job_id), finished(store, job_id)
    assert job.state is JobState.SUCCEEDED, job.message
    assert {number: after.get(number) for number in before} == before
    assert job.attempt == attempts


def modules(live: living.Live) -> list[str]:
    """What runs for the workspace, by module: one service, one server, nothing else."""
    ours = ("core.local.service", "core.serving", "core.local.worker")
    return [name for _, line in command_lines(live) for name in line[2:3] if name in ours]


def candidates(live: living.Live) -> list[psutil.Process]:
    """The servers of gates."""
    return [process for process, line in command_lines(live) if "--tether" in line]


def command_lines(live: living.Live) -> list[tuple[psutil.Process, list[str]]]:
    found = []
    for process in living.alive_in(live.home):
        with suppress(psutil.NoSuchProcess):
            found.append((process, process.cmdline()))
    return found
