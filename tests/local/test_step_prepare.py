"""The step that registers a table: which table a text means, and rows that are kept from every training."""

import gzip
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from local_world import World
from step_runs import run_step

from core.domain.data import DataRef
from core.domain.names import reference
from core.domain.pipeline import StepKind, ValueType
from core.domain.run import Artifact, StepRun, StepState
from core.local.workspace import open_local

HEADER = "name,Größe,y\n"
LINES = [f"p{i},{i % 40 / 2},{'yes' if i % 3 else 'no'}\n" for i in range(200)]


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(HEADER + "".join(LINES))
    return path


def prepare(world: World, data: object, **settings: object) -> StepRun:
    return run_step(world, StepKind.PREPARE, data=str(data), **settings)


def names(world: World, ref: object) -> list[str]:
    name, _, version = str(ref).partition(":")
    asset = world.store.data.get(DataRef(name, int(version)))
    assert pq.read_metadata(world.paths.table(asset.name, asset.content_id)).num_rows == asset.rows
    return pq.read_table(world.paths.table(asset.name, asset.content_id))["name"].to_pylist()


def test_a_table_is_registered_once_and_the_second_run_has_made_nothing(world: World, people: Path) -> None:
    first, second = prepare(world, people, target="y"), prepare(world, people, target="y")
    assert first.outputs == {"data": "people:1", "rows": 200, "source": "file", "new": True}
    assert second.outputs == {**first.outputs, "new": False}
    assert first.note == "people:1 has 200 rows"
    assert prepare(world, people, name="folks").outputs["data"] == "folks:1"


def test_a_hold_out_makes_two_tables_of_which_the_same_row_is_always_in_the_same(world: World, people: Path) -> None:
    first = prepare(world, people, holdout_pct=20)
    assert (first.outputs["data"], first.outputs["holdout"]) == ("people:1", "people-holdout:1"), first
    kept = names(world, "people-holdout:1")
    assert sorted(kept + names(world, "people:1")) == sorted(line.partition(",")[0] for line in LINES)
    assert 20 <= len(kept) <= 60
    assert (
        first.note == f"people:1 has {200 - len(kept)} rows, and people-holdout:1 the {len(kept)} that no training sees"
    )
    assert prepare(world, people, holdout_pct=20).outputs == {**first.outputs, "new": False}
    people.write_text(HEADER + "q1,3,no\n" + "".join(reversed(LINES)) + LINES[0])
    later = prepare(world, people, holdout_pct=20).outputs
    assert (later["data"], later["holdout"], later["new"]) == ("people:2", "people-holdout:2", True)
    assert set(names(world, "people-holdout:2")) - {"q1"} == set(kept)


def test_a_whole_table_and_its_halves_are_versions_of_their_own(world: World, people: Path) -> None:
    prepare(world, people)
    split = prepare(world, people, holdout_pct=10).outputs
    assert (split["data"], prepare(world, people).outputs["data"]) == ("people:2", "people:1")
    assert prepare(world, people, holdout_pct=20).outputs["data"] == "people:3"
    notes = world.store.data.get(DataRef("people", 2)).notes
    assert [note.text for note in notes] == [
        "Without 10 % of the rows, chosen by what stands in them: they are kept from every training"
    ]


def test_an_uploaded_table_is_found_by_the_name_of_its_asset(world: World) -> None:
    data = open_local(world.settings).data
    for lines in (LINES[:150], LINES):
        data.upload("sent", "people.csv", BytesIO((HEADER + "".join(lines)).encode()))
    assert prepare(world, "sent").outputs == {"data": "sent:2", "rows": 200, "source": "upload", "new": False}
    assert prepare(world, "sent:1").outputs["rows"] == 150
    split = prepare(world, "sent", holdout_pct=20).outputs
    assert (split["data"], split["new"], split["source"]) == ("sent:3", True, "upload")
    assert prepare(world, "sent", holdout_pct=20).outputs["data"] == "sent:3", "the newest whole table, not its half"
    assert prepare(world, "sent:latest", name="copy").outputs["data"] == "copy:1"
    assert names(world, "copy:1") == names(world, "sent:3")


def test_a_table_that_nobody_knows_fails_the_step(world: World, people: Path) -> None:
    assert prepare(world, "nobody").message.startswith("There is no table 'nobody'")
    prepare(world, people)
    assert prepare(world, "people:7").message == "There is no data asset 'people:7'"


def test_a_hold_out_without_a_row_is_said_and_not_given(world: World, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text(HEADER + "".join(LINES[:20]))
    done = prepare(world, tmp_path / "few.csv", holdout_pct=0.001)
    assert "holdout" not in done.outputs
    lines = open_local(world.settings).jobs.logs(done.job_id)
    assert "The hold-out is empty" in " ".join(line.text for line in lines)


def test_a_version_whose_target_cannot_be_learned_was_made_by_the_run_all_the_same(
    world: World, tmp_path: Path
) -> None:
    """Else a schedule that waits for new versions would take it for somebody else's."""
    (tmp_path / "people.csv").write_text(HEADER + "".join(LINES))
    failed = run_step(world, StepKind.PREPARE, data=str(tmp_path / "people.csv"), target="nonsense")
    assert failed.state is StepState.FAILED
    assert failed.why == "ran: first run of this step"
    (run,) = open_local(world.settings).pipelines.list_runs(of=Artifact(ValueType.DATA, "people:1"))
    assert run.made


def test_the_same_bytes_are_not_read_as_a_table_again(world: World, tmp_path: Path) -> None:
    path = tmp_path / "people.csv.gz"
    text = b"age,y\n" + b"".join(b"%d,%s\n" % (20 + i % 12, b"yes" if i % 3 else b"no") for i in range(30))
    path.write_bytes(gzip.compress(text))
    first = run_step(world, StepKind.PREPARE, data=str(path), holdout_pct=20)
    path.write_bytes(gzip.compress(text, 1))
    again = run_step(world, StepKind.PREPARE, data=str(path), holdout_pct=20)
    assert (first.why, first.outputs["new"]) == ("ran: first run of this step", True)
    assert (again.why, again.outputs) == ("reused: same inputs and code as run 1", {**first.outputs, "new": False})
    path.write_bytes(gzip.compress(text + b"70,yes\n"))
    changed = run_step(world, StepKind.PREPARE, data=str(path), holdout_pct=20)
    assert (changed.why, changed.reused_from) == ("ran: its source changed since run 2", "")
    other = run_step(world, StepKind.PREPARE, data=str(path), holdout_pct=30)
    assert other.why == "ran: parameter holdout_pct changed since run 3"
    for output in ("data", "holdout"):
        open_local(world.settings).data.delete(DataRef(*reference(str(changed.outputs[output]))))
    gone = run_step(world, StepKind.PREPARE, data=str(path), holdout_pct=20)
    assert gone.why == "ran: the outputs of run 3 were removed"
