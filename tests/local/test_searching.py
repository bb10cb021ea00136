"""Requests are found by what is known of them, in whatever form their file is."""

import json

import duckdb
import pytest

from core.domain.monitoring import Origin, RequestQuery
from core.local.records import merging
from core.local.records.merging import Merging
from core.local.records.search import search

UUID, TRACE = "018f2f3e-5a7b-4c3d-9e1f-a0b1c2d3e4f5", "0af7651916cd43dd8448eb211c80319c"
FIELDS = {"deployment": "v1", "status": 200, "rows": 1, "elapsed_ms": 1.0, "run_ms": 0.5, "bytes_in": 3, "bytes_out": 4}
SENT = [
    {"at": 10.0, "request_id": UUID, "trace_id": TRACE, "elapsed_ms": 7.25},
    {"at": 20.0, "request_id": "order-17", "client_request_id": UUID.replace("018f", "118f"), "status": 424,
     "problem": "ModelFailed"},
    {"at": 4000.0, "request_id": UUID.upper(), "elapsed_ms": 99.0, "status": 400, "problem": "PayloadInvalid"},
    {"at": 90_000.0, "request_id": "order-18", "deployment": "v2", "elapsed_ms": 3.0},
    {"at": 90_001.0, "request_id": "x'; DROP TABLE r; --", "deployment": "v2", "origin": "batch"},
    {"at": 90_002.0, "request_id": "copy", "deployment": "v2", "mirrored": True},
]  # fmt: skip
TEXTS = ("request_id", "client_request_id", "trace_id", "deployment", "problem", "origin")
BEFORE = (
    dict.fromkeys(("at", "elapsed_ms", "run_ms"), "DOUBLE")
    | dict.fromkeys(TEXTS, "VARCHAR")
    | dict.fromkeys(("status", "rows", "bytes_in", "bytes_out"), "BIGINT")
    | {"mirrored": "BOOLEAN"}
)
FOUND = {
    UUID: [10.0],
    UUID[:1]: [4000.0, 10.0],
    UUID[:20]: [10.0],
    UUID.upper(): [4000.0],
    TRACE: [10.0],
    TRACE[:9]: [10.0],
    "118f2f3e-": [20.0],
    "order-1": [90_000.0, 20.0],
    "order-18": [90_000.0],
    "x'; DROP": [],
    "copy": [],
    "018f2f3e-5a7b-4c3d-9e1f-a0b1c2d3e4f5-and-more": [],
    "%": [],
}


def as_lines(folder):
    (folder / "seg-10000-99-1.jsonl").write_text("".join(json.dumps(FIELDS | each) + "\n" for each in SENT))


def merged(folder):
    as_lines(folder)
    assert Merging(folder, merging.REQUESTS, now=100_000.0).run(alive=lambda segment: False) == 1


def as_before(folder):
    """As Slipway 0.7 merged them."""
    as_lines(folder)
    (lines,) = folder.glob("seg-*")
    columns = ", ".join(f"\"{name}\": '{kind}'" for name, kind in BEFORE.items())
    read = f"read_json('{lines}', format = 'newline_delimited', columns = {{{columns}}})"
    duckdb.sql(f"COPY (SELECT * FROM {read}) TO '{folder}/rec-10000-90002000-0000abcd.parquet' (FORMAT parquet)")
    lines.unlink()


def renewed(folder):
    as_before(folder)
    Merging(folder, merging.REQUESTS, now=100_000.0).run(alive=lambda segment: False)
    assert [path.name.partition(".")[2] for path in folder.glob("rec-*.parquet")] == ["2.parquet"]


@pytest.fixture(params=[as_lines, merged, as_before, renewed])
def folder(request, tmp_path):
    request.param(tmp_path)
    return tmp_path


def times(found):
    return [record.at for record in found]


def test_a_request_is_found_by_each_of_its_ids_and_by_what_they_begin_with(folder):
    assert {text: times(search(folder, RequestQuery(text=text))) for text in FOUND} == FOUND


def test_every_field_comes_back_as_it_was_sent(folder):
    (first,) = search(folder, RequestQuery(text=UUID))
    assert (first.request_id, first.trace_id, first.client_request_id) == (UUID, TRACE, "")
    assert (first.at, first.elapsed_ms, first.run_ms, first.rows) == (10.0, 7.25, 0.5, 1)
    (second,) = search(folder, RequestQuery(statuses=(424,)))
    assert (second.request_id, second.problem, second.origin) == ("order-17", "ModelFailed", Origin.CLIENT)
    assert second.client_request_id == UUID.replace("018f", "118f")


def test_a_query_asks_for_everything_that_is_given(folder):
    assert times(search(folder, RequestQuery())) == [90_000.0, 4000.0, 20.0, 10.0]
    assert times(search(folder, RequestQuery(limit=2))) == [90_000.0, 4000.0]
    assert times(search(folder, RequestQuery(), origin=None)) == [90_001.0, 90_000.0, 4000.0, 20.0, 10.0]
    assert times(search(folder, RequestQuery(deployment="v1", statuses=(200, 400)))) == [4000.0, 10.0]
    assert times(search(folder, RequestQuery(problem="PayloadInvalid"))) == [4000.0]
    assert times(search(folder, RequestQuery(since=20.0, until=90_000.0))) == [4000.0, 20.0]
    assert times(search(folder, RequestQuery(text="order", deployment="v2"))) == [90_000.0]
    assert times(search(folder, RequestQuery(), until=30.0)) == [20.0, 10.0]


def test_the_slowest_come_first(folder):
    assert times(search(folder, RequestQuery(slowest=True, limit=3))) == [4000.0, 10.0, 90_000.0]
    assert times(search(folder, RequestQuery(slowest=True, until=4000.0, limit=1))) == [10.0]
