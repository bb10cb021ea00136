"""An OTLP collector gets every request once as a span; one that is away costs nothing but time."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from local_world import World
from waiting import wait_until

from core.local.records import forwarding, telemetry
from core.local.service.janitor import Compaction

GOOD = {
    "at": 1.5, "request_id": "r1", "trace_id": "ab" * 16, "deployment": "v1", "status": 200, "rows": 2,
    "elapsed_ms": 2.0, "run_ms": 1.25, "problem": "", "mirrored": False,
}  # fmt: skip
BAD = {**GOOD, "request_id": "r2", "trace_id": "a client's own", "status": 424, "problem": "ZeroDivisionError"}


class Collector(ThreadingHTTPServer):
    """Takes what is sent to it, unless it is told not to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.asked, self.taken = 200, 0, list[tuple[str, dict[str, Any]]]()
        self.taken_max = 1000

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> list[dict[str, Any]]:
        return [s for _, body in self.taken for r in body["resourceSpans"] for p in r["scopeSpans"] for s in p["spans"]]


class Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked += 1
        status = self.server.status if len(self.server.taken) < self.server.taken_max else 503
        if status == 200:
            self.server.taken.append((self.path, body))
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def segment(folder: Path, number: int = 1) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"seg-{number}-999999999-{number}.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in (GOOD, BAD)) + '{"at": 2.0, "torn')
    return path


def merged(folder: Path) -> bool:
    """Whether every segment has been merged, and removed."""
    return bool(list(folder.glob("rec-*"))) and not list(folder.glob("seg-*"))


def named(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {a["key"]: next(iter(a["value"].values())) for a in attributes}


@pytest.mark.contract("T4")
def test_a_request_is_a_span_and_what_failed_its_exception(collector: Collector, tmp_path: Path) -> None:
    forwarding.forward(segment(tmp_path), "bank", collector.url)

    ((path, body),) = collector.taken
    good, bad = collector.spans()
    assert path == "/v1/traces"
    assert named(body["resourceSpans"][0]["resource"]["attributes"])["service.name"] == "bank"
    assert (good["traceId"], good["startTimeUnixNano"], good["endTimeUnixNano"]) == (
        "ab" * 16, "1500000000", "1502000000",
    )  # fmt: skip
    told = named(good["attributes"])
    assert (told["http.response.status_code"], told["slipway.deployment"]) == ("200", "v1")
    assert told["slipway.origin"] == "client", "so are records of before there were origins"
    assert named(forwarding.span({**GOOD, "origin": "batch"})["attributes"])["slipway.origin"] == "batch"
    assert (good["status"], bad["status"]) == ({}, {"code": 2})
    assert named(bad["events"][0]["attributes"]) == {"exception.type": "ZeroDivisionError"}
    assert len(bad["traceId"]) == 32
    assert len(bad["spanId"]) == 16
    assert good["spanId"] != bad["spanId"]


def test_what_is_sent_again_has_the_same_ids() -> None:
    assert forwarding.span(BAD) == forwarding.span(dict(BAD))


@pytest.fixture
def forwarded(world: World, collector: Collector) -> Iterator[Path]:
    """The telemetry folder of an endpoint whose segments are forwarded ten times a second."""
    world.add_endpoint("bank")
    folder = world.paths.telemetry("bank")
    with Compaction(world.store, world.paths, 0.1, collector.url):
        yield folder


@pytest.mark.contract("T4")
def test_a_collector_that_is_away_gets_everything_once_when_it_is_back(collector: Collector, forwarded: Path) -> None:
    collector.status = 503
    paths = [segment(forwarded, number) for number in (1, 2)]
    wait_until(lambda: collector.asked >= 3, 10)
    assert all(path.exists() for path in paths)
    assert telemetry.summary("bank", forwarded, 0, 10, 1).requests == 4, "they are counted meanwhile"

    collector.status = 200
    wait_until(lambda: merged(forwarded), 10)
    assert len(collector.spans()) == 4
    assert telemetry.summary("bank", forwarded, 0, 10, 1).requests == 4


@pytest.mark.contract("T4")
def test_what_was_taken_is_not_sent_again_though_it_cannot_be_merged(collector: Collector, world: World) -> None:
    """Two thousand records are taken, the rest is not; then it is, and no merged file can be written."""
    world.add_endpoint("bank")
    folder = world.paths.telemetry("bank")
    folder.mkdir(parents=True)
    lines = [json.dumps({**GOOD, "at": 1.0 + n / 1000, "request_id": f"r{n}"}) for n in range(forwarding.SPANS_MAX + 5)]
    (folder / "seg-1-999999999-1.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "index.json").mkdir()  # in the way of every round
    collector.taken_max = 1
    with Compaction(world.store, world.paths, 0.05, collector.url):
        wait_until(lambda: collector.asked >= 4, 10)
        assert len(collector.taken) == 1
        collector.taken_max = 100
        wait_until(lambda: list(folder.glob("*.sent.jsonl")), 10)
        asked = collector.asked
        (folder / "index.json").rmdir()
        wait_until(lambda: merged(folder), 10)
        assert collector.asked == asked
    sent = [named(span["attributes"])["slipway.request_id"] for span in collector.spans()]
    assert len(sent) == len(set(sent)) == len(lines)


@pytest.mark.contract("T4")
def test_what_nobody_took_for_an_hour_is_compacted_unsent(collector: Collector, forwarded: Path) -> None:
    collector.status = 503
    path = segment(forwarded.with_name("old"))
    os.utime(path, (1, 1))
    forwarded.mkdir(parents=True, exist_ok=True)
    path.rename(forwarded / path.name)
    wait_until(lambda: merged(forwarded), 10)
    assert collector.taken == []


def test_the_service_forwards_where_its_setting_says(collector: Collector, tmp_path: Path) -> None:
    world = World(tmp_path / "forwarding", otlp_url=collector.url)
    try:
        world.add_endpoint("bank")
        segment(world.paths.telemetry("bank"))
        world.start_service()
        wait_until(lambda: len(collector.spans()) == 2, 20)
    finally:
        world.close()
