"""Readers see every request once, whatever state its segment is in, and open no file that they do not need."""

import json
import os
from itertools import pairwise

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.monitoring import DeploymentTraffic, Origin
from core.local.records import catalog, merging, search, telemetry
from core.local.records.merging import Merging


def record(at, **changes):
    values = {"at": at, "request_id": f"r{at}", "deployment": "v1", "status": 200, "rows": 2, "elapsed_ms": 1.5}
    return json.dumps({**values, "bytes_in": 3, "bytes_out": 4, "problem": "", "mirrored": False, **changes}) + "\n"


def merge(folder, *, alive=True, now=100.0):
    return Merging(folder, merging.REQUESTS, now=now).run(alive=lambda segment: alive)


def read_files(folder, since, until):
    return [path.name for path in catalog.look(folder).within(since, until)]


@pytest.fixture
def segments(tmp_path):
    """Fifty good requests in a closed segment; ten bad ones and a torn line in one whose server still writes."""
    (tmp_path / "seg-1-99-0.jsonl").write_text("".join(record(at) for at in range(50)))
    torn = record(71)[:20]
    (tmp_path / "seg-2-99-1.jsonl.open").write_text("".join(record(at, status=400) for at in range(60, 70)) + torn)
    return tmp_path


def test_an_endpoint_that_was_never_called_has_an_empty_summary(tmp_path):
    found = telemetry.summary("e", tmp_path / "nowhere", 0, 100, 4)
    assert (found.requests, found.p99_ms, len(found.buckets)) == (0, None, 4)
    assert search.newest(tmp_path / "nowhere", 10) == ()


def test_open_and_closed_segments_are_read_together(segments):
    found = telemetry.summary("e", segments, 0, 100, 4)
    assert (found.requests, found.rows) == (60, 120)
    assert found.by_status == {200: 50, 400: 10}
    assert [bucket.requests for bucket in found.buckets] == [25, 25, 10, 0]
    assert [bucket.client_errors for bucket in found.buckets] == [0, 0, 10, 0]


def test_merging_changes_no_figure(segments):
    before = telemetry.summary("e", segments, 0, 100, 4)
    assert merge(segments) == 1
    assert telemetry.summary("e", segments, 0, 100, 4) == before
    assert merge(segments, alive=False) == 1
    assert telemetry.summary("e", segments, 0, 100, 4) == before
    assert merge(segments, now=100_000) == 0
    assert telemetry.summary("e", segments, 0, 100, 4) == before
    assert sorted(path.suffix for path in segments.iterdir()) == [".json", ".parquet", ".sums"]


def test_mirrored_requests_are_nobodys_answers(tmp_path):
    (tmp_path / "seg-1-99-0.jsonl").write_text(record(1) + record(2, mirrored=True))
    assert telemetry.summary("e", tmp_path, 0, 10, 1).requests == 1


def test_each_origin_is_counted_apart_and_what_has_none_is_a_clients(tmp_path):
    sent = (record(1), record(2, origin=""), record(3, origin="batch"), record(4, origin="app", mirrored=True))
    (tmp_path / "seg-1-99-0.jsonl").write_text("".join(sent))
    for _ in range(2):
        counts = {o: telemetry.summary("e", tmp_path, 0, 10, 1, origin=o).requests for o in (*Origin, None)}
        assert {o: n for o, n in counts.items() if n} == {Origin.CLIENT: 2, Origin.BATCH: 1, None: 3}
        assert [r.origin for r in search.newest(tmp_path, 9, origin=None)] == ["batch", "client", "client"]
        merge(tmp_path)


def test_the_newest_requests_come_first(segments):
    assert [r.at for r in search.newest(segments, 2)] == [69.0, 68.0]
    assert [r.at for r in search.newest(segments, 2, until=69.0)] == [68.0, 67.0]
    assert len(search.newest(segments, 1000)) == 60


def test_the_newest_are_found_however_long_ago_they_were(tmp_path):
    for number, at in enumerate((10.0, 1e6, 2e7, 2e7 + 1)):
        (tmp_path / f"seg-{at * 1000:.0f}-99-{number}.jsonl").write_text(record(at))
    merge(tmp_path, now=2e7 + 10)
    (tmp_path / "seg-90000000000-99-9.jsonl").write_text("".join(record(9e7 + n, origin="batch") for n in range(5)))
    assert [r.at for r in search.newest(tmp_path, 3)] == [2e7 + 1, 2e7, 1e6]


def test_only_the_files_of_the_time_that_is_asked_for_are_opened(tmp_path):
    hours = [1e9 + 3600 * n for n in range(5)]
    for number, at in enumerate(hours):
        path = tmp_path / f"seg-{at * 1000:.0f}-99-{number}.jsonl"
        path.write_text(record(at + 1) + record(at + 9))
        os.utime(path, (at + 10, at + 10))
    assert read_files(tmp_path, hours[2], hours[2] + 60) == [f"seg-{hours[2] * 1000:.0f}-99-2.jsonl"]
    merge(tmp_path, now=hours[4] + 20)
    (name,) = read_files(tmp_path, hours[2], hours[2] + 60)
    assert name.startswith(f"rec-{hours[2] * 1000 + 1000:.0f}-{hours[2] * 1000 + 9000:.0f}-")
    others = [path for path in tmp_path.glob("rec-*") if path.name != name]
    for path in others:
        path.write_bytes(b"not read")
    assert telemetry.summary("e", tmp_path, hours[2], hours[2] + 60, 1).requests == 2


def test_a_request_that_began_before_its_segment_is_found_in_its_own_time(tmp_path):
    path = tmp_path / "seg-1000000000-99-1.jsonl"
    path.write_text(record(1e6 - 30))
    os.utime(path, (1e6 + 10, 1e6 + 10))
    for _ in range(2):
        assert telemetry.summary("e", tmp_path, 1e6 - 40, 1e6 - 20, 1).requests == 1
        assert telemetry.summary("e", tmp_path, 1e6 - 20, 1e6 + 20, 1).requests == 0
        merge(tmp_path, now=1e6 + 20)


def test_what_slipway_0_1_left_is_read_and_taken_over(tmp_path):
    """A Parquet for each segment, and one whose lines a crash had left beside it."""
    for number in range(3):
        (tmp_path / f"seg-{number}000-99-{number}.jsonl").write_text(record(number) + record(number + 0.5))
    with duckdb.connect() as db:
        for number in range(2):
            lines, twin = (tmp_path / f"seg-{number}000-99-{number}{end}" for end in (".jsonl", ".parquet"))
            db.execute(f"COPY (SELECT * EXCLUDE (problem) FROM read_json('{lines}')) TO '{twin}' (FORMAT parquet)")
    (tmp_path / "seg-1000-99-1.jsonl").unlink()
    assert telemetry.summary("e", tmp_path, 0, 10, 1).requests == 6
    assert merge(tmp_path) == 3
    assert telemetry.summary("e", tmp_path, 0, 10, 1).requests == 6
    assert [path.suffix for path in sorted(tmp_path.iterdir())] == [".json", ".parquet", ".sums"]


FOREIGN = ("README", "seg-x.jsonl", "seg-1-2-3.csv", "rec-1-2-zz.parquet", "seg-99999999999999999999-1-1.jsonl", ".x")


def test_foreign_and_damaged_files_cost_only_themselves_and_are_told_once(segments, caplog):
    for name in FOREIGN:
        (segments / name).write_bytes(b"\x00\xff nonsense")
    (segments / "seg-5-99-5.parquet").write_bytes(b"PAR1 half written")
    (segments / "seg-6-99-6.jsonl").write_bytes(os.urandom(3000))
    (segments / "seg-7-99-7.jsonl").write_bytes(b'[1]\n"x"\n{"at": "x"}\n{"at": null}\n' + record(70).encode())
    for _ in range(3):
        assert telemetry.summary("e", segments, 0, 100, 1).requests == 61
        assert search.newest(segments, 1)[0].at == 70.0
    assert caplog.text.count("seg-5-99-5.parquet cannot be read") == 1
    for _ in range(3):
        merge(segments, alive=False)
    assert telemetry.summary("e", segments, 0, 100, 1).requests == 61
    assert (segments / "seg-5-99-5.parquet.damaged").exists()
    assert sorted(p.name for p in segments.iterdir() if p.name in FOREIGN) == sorted(
        FOREIGN[:3] + FOREIGN[4:] + FOREIGN[3:4]
    )


def test_a_merged_file_that_is_damaged_or_gone_costs_only_itself(segments, caplog):
    merge(segments)
    (damaged,) = segments.glob("rec-*.parquet")
    damaged.write_bytes(damaged.read_bytes()[:-100])
    (segments / "seg-3-99-3.jsonl").write_text(record(80))
    assert telemetry.summary("e", segments, 0, 100, 1).requests == 11
    merge(segments, alive=False)
    merge(segments, alive=False, now=200_000)
    merge(segments, alive=False, now=200_001)
    assert telemetry.summary("e", segments, 0, 100, 1).requests == 11
    assert [path.name for path in segments.glob("*.damaged")] == [f"{damaged.name}.damaged"]
    for path in segments.glob("rec-*.parquet"):
        path.unlink()
    assert telemetry.summary("e", segments, 0, 100, 1).requests == 0
    assert merge(segments) == 0


def test_an_index_that_is_lost_or_damaged_is_made_anew(segments):
    merge(segments, alive=False)
    for damage in ((segments / "index.json").unlink, lambda: (segments / "index.json").write_text('{"files": [')):
        damage()
        assert telemetry.summary("e", segments, 0, 100, 1).requests == 60
        merge(segments)
        assert telemetry.summary("e", segments, 0, 100, 1).requests == 60
        assert json.loads((segments / "index.json").read_text())["files"]


def test_each_deployment_is_told_apart_and_whose_requests_there_are(tmp_path):
    sent = [record(n, elapsed_ms=float(n), rows=3) for n in range(1, 4)]
    sent += [record(4, deployment="v2", status=status, elapsed_ms=9.0) for status in (200, 400, 424, 500)]
    sent += [record(5, deployment="", status=401), record(6, deployment="v2", origin="loadtest")]
    (tmp_path / "seg-1-99-0.jsonl").write_text("".join(sent))
    found = telemetry.summary("e", tmp_path, 0, 10, 1)
    assert found.by_deployment["v1"] == DeploymentTraffic(3, 9, 0, 0, 2.0, pytest.approx(2.9), pytest.approx(2.98))
    assert found.by_deployment["v2"] == DeploymentTraffic(4, 8, 1, 2, 9.0, 9.0, 9.0)
    assert found.by_origin == {"client": 8, "loadtest": 1}
    assert (found.buckets[0].client_errors, found.buckets[0].server_errors) == (2, 2)
    load = telemetry.summary("e", tmp_path, 0, 10, 1, origin=Origin.LOADTEST)
    assert (load.requests, list(load.by_deployment), load.by_origin) == (1, ["v2"], found.by_origin)


@settings(max_examples=25, deadline=None)
@given(
    window_s=st.sampled_from([60.0, 900.0, 3600.0, 86_400.0, 604_800.0, 1000.0]),
    buckets=st.integers(1, 60),
    now=st.floats(1.7e9, 1.9e9),
    later=st.floats(0, 700_000),
)
def test_the_edges_of_intervals_stand_still_whenever_they_are_asked_for(window_s, buckets, now, later):
    width_s = window_s / buckets
    since, until = telemetry.aligned(now, window_s, buckets)
    assert until - since == pytest.approx(window_s)
    assert until - width_s <= now + 1e-6
    assert now < until + 1e-6
    moved = (telemetry.aligned(now + later, window_s, buckets)[1] - until) / width_s
    assert moved == pytest.approx(round(moved), abs=1e-6)
    assert moved <= later / width_s + 1


def test_without_traffic_a_summary_changes_by_whole_intervals_alone(tmp_path):
    (tmp_path / "seg-1700000000000-99-0.jsonl").write_text("".join(record(1.7e9 + 7 * n) for n in range(100)))
    looks = [1.7e9 + 1000 + second for second in range(0, 130, 3)]
    seen = [telemetry.summary("e", tmp_path, *telemetry.aligned(now, 1800, 30), 30) for now in looks]
    for before, after in pairwise(seen):
        begun = round((after.since - before.since) / 60)
        assert begun in (0, 1)
        assert after.buckets[: 30 - begun] == before.buckets[begun:]
        assert begun or after == before
