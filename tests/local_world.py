"""One local workspace of a test's own, its service run by hand, and everything it started ended after it."""

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from fake_worker import FakeEngine, package
from forked import FORKS
from msgspec import json
from waiting import wait_until

from core.domain.data import ColumnKind, ColumnProfile, ColumnRole, DataAsset, DataSource, TableProfile
from core.domain.endpoint import DeploymentSpec, Endpoint, EndpointKeys, EndpointSpec
from core.domain.job import Job, JobKind, JobSpec, JobState, kind_of
from core.domain.model import Model
from core.domain.proof import GateSpec
from core.domain.signature import Column, Signature
from core.domain.training import TrainingSpec
from core.durable import write_atomic
from core.local.control import service_process, status
from core.local.machine import failpoints, ports, processes
from core.local.machine.processes import Process
from core.local.paths import Paths, new_id
from core.local.service.runs import Runs
from core.local.service.servers import Supervisor
from core.local.service.workers import Jobs
from core.local.store import Store, transactions
from core.local.worker.executors import another_main
from core.local.worker.run import run_job
from core.local.worker.tools import Tools
from core.local.workspace import open_local
from core.ml.data import profile as profiles
from core.ml.executor import InProcessExecutor
from core.ml.trial import train
from core.settings import Settings, read_settings

HERE = Path(__file__).parent
FAKE_WORKER = (sys.executable, str(HERE / "fake_worker.py"))
FAKE_SERVER = (sys.executable, str(HERE / "fake_server.py"))
FAKE_SERVICE = (sys.executable, str(HERE / "fake_service.py"))
SIGNATURE = Signature((Column("age", ColumnKind.INTEGER, nullable=False, typical=40),), "y", ("no", "yes"), "yes")


def _attempt(job_id: str, settings: Settings, points: str) -> None:
    os.environ[failpoints.VARIABLE] = points
    sys.exit(run_job(job_id, open_local(settings)))


class World:
    """A workspace folder with one tiny data asset `t:1`, without a service until it is asked for."""

    def __init__(self, home: Path, **overrides: str) -> None:
        given = {"reconcile_s": "0.05", "segment_s": "0.5", "threads": "1", "offline": "1", **overrides}
        self._given = given
        self.open(home)
        self.data = self._data()

    def open(self, home: Path) -> None:
        """Look at the workspace at this place from now on."""
        self.settings = read_settings({}, home=str(home), **self._given)
        self.paths = Paths(self.settings.home)
        self.store = Store(self.paths.store)

    def move(self, home: Path) -> None:
        """As somebody who renames the folder."""
        self.store.close()
        self.paths.home.rename(home)
        self.open(home)

    def _data(self) -> DataAsset:
        column = ColumnProfile("age", ColumnKind.INTEGER, ColumnRole.FEATURE, rows=3, missing=0, distinct=3)
        table = self.paths.table("t", "ab" * 32)
        write_atomic(table, b"not read by the fake engine")
        write_atomic(self.paths.profile("t", "ab" * 32), json.encode(profiles.to_json(TableProfile(3, (column,)))))
        asset = DataAsset("t", 0, DataSource.FILE, "t.csv", 3, ("age",), "ab" * 32, 1, time.time())
        return self.store.data.add(asset)

    # What is asked for

    def submit(self, engine: str = "fake", trials: int = 3, *, model: str = "", compute: str = "local") -> str:
        """The id of a queued training job."""
        spec = TrainingSpec(
            self.data.ref, "y", max_trials=trials, engine=engine, model_name=model, compute=compute, experiment_name="x"
        )
        return self.add_job(spec, compute)

    def add_job(self, spec: JobSpec, compute: str = "local") -> str:
        job = Job(new_id(), kind_of(spec), JobState.QUEUED, "x", compute, spec, time.time())
        return self.store.jobs.add(job).id

    def add_endpoint(self, name: str, port: int = 0) -> int:
        """An endpoint without deployments; its port."""
        if not port:
            with ports.listen(0, name) as probe:
                port = probe.getsockname()[1]
        self.store.endpoints.add(EndpointSpec(name), port, EndpointKeys("k1", "k2"), time.time())
        return port

    def deploy(self, endpoint: str, name: str = "v1", folder: str = "good", signature: Signature = SIGNATURE) -> None:
        """A deployment of a model whose folder has this name, with its gate queued."""
        model = Model(folder, 0, new_id(), 0, "Fake", {}, self.data.ref, signature, 1, time.time())
        model = self.store.models.add(model)
        spec = DeploymentSpec(endpoint, model.name, model.version, name)
        gate = Job(new_id(), JobKind.GATE, JobState.QUEUED, "gate", "proof", GateSpec(endpoint, name), time.time())
        transactions.deploy(self.store, spec, gate, time.time(), create=None)

    # Who does it

    def jobs(self) -> Jobs:
        return Jobs(self.store, self.settings, command=FAKE_WORKER)

    def reconciler(self) -> Callable[[], None]:
        """One round of the service over runs and jobs, each time it is called."""
        jobs, runs = self.jobs(), Runs(self.store, self.settings)

        def tick() -> None:
            runs.tick()
            jobs.tick()

        return tick

    def supervisor(
        self, clock: Callable[[], float] = time.monotonic, server: Sequence[str] = FAKE_SERVER
    ) -> Supervisor:
        return Supervisor(self.store, self.settings, command=server, clock=clock)

    def start_service(self) -> Process:
        """Start the service over the fakes and wait until the store says that it runs."""
        service = self.spawn_service()
        wait_until(lambda: self.status_pid() == service.pid, 20)
        return service

    def spawn_service(self) -> Process:
        """Start the service over the fakes, which may die before it can be seen."""
        environ = processes.environment(self.settings)
        return processes.spawn(FAKE_SERVICE, log=self.paths.service_log, environ=environ)

    def status_pid(self) -> int | None:
        return status(self.settings).pid

    def enough(self, job_id: str) -> None:
        """Let the fake engine end its search."""
        self.paths.job(job_id).mkdir(parents=True, exist_ok=True)
        (self.paths.job(job_id) / "enough").touch()

    def attempt(self, job_id: str, points: Path) -> int | None:
        """One attempt at a job by a process of its own, in which the points armed in that folder kill.

        Its exit code, negative for the signal that ended it.
        """
        self.store.jobs.start_attempt(job_id, time.time())
        worker = FORKS.Process(target=_attempt, args=(job_id, self.settings, str(points)))
        with another_main():  # ours may be a page that a test has drawn, which a process cannot import
            worker.start()
        worker.join(60)
        return worker.exitcode

    def run_here(self, job_id: str, *, started_s_ago: float = 0.0) -> Job:
        """Do a job in this process, as its worker would, which was so long in starting."""
        self.store.jobs.start_attempt(job_id, time.time() - started_s_ago)
        tools = Tools(engines=FakeEngine, executors=lambda _, __: InProcessExecutor(train), package=package)
        run_job(job_id, open_local(self.settings), tools=tools)
        return self.job(job_id)

    # What is seen

    def job(self, job_id: str) -> Job:
        return self.store.jobs.get(job_id)

    def endpoint(self, name: str) -> Endpoint:
        return self.store.endpoints.get(name)

    def worker(self, job_id: str) -> Process:
        """The job's living worker, as soon as there is one."""
        return wait_until(lambda: living(self.store.jobs.worker(job_id)), 20)

    def server(self, name: str) -> Process:
        """The endpoint's living server, as soon as there is one."""
        return wait_until(lambda: living(self.store.endpoints.server(name)), 20)

    def close(self) -> None:
        """End everything that was started here."""
        service = service_process(self.store)
        if service is not None:
            processes.signal_group(service, signal.SIGKILL)
        workers = [self.store.jobs.worker(job.id) for job in self.store.jobs.of_workers(JobState.RUNNING)]
        servers = [self.store.endpoints.server(endpoint.name) for endpoint in self.store.endpoints.list()]
        others = [process for process in (*workers, *servers) if process and process.pid != os.getpid()]
        processes.end_groups(others, 0.0)
        self.store.close()


def living(process: Process | None) -> Process | None:
    return process if process is not None and processes.alive(process) else None


def kill(process: Process) -> None:
    """kill -9 of this one process, and wait until it is gone."""
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not processes.alive(process), 10)


def ticking(tick: Callable[[], None], look: Callable[[], object]) -> Callable[[], object]:
    """`look` after one more round of the service."""

    def once() -> object:
        tick()
        return look()

    return once
