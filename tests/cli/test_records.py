"""What an endpoint did, on the command line: over a real workspace, from segments that its server has left."""

import json
import time

import pytest

from core.cli.main import main
from core.domain.endpoint import EndpointSpec
from core.local.paths import Paths
from core.local.workspace import open_local
from core.settings import read_settings

FIELDS = {"deployment": "v1", "status": 200, "rows": 1, "elapsed_ms": 1.0, "run_ms": 0.5, "bytes_in": 3, "bytes_out": 4}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home, now = tmp_path_factory.mktemp("home"), time.time()
    open_local(read_settings({}, home=str(home))).endpoints.create(EndpointSpec("bank"))
    folder = Paths(home).telemetry("bank")
    folder.mkdir(parents=True)
    sent = [
        {"request_id": "order-1", "elapsed_ms": 9.0},
        {"request_id": "order-2", "status": 424, "problem": "ModelFailed"},
        {"request_id": "order-3", "status": 400, "problem": "PayloadInvalid", "reasons": "required\tage"},
        {"request_id": "order-1", "deployment": "v2", "mirrored": True, "live": "v1", "different_rows": 1,
         "difference_sum": 0.5, "difference_max": 0.5},
    ]  # fmt: skip
    lines = [json.dumps(FIELDS | {"at": now - 60 + number} | each) for number, each in enumerate(sent)]
    (folder / f"seg-{now * 1000:.0f}-99-1.jsonl").write_text("\n".join(lines) + "\n")
    return home


@pytest.fixture
def told(home, capsys):
    def run(line):
        assert main(["--home", str(home), "--json", "endpoint", *line.split()]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def test_requests_are_searched_by_what_is_known_of_them(told):
    def ids(line):
        return [found["request_id"] for found in told(f"search bank {line}")]

    assert ids("") == ["order-3", "order-2", "order-1"]
    assert ids("--slowest --limit 1") == ["order-1"]
    assert ids("order-2") == ids("--status 424 500") == ids("--problem ModelFailed") == ["order-2"]
    assert ids("--window 1") == ids("--deployment v2") == []


def test_failures_refusals_and_disagreement_are_told(told):
    assert [(found["kind"], found["count"]) for found in told("exceptions bank")] == [("ModelFailed", 1)]
    assert [(found["reason"], found["column"]) for found in told("refusals bank")] == [("required", "age")]
    assert [(found["live"], found["mirrored"], found["mean_difference"]) for found in told("disagreement bank")] == [
        ("v1", "v2", 0.5)
    ]


def test_where_nobody_looked_no_availability_is_told(told):
    found = told("availability bank --window 600")
    assert (found["up_s"], found["down_s"], len(found["buckets"])) == (0, 0, 60)


def test_people_get_tables(home, capsys):
    assert main(["--home", str(home), "endpoint", "refusals", "bank"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["reason", "column", "count", "example", "last"]
    assert row.split()[:3] == ["required", "age", "1"]
