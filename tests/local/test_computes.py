"""What runs the trials of a training, as its compute says."""

import sys
from collections.abc import Iterator
from pathlib import Path

import backends
import pytest

from core.cli.main import main
from core.domain.compute import Compute, ExecutorKind
from core.domain.errors import ServiceUnavailable, SpecInvalid
from core.domain.job import JobState
from core.domain.training import Algorithm, TrainingSpec
from core.local.machine.ports import listen
from core.local.paths import Paths
from core.local.store import Store
from core.local.worker import ray_executor
from core.local.worker.executors import ProcessExecutor
from core.local.worker.run import run_job
from core.local.worker.tools import local_executor
from core.ml.executor import InProcessExecutor
from core.workspace import Workspace

SPEC = TrainingSpec("people", "bought", max_trials=1)
RAY = Compute("cluster", executor=ExecutorKind.RAY)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = backends.MAKE["local"](tmp_path / "home")
    lines = ["age,red,bought", *(f"{20 + n * 7 % 50},{n % 3},{'yes' if n * 7 % 50 > 25 else 'no'}" for n in range(60))]
    (tmp_path / "people.csv").write_text("\n".join(lines) + "\n")
    made.data.register("people", str(tmp_path / "people.csv"))
    return made


def wanted(workspace: Workspace, compute: str) -> TrainingSpec:
    return TrainingSpec(
        workspace.data.list()[0].ref, "bought", compute=compute, max_trials=1, n_cross_validations=2,
        allowed_training_algorithms=(Algorithm.LOGISTIC_REGRESSION,),
    )  # fmt: skip


def test_trials_run_in_processes_unless_the_compute_says_otherwise():
    assert isinstance(local_executor(Compute("usual"), SPEC), ProcessExecutor)
    here = local_executor(Compute("here", executor=ExecutorKind.IN_PROCESS, threads=3), SPEC)
    assert isinstance(here, InProcessExecutor)
    assert here.threads == 3


def test_a_training_runs_through_the_executor_of_its_compute(workspace, monkeypatch):
    workspace.computes.create(Compute("here", executor=ExecutorKind.IN_PROCESS))
    monkeypatch.setattr(ProcessExecutor, "run", None)
    job = workspace.jobs.submit(wanted(workspace, "here"))
    store = Store(Paths(workspace.settings.home).store)
    store.jobs.start_attempt(job.id, 1.0)
    run_job(job.id, workspace)
    store.close()
    assert workspace.jobs.get(job.id).state is JobState.SUCCEEDED


def test_without_ray_a_training_on_it_is_refused_when_it_is_submitted(workspace, monkeypatch):
    workspace.computes.create(RAY)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SpecInvalid, match="runs trials on Ray, which is not installed") as refused:
        workspace.jobs.submit(wanted(workspace, "cluster"))
    assert "pip install ray" in refused.value.hint
    assert workspace.jobs.list() == ()


def test_an_address_where_nobody_listens_is_said_at_once():
    class Ray:
        """Its own search for a cluster would go on for minutes."""

    with listen(0, "a cluster that has ended") as there:
        address = f"127.0.0.1:{there.getsockname()[1]}"
    executor = object.__new__(ray_executor.RayExecutor)
    executor._ray = Ray()
    with pytest.raises(ServiceUnavailable, match=f"could not reach the Ray cluster at '{address}'"):
        executor._connect(address, 1)


def test_the_command_line_chooses_the_executor_of_a_compute(tmp_path, capsys):
    home = ["--home", str(tmp_path / "home")]
    assert main(["compute", "create", "big", "--executor", "ray", "--ray-address", "10.0.0.7:6379", *home]) == 0
    assert main(["compute", "list", "--json", *home]) == 0
    told = capsys.readouterr().out
    assert '"executor":"ray","ray_address":"10.0.0.7:6379"' in told.replace(": ", ":").replace(", ", ",")
    assert main(["compute", "create", "big", "--ray-address", "10.0.0.7:6379", *home]) == 2


@pytest.mark.parametrize("address", ["nowhere", "ray://head:10001", "head:", ":6379", "head:6379/x", "a b:1"])
def test_an_address_that_no_cluster_has_is_refused(address):
    with pytest.raises(SpecInvalid, match=r"expected HOST:PORT or 'auto'"):
        Compute("cluster", executor=ExecutorKind.RAY, ray_address=address)


@pytest.mark.parametrize("address", ["", "auto", "head:6379", "10.0.0.7:6379", "[::1]:6379"])
def test_the_address_of_a_cluster_is_its_host_and_port(address):
    assert Compute("cluster", executor=ExecutorKind.RAY, ray_address=address).ray_address == address
