"""A workspace's folder is moved, as people move folders: nothing in it knows where it was."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import living
import pytest
from tables import customers, write_table
from turns import on_day
from waiting import wait_until

from core.domain.batch import BatchSpec
from core.domain.data import DataRef
from core.domain.endpoint import DeploymentSpec, EndpointSpec, EndpointState
from core.domain.job import Job, JobState
from core.domain.training import TrainingSpec
from core.settings import read_settings
from core.workspace import Workspace, open_workspace

NOT_KEPT = (".log", "log.jsonl", "endpoint.json")
"""What was said, and what is written anew when the service starts."""
BODY = json.dumps({"data": [{"age": 40, "job": "pilot", "balance": 900.5, "member": True}]}).encode()


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    before, after = tmp_path / "before-it-was-moved", tmp_path / "after"
    try:
        yield before, after
    finally:
        for home in (before, after):
            if home.exists():
                living.close(home)


def opened(home: Path) -> Workspace:
    return open_workspace(read_settings(living.environment(home)))


def ended(workspace: Workspace, job_id: str) -> Job:
    job = wait_until(lambda: job if (job := workspace.jobs.get(job_id)).state.final else None, 180)
    assert job.state is JobState.SUCCEEDED, job
    return job


def serving(workspace: Workspace) -> bool:
    return (
        workspace.endpoints.get("people").state is EndpointState.READY
        and workspace.endpoints.invoke("people", BODY).status == 200
    )


def made(workspace: Workspace, table: Path) -> str:
    """A model behind an endpoint, a batch scored; the batch's id."""
    workspace.service.start()
    data = workspace.data.register("people", str(table)).ref
    job = ended(workspace, workspace.jobs.submit(TrainingSpec(data, "answer", 5, max_trials=1)).id)
    model = workspace.models.register("people", job.id)
    workspace.endpoints.create(EndpointSpec("people"))
    workspace.endpoints.deploy(DeploymentSpec("people", model.name, model.version, "v1"))
    workspace.endpoints.set_traffic("people", {"v1": 100}, force=True, by="test")
    wait_until(lambda: serving(workspace), 120)
    return ended(workspace, workspace.jobs.submit(BatchSpec("people", data.name, data.version)).id).id


def scored_in(workspace: Workspace, batch: str) -> bytes:
    with workspace.jobs.open_output(batch) as file:
        return file.read()


def naming(home: Path, place: Path) -> list[str]:
    """Every table of the store and every file in `home` that speaks of `place`."""
    with closing(sqlite3.connect(home / "slipway.db")) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows: list[tuple[str, Any]] = [(t, row) for t in tables for row in db.execute(f"SELECT * FROM {t}")]
    found = {table for table, row in rows if str(place) in str(row)}
    files = [path for path in home.rglob("*") if path.is_file() and not path.name.endswith(NOT_KEPT)]
    return sorted(found | {str(path.relative_to(home)) for path in files if str(place).encode() in path.read_bytes()})


@on_day(2, 3)
def test_a_moved_workspace_works_and_serves(homes: tuple[Path, Path], tmp_path: Path) -> None:
    before, after = homes
    table = write_table(tmp_path / "people.parquet", customers())
    batch = made(opened(before), table)
    reply, scored = opened(before).endpoints.invoke("people", BODY).body, scored_in(opened(before), batch)
    living.close(before)
    before.rename(after)
    assert naming(after, before) == []
    workspace = opened(after)
    workspace.service.start()
    wait_until(lambda: serving(workspace), 120)
    assert workspace.endpoints.invoke("people", BODY).body == reply
    assert scored_in(workspace, batch) == scored
    assert workspace.data.sample(DataRef("people"), 1).rows
    assert workspace.data.profile(DataRef("people"), "answer").rows == 400
    assert ended(workspace, workspace.jobs.submit(BatchSpec("people", "people", 1)).id).result.rows == 400
    assert workspace.models.package("people", 1, tmp_path / "packaged").is_dir()
