"""Readers see every request once, whatever state its segment is in."""

import json

import pytest

from core.local import telemetry


def record(at, **changes):
    values = {"at": at, "request_id": f"r{at}", "deployment": "v1", "status": 200, "rows": 2, "elapsed_ms": 1.5}
    return json.dumps({**values, "bytes_in": 3, "bytes_out": 4, "problem": "", "mirrored": False, **changes}) + "\n"


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


def test_open_and_closed_segments_are_read_together(segments):
    found = telemetry.summary("e", segments, 0, 100, 4)
    assert (found.requests, found.rows) == (60, 120)
    assert found.by_status == {200: 50, 400: 10}
    assert [bucket.requests for bucket in found.buckets] == [25, 25, 10, 0]
    assert [bucket.client_errors for bucket in found.buckets] == [0, 0, 10, 0]


def test_compaction_changes_no_figure(segments):
    before = telemetry.summary("e", segments, 0, 100, 4)
    assert telemetry.compact(segments, alive=lambda pid: True) == 1
    assert telemetry.summary("e", segments, 0, 100, 4) == before
    assert telemetry.compact(segments, alive=lambda pid: False) == 1
    assert telemetry.summary("e", segments, 0, 100, 4) == before
    assert sorted(path.suffix for path in segments.iterdir()) == [".parquet", ".parquet"]


def test_a_crash_between_writing_parquet_and_removing_lines_counts_nothing_twice(segments):
    before = telemetry.summary("e", segments, 0, 100, 4)
    lines = (segments / "seg-1-99-0.jsonl").read_bytes()
    telemetry.compact(segments, alive=lambda pid: True)
    (segments / "seg-1-99-0.jsonl").write_bytes(lines)
    assert telemetry.summary("e", segments, 0, 100, 4) == before
    assert telemetry.compact(segments, alive=lambda pid: True) == 0
    assert not (segments / "seg-1-99-0.jsonl").exists()


def test_mirrored_requests_are_nobodys_answers(tmp_path):
    (tmp_path / "seg-1-99-0.jsonl").write_text(record(1) + record(2, mirrored=True))
    assert telemetry.summary("e", tmp_path, 0, 10, 1).requests == 1


def test_the_newest_requests_come_first(segments):
    assert [r.at for r in telemetry.newest(segments, 2)] == [69.0, 68.0]
