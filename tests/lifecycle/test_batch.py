"""A whole table scored through the live endpoint, by a job that can be killed."""

import csv
import json
import re

import pytest
from living import alive_in
from waiting import wait_until

from core.cli.main import main
from core.domain.batch import BatchSpec
from core.domain.data import DataRef
from core.domain.errors import Conflict, TableUnusable
from core.domain.job import JobState
from core.local.workspace import open_local
from core.settings import read_settings


@pytest.fixture(scope="module")
def workspace(quickstart):
    return open_local(read_settings({"SLIPWAY_HOME": str(quickstart.home), "SLIPWAY_OFFLINE": "1"}))


@pytest.fixture(scope="module")
def people(workspace, tmp_path_factory):
    """Some real rows, one of which has a category that nobody has, and none of which has a target."""
    sample = workspace.data.sample(DataRef("bankmarketing_train"), rows=40)
    rows = [dict(zip(sample.columns, row, strict=True)) for row in sample.rows]
    rows[7]["job"] = "astronaut"
    path = tmp_path_factory.mktemp("batch") / "people.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [name for name in sample.columns if name != "y"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return workspace.data.register("batch-people", str(path)).ref


def test_every_row_is_scored_and_a_refused_one_says_why(quickstart, people, tmp_path, capsys):
    line = f"endpoint batch {quickstart.endpoint} {people.name} -o {tmp_path}/scored.csv --json"
    assert main([*line.split(), "--home", str(quickstart.home)]) == 0
    result = json.loads(capsys.readouterr().out)["result"]
    assert (result["rows"], result["scored"], result["refused"]) == (40, 39, 1)
    rows = list(csv.DictReader((tmp_path / "scored.csv").open()))
    assert [row["problem"] != "" for row in rows] == [at == 7 for at in range(40)]
    assert rows[7]["problem"].startswith("job: ")
    assert {row["prediction"] for row in rows} <= {"yes", "no", ""}
    sums = [float(row["probability_no"]) + float(row["probability_yes"]) for row in rows if not row["problem"]]
    assert sums == pytest.approx([1.0] * 39)
    assert rows[0]["age"]


def test_a_table_of_more_rows_than_a_request_may_have_is_scored_all_the_same(quickstart, workspace, people):
    limits = workspace.endpoints.get(quickstart.endpoint).limits
    try:
        workspace.endpoints.update(quickstart.endpoint, {"max_rows": 3})
        wait_until(lambda: workspace.endpoints.get(quickstart.endpoint).settled, 10)
        job = workspace.jobs.submit(BatchSpec(quickstart.endpoint, people.name))
        wait_until(lambda: workspace.jobs.get(job.id).state.final, 60)
    finally:
        workspace.endpoints.update(quickstart.endpoint, {"max_rows": limits.max_rows})
        wait_until(lambda: workspace.endpoints.get(quickstart.endpoint).settled, 10)
    ended = workspace.jobs.get(job.id)
    assert (ended.message, ended.result.scored, ended.result.refused) == ("", 39, 1)


def test_how_to_get_the_scored_table_stands_in_the_refusal_to_write_it_where_it_cannot_be(
    quickstart, people, tmp_path, capsys
):
    line, home = f"endpoint batch {quickstart.endpoint} {people.name} -o {tmp_path}", ["--home", str(quickstart.home)]
    assert main([*line.split(), *home]) == 2
    told = capsys.readouterr().err
    assert f"Cannot write '{tmp_path}': Is a directory" in told
    command = re.search(r"The scored table is kept: `(job output \S+) FILE` writes it", told)[1]
    assert main([*command.split(), str(tmp_path / "scored.csv"), *home]) == 0
    assert len((tmp_path / "scored.csv").read_text("utf-8").splitlines()) == 41


def test_a_batch_job_that_was_killed_ends_all_the_same(quickstart, workspace):
    job = workspace.jobs.submit(BatchSpec(quickstart.endpoint, "bankmarketing_train"))
    chunks = quickstart.home / "jobs" / job.id / "chunks"
    wait_until(lambda: len(list(chunks.glob("*.json"))) >= 2, 60)
    with pytest.raises(Conflict, match="has no file"):
        workspace.jobs.open_output(job.id)
    (worker,) = [process for process in alive_in(quickstart.home) if job.id in process.cmdline()]
    worker.kill()
    wait_until(lambda: workspace.jobs.get(job.id).state.final, 120)
    ended = workspace.jobs.get(job.id)
    assert (ended.state, ended.attempt, ended.message) == (JobState.SUCCEEDED, 2, "")
    with workspace.jobs.open_output(job.id) as file:
        assert sum(1 for _ in file) == ended.result.rows + 1
    assert ended.result.refused == 0


def test_a_table_without_the_models_columns_is_refused_and_they_are_named(quickstart, workspace, tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n3,4\n")
    workspace.data.register("batch-other", str(tmp_path / "other.csv"))
    with pytest.raises(TableUnusable, match=r"lacks .* columns that the model reads: age"):
        workspace.jobs.submit(BatchSpec(quickstart.endpoint, "batch-other"))
