"""One record a request, in segments that a reader can trust."""

import json
import os
import re
import shutil

import msgspec
import pytest
from serving_fakes import ROW
from waiting import wait_until

from core.contract import samples
from core.serving import telemetry
from core.serving.telemetry import Record, Telemetry


def record(n=0):
    return Record(1.5, f"r{n}", "c", "t", "v1", 200, 2, "predict", "v1", 1.25, 0.5, 812, 25)


@pytest.mark.contract("T1", "H4", "E3")
def test_a_request_leaves_one_record_without_its_values(client):
    client.score(
        samples.body([ROW, ROW], "v2", "predict_proba"),
        headers={
            "x-request-id": "r",
            "x-ms-client-request-id": "c",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        },
    )
    client.score(samples.body([ROW | {"colour": "a secret"}]), headers={"traceid": "t"})
    client.get("/")
    client.close()
    good, bad = client.files.records()
    assert good["elapsed_ms"] >= good["run_ms"] > 0
    assert good["at"] > 1e9
    assert {k: good[k] for k in good.keys() - {"at", "elapsed_ms", "run_ms", "bytes_in", "bytes_out"}} == {
        "request_id": "r",
        "client_request_id": "c",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "deployment": "v1",
        "status": 200,
        "rows": 2,
        "method": "predict_proba",
        "form": "v2",
        "problem": "",
        "mirrored": False,
        "origin": "",
    }
    assert (bad["status"], bad["problem"], bad["rows"], bad["trace_id"]) == (400, "PayloadInvalid", 0, "t")
    assert "secret" not in json.dumps(bad)


def test_a_segment_is_open_while_it_is_written_and_renamed_when_it_is_closed(tmp_path):
    now = [1000.0]
    writer = Telemetry(tmp_path / "made", segment_s=10, log_fd=None, clock=lambda: now[0])
    writer.put(record())
    (open_one,) = wait_until(lambda: list((tmp_path / "made").glob("*.open")), 2)
    assert re.fullmatch(rf"seg-1000000-{os.getpid()}-1\.jsonl\.open", open_one.name)
    assert open_one.stat().st_mode & 0o777 == 0o600
    now[0] += 11
    (closed,) = wait_until(lambda: list((tmp_path / "made").glob("*.jsonl")), 2)
    assert msgspec.json.decode(closed.read_bytes(), type=Record) == record()
    writer.put(record(1))
    writer.close()
    assert len(list((tmp_path / "made").glob("*.jsonl"))) == 2
    assert list((tmp_path / "made").glob("*.open")) == []


def test_a_clock_that_is_set_back_ends_the_segment(tmp_path):
    now = [1000.0]
    writer = Telemetry(tmp_path, segment_s=10, log_fd=None, clock=lambda: now[0])
    writer.put(record())
    wait_until(lambda: list(tmp_path.glob("*.open")), 2)
    now[0] -= 86_400
    wait_until(lambda: list(tmp_path.glob("*.jsonl")), 2)
    writer.close()


def test_without_requests_there_is_no_segment(tmp_path):
    Telemetry(tmp_path, log_fd=None).close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.contract("T2")
def test_a_full_queue_drops_and_counts_and_never_blocks(tmp_path):
    writer = Telemetry(tmp_path, log_fd=None)
    writer.close()  # nobody writes any more: the queue can only fill
    for n in range(telemetry.QUEUE_MAX + 3):
        writer.put(record(n))
    assert writer.dropped == 3


@pytest.mark.contract("T2")
def test_values_that_nobody_writes_are_bounded_by_their_size_too_and_one_is_always_taken(tmp_path):
    writer = Telemetry(tmp_path, log_fd=None)
    writer.close()
    for n in range(5):
        writer.put(record(n), telemetry.QUEUE_BYTES_MAX // 2)
    assert writer.dropped == 3
    other = Telemetry(tmp_path, log_fd=None)
    other.put(record(), telemetry.QUEUE_BYTES_MAX * 2)
    other.close()
    other.put(record(), telemetry.QUEUE_BYTES_MAX * 2)
    assert other.dropped == 0, "what was written waits no more"


@pytest.mark.contract("T2")
def test_a_folder_that_somebody_removes_costs_what_was_in_it_only(tmp_path):
    now = [1000.0]
    writer = Telemetry(tmp_path / "made", segment_s=10, log_fd=None, clock=lambda: now[0])
    writer.put(record())
    wait_until(lambda: list((tmp_path / "made").glob("*.open")), 2)
    shutil.rmtree(tmp_path / "made")
    now[0] += 11
    wait_until(lambda: writer.write_failures, 2)
    writer.put(record(1))
    writer.close()
    (segment,) = (tmp_path / "made").glob("*.jsonl")
    assert msgspec.json.decode(segment.read_bytes(), type=Record) == record(1)
    assert writer.write_failures == 1


@pytest.mark.contract("T2")
def test_a_folder_that_cannot_be_written_costs_records_only(tmp_path):
    (tmp_path / "file").write_text("in the way")
    writer = Telemetry(tmp_path / "file", log_fd=None)
    writer.put(record())
    wait_until(lambda: writer.dropped, 2)
    (tmp_path / "file").unlink()
    writer.put(record())
    writer.close()
    assert len(list((tmp_path / "file").iterdir())) == 1


@pytest.mark.contract("T1")
def test_the_same_records_are_the_log_lines(tmp_path):
    ours, log = os.pipe()
    writer = Telemetry(tmp_path, log_fd=log)
    writer.put(record())
    writer.close()
    os.close(log)
    with os.fdopen(ours, "rb") as lines:
        assert msgspec.json.decode(lines.read(), type=Record) == record()


def test_what_is_recorded_is_on_the_disk_within_a_second_or_so_and_when_its_segment_ends(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fdatasync", lambda fd: synced.append(os.fstat(fd).st_size))
    monkeypatch.setattr(telemetry, "SYNC_EVERY_S", 0.2)
    written = Telemetry(tmp_path, log_fd=None)
    written.put(record(1))
    wait_until(lambda: synced, 10)
    written.put(record(2))
    written.close()
    (segment,) = tmp_path.glob("seg-*")
    assert synced[-1] == segment.stat().st_size
    assert len(synced) <= 3, "nothing is synced twice"
