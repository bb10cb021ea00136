"""A workspace that an earlier Slipway has made, in another place: it is opened, read, and serves as before."""

import json
import sqlite3
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import living
import pytest
from turns import on_day
from waiting import wait_until

from core.domain.batch import BatchSpec
from core.domain.data import DataRef
from core.domain.endpoint import DeploymentSpec, EndpointState, GateState
from core.domain.job import JobKind, JobState
from core.domain.names import reference
from core.domain.run import StepState
from core.local.machine import ports
from core.local.paths import Paths
from core.local.workspace import open_local
from core.settings import read_settings
from core.workspace import Workspace

ARCHIVES = sorted((Path(__file__).parents[1] / "old_workspaces").glob("*.tar.xz"))
ALL_TIME_S = 1e9


@dataclass(frozen=True)
class Old:
    """An unpacked workspace, and what was true of it when it was packed."""

    workspace: Workspace
    facts: dict[str, Any]

    @property
    def home(self) -> Path:
        return self.workspace.settings.home


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Old]:
    place = tmp_path / "elsewhere"
    with tarfile.open(request.param) as packed:
        packed.extractall(place, filter="data")
    home = place / "home"
    on_free_ports(home)
    # Its records are older than most settings keep any.
    environ = {"SLIPWAY_HOME": str(home), "SLIPWAY_OFFLINE": "1", "SLIPWAY_RECORDS_MAX_DAYS": "100000"}
    try:
        yield Old(open_local(read_settings(environ)), json.loads((place / "facts.json").read_text("utf-8")))
    finally:
        living.close(home)


def on_free_ports(home: Path) -> None:
    """The ports of the machine that it was made on may be taken on this one."""
    with sqlite3.connect(home / "slipway.db") as db, ports.listen(0, "a test") as free:
        db.execute("UPDATE endpoints SET port = ?", (free.getsockname()[1],))
        db.execute("DELETE FROM facts WHERE key = 'service_port'")
    db.close()


def test_all_that_it_kept_is_read(old: Old) -> None:
    workspace, facts = old.workspace, old.facts
    asset = workspace.data.get(DataRef(facts["data"]))
    assert (asset.sha256, asset.rows, list(asset.columns)) == (facts["sha256"], facts["rows"], facts["columns"])
    assert asset in workspace.data.list()
    assert [column.name for column in workspace.data.profile(asset.ref, "kauft").columns] == facts["columns"]
    assert workspace.data.sample(asset.ref, 2).rows[0][2] == "Köln"
    lineage = workspace.data.lineage(asset.ref)
    assert f"{facts['model']}:1" in lineage.models
    assert f"{facts['endpoint']}/{facts['deployment']}" in lineage.deployments
    assert [job.id for job in workspace.jobs.list()] == facts["jobs"]
    assert all(workspace.jobs.logs(job) for job in facts["jobs"])
    assert len(workspace.jobs.trials(facts["job"])) == facts["trials"]
    assert [model.ref for model in workspace.models.list()] == facts["models"]


def test_its_proofs_runs_and_records_are_read(old: Old) -> None:
    workspace, facts = old.workspace, old.facts
    (endpoint,) = workspace.endpoints.list()
    assert (endpoint.description, endpoint.traffic) == ("Für alle Kunden", {facts["deployment"]: 100})
    (gate,) = workspace.proofs.gate_reports(facts["endpoint"])
    assert gate.passed
    assert len(workspace.proofs.gate_progress(gate.id).checks) == len(gate.checks)
    (load,) = workspace.proofs.load_reports(endpoint=facts["endpoint"])
    assert load.id == facts["load"]
    (pipeline,) = workspace.pipelines.list()
    assert pipeline.id == facts["pipeline"]
    (run,) = workspace.pipelines.list_runs(pipeline.id)
    assert (run.id, run.number, run.state, run.steps_done) == (facts["run"], 1, JobState.SUCCEEDED, 3)
    steps = workspace.pipelines.get_run(run.id).steps
    assert [step.state for step in steps] == [StepState.SUCCEEDED] * 3
    assert workspace.jobs.get(steps[1].started_job_id).kind is JobKind.AUTOML
    assert workspace.models.get(*reference(steps[2].outputs["model"])).job_id == steps[1].started_job_id
    assert workspace.data.get(DataRef(*reference(steps[0].outputs["data"]))).rows == steps[0].outputs["rows"]
    assert workspace.records.telemetry(facts["endpoint"], ALL_TIME_S, origin=None).requests == facts["requests"]
    assert workspace.records.requests(facts["endpoint"])
    for batch in facts["batches"]:
        with workspace.jobs.open_output(batch) as file:
            assert len(file.readlines()) == facts["rows"] + 1
    folder = workspace.models.package(facts["model"], 1, old.home.parent / "packaged")
    assert (folder / "card.json").exists()


@on_day(1, 3)
def test_it_serves_as_before_and_goes_on(old: Old) -> None:
    workspace, facts = old.workspace, old.facts
    name, body = facts["endpoint"], facts["body"].encode()
    workspace.service.start()
    wait_until(lambda: workspace.endpoints.get(name).state is EndpointState.READY, 120)
    found, before = workspace.endpoints.invoke(name, body).body["Results"], facts["reply"]["Results"]
    # The trees of a model are added up in another order since 0.7.0, which may change the last digit.
    assert found == [pytest.approx(row, abs=1e-12) for row in before]
    data = DataRef(facts["data"], 1)
    batch = workspace.jobs.submit(BatchSpec(name, data.name, data.version))
    workspace.endpoints.deploy(DeploymentSpec(name, facts["model"], 1, "again"))
    ended = wait_until(lambda: job if (job := workspace.jobs.get(batch.id)).state.final else None, 120)
    assert (ended.state, ended.result.rows) == (JobState.SUCCEEDED, facts["rows"])
    again = wait_until(
        lambda: workspace.endpoints.get(name).deployments[-1].gate.final and workspace.endpoints.get(name), 120
    )
    assert {d.name: d.gate for d in again.deployments}["again"] is GateState.PASSED
    assert workspace.models.register(facts["model"], facts["job"]).version == 1
    assert str(old.home) in Paths(old.home).endpoint_file(name).read_text("utf-8")
