"""A workspace works in a folder of any name, reads nothing of those beside it, and says so where it cannot work."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.cli.main import main
from core.domain.data import DataRef
from core.domain.endpoint import EndpointKeys, EndpointSpec
from core.domain.monitoring import Origin
from core.local.paths import Paths
from core.local.records import merging
from core.local.records.merging import Merging
from core.local.store import Store
from core.local.workspace import open_local
from core.ml.data.table import open_table
from core.settings import read_settings
from core.workspace import Workspace

HOMES = ['it\'s "quoted" käse #50%25', "a[12]", "a*?{1,2}", "env=prod", "back\\slash"]
AGES = (31, 42, 53)


@pytest.fixture(params=HOMES)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder of an odd name, with the folders beside it that its name would stand for as a pattern."""
    for other in ("a1", "a2", "ax"):
        (tmp_path / other).mkdir()
    return tmp_path / request.param


def workspace_in(home: Path) -> Workspace:
    return open_local(read_settings({"SLIPWAY_OFFLINE": "1"}, home=str(home)))


def written(folder: Path, kind: str) -> Path:
    """The same table as CSV, as JSON lines, as Parquet."""
    path = folder / f"table.{kind}"
    if kind == "csv":
        path.write_text("age,name\n" + "".join(f"{age},p{age}\n" for age in AGES))
    elif kind == "jsonl":
        path.write_text("".join(json.dumps({"age": age, "name": f"p{age}"}) + "\n" for age in AGES))
    else:
        pq.write_table(pa.table({"age": AGES, "name": [f"p{age}" for age in AGES]}), path)
    return path


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_table_is_registered_profiled_and_read(home: Path, tmp_path: Path, kind: str) -> None:
    workspace = workspace_in(home)
    home.mkdir(exist_ok=True)
    asset = workspace.data.register("people", str(written(home, kind)))  # the table lies in such a folder, too
    assert asset.columns == ("age", "name")
    assert [column.name for column in workspace.data.profile(asset.ref).columns] == ["age", "name"]
    assert workspace.data.sample(asset.ref).columns == ("age", "name")
    assert workspace.data.sample(DataRef("people")).rows == tuple((age, f"p{age}") for age in AGES)
    with open_table(Paths(home).table(asset.name, asset.content_id)) as table:
        kinds = {column.name: column.kind for column in workspace.data.profile(asset.ref).columns}
        assert [value for value, _ in table.counts("age", kinds["age"], 9)] == list(AGES)


def segment(folder: Path, number: int, *ats: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [{"at": at, "request_id": f"r{at}", "status": 200, "rows": 1, "elapsed_ms": 1.0} for at in ats]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / f"seg-{ats[0] * 1000:.0f}-999999999-{number}.jsonl").write_text(text)


def test_records_are_its_own_before_and_after_they_are_merged(home: Path, tmp_path: Path) -> None:
    now = float(int(time.time()))
    Store(Paths(home).store).endpoints.add(EndpointSpec("bank"), 1, EndpointKeys("k1", "k2"), now)
    workspace, folder = workspace_in(home), Paths(home).telemetry("bank")
    segment(folder, 1, now - 20, now - 19)
    segment(folder, 2, now - 10)
    for other in ("a1", "a2", "ax"):
        segment(Paths(tmp_path / other).telemetry("bank"), 1, now - 20, now - 19, now - 18)
    for _ in range(2):
        assert workspace.records.telemetry("bank", origin=Origin.CLIENT).requests == 3
        assert [round(now - request.at) for request in workspace.records.requests("bank")] == [10, 19, 20]
        assert Merging(folder, merging.REQUESTS, now=now).run(alive=lambda segment: False) in (2, 0)
    assert not list(folder.glob("*.jsonl"))


def a_file(home: Path) -> None:
    home.write_text("")


def below_a_file(home: Path) -> None:
    home.parent.write_text("")


def with_a_store_of_somebody_else(home: Path) -> None:
    home.mkdir(parents=True)
    Paths(home).store.write_text("a note, and no database at all; " * 9)


def with_a_folder_for_a_store(home: Path) -> None:
    Paths(home).store.mkdir(parents=True)


def with_a_file_in_the_way(home: Path) -> None:
    home.mkdir(parents=True)
    Paths(home).incoming.write_text("")


NO_HOMES = [a_file, below_a_file, with_a_store_of_somebody_else, with_a_folder_for_a_store]


@pytest.mark.parametrize("make", NO_HOMES, ids=lambda make: make.__name__)
@pytest.mark.parametrize("line", ["data list", "data register table.csv", "service start"])
def test_a_folder_in_which_it_cannot_work_is_a_sentence_and_no_bug(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None], line: str
) -> None:
    home = tmp_path / "folder" / "home" if make is not below_a_file else tmp_path / "file" / "home"
    if make is a_file:
        home.parent.mkdir()
    make(home)
    words = [str(written(tmp_path, "csv")) if word == "table.csv" else word for word in line.split()]
    assert main([*words, "--home", str(home)]) == 1
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert "SLIPWAY_HOME" in told


def test_a_file_where_a_folder_of_ours_belongs_is_a_sentence_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_a_file_in_the_way(tmp_path / "home")
    assert main(["data", "register", str(written(tmp_path, "csv")), "--home", str(tmp_path / "home")]) == 1
    assert "Traceback" not in capsys.readouterr().err
