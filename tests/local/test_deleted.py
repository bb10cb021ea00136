"""Deleting a data version: whoever dies meanwhile, its files go after its row, and a row never lacks its files."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from local_world import World

from core.domain.data import DataAsset, DataRef
from core.domain.errors import DataNotFound
from core.domain.training import TrainingSpec
from core.local.deleted import sweep
from core.local.machine import failpoints
from core.local.machine.failpoints import Failpoint, arm
from core.local.paths import Paths
from core.local.store.data import Data
from core.local.workspace import open_local


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("age,y\n1,yes\n2,no\n3,no\n")
    return path


def folders(world: World) -> list[Path]:
    return [path for kind in ("data/people", "incoming") for path in (world.settings.home / kind).glob("*")]


@pytest.mark.parametrize("point", [Failpoint.DATA_DELETED, Failpoint.DATA_MOVED], ids=str)
def test_who_dies_while_deleting_leaves_no_row_without_files(
    world: World, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: Failpoint
) -> None:
    workspace = open_local(world.settings)
    workspace.data.register("people", str(table))
    monkeypatch.setenv(failpoints.VARIABLE, str(tmp_path / "points"))
    arm(tmp_path / "points", point)
    if (child := os.fork()) == 0:
        open_local(world.settings).data.delete(DataRef("people"))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert [asset.name for asset in workspace.data.list()] == ["t"], "the world's own"
    again = workspace.data.register("people", str(table))
    assert (again.version, workspace.data.sample(again.ref).rows[0]) == (2, (1, "yes"))
    sweep(world.store, Paths(world.settings.home), lambda: 1.0)
    assert workspace.data.sample(again.ref).rows[0] == (1, "yes"), "another row's files are left alone"
    workspace.data.delete(again.ref)
    assert not (world.settings.home / "data" / "people").exists() or not any(
        (world.settings.home / "data" / "people").iterdir()
    )
    assert world.store.data.deleted() == ()


def test_what_a_killed_process_has_left_is_removed_when_the_service_starts(
    world: World, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = open_local(world.settings).data.register("people", str(table))
    world.store.data.delete(asset)
    assert len(folders(world)) == 1
    sweep(world.store, Paths(world.settings.home), lambda: 1.0)
    assert folders(world) == []


@pytest.mark.parametrize("ask", ["profile", "sample", "submit"])
def test_a_table_that_is_deleted_while_it_is_read_is_not_there(
    world: World, table: Path, monkeypatch: pytest.MonkeyPatch, ask: str
) -> None:
    workspace = open_local(world.settings)
    ref = workspace.data.register("people", str(table)).ref
    get, deleter, asked = Data.get, open_local(world.settings), []

    def found(data: Data, wanted: DataRef) -> DataAsset:
        asset = get(data, wanted)
        if not asked:
            asked.append(wanted)
            deleter.data.delete(ref)
        return asset

    monkeypatch.setattr(Data, "get", found)
    with pytest.raises(DataNotFound, match="There is no data asset 'people:1'"):
        workspace.jobs.submit(TrainingSpec(ref, "y")) if ask == "submit" else getattr(workspace.data, ask)(ref)
    assert workspace.jobs.list() == ()


def test_two_uploads_of_the_same_bytes_at_once_are_one_version(world: World) -> None:
    table = b"age,y\n" + b"".join(f"{i},{'yes' if i % 2 else 'no'}\n".encode() for i in range(500))
    upload = open_local(world.settings).data.upload
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(upload, "people", f"{name}.csv", BytesIO(table)) for name in "ab"]
    first, second = (each.result() for each in asked)
    assert (first, first.version, first.origin in ("a.csv", "b.csv")) == (second, 1, True)
    assert open_local(world.settings).data.sample(first.ref, 1).rows == ((0, "no"),)
