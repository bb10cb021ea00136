"""A collector and Application Insights get every request and log line, whoever is away or killed in between."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from receivers import Receiver, named
from waiting import wait_until

from core.forwarding import standing
from core.forwarding.destinations import destinations
from core.forwarding.queue import Cursor, Queue
from core.forwarding.run import forward
from core.settings import CHECKOUT, as_environment, read_settings

GOOD = {
    "at": 1.5, "request_id": "r1", "trace_id": "ab" * 16, "deployment": "v1", "status": 200, "rows": 2,
    "elapsed_ms": 2.0, "run_ms": 1.25, "bytes_in": 10, "problem": "", "mirrored": False,
}  # fmt: skip
BAD = {**GOOD, "request_id": "r2", "trace_id": "a client's own", "status": 424, "problem": "ZeroDivisionError"}
LINES = [
    {"at": 1.0, "level": "info", "event": "serving 1 deployment"},
    {"at": 1.5, "request_id": "r1", "status": 200, "elapsed_ms": 2.0},
    {"at": 1.6, "level": "error", "event": "it broke", "error": "ValueError", "traceback": ["  File a.py, line 1\n"]},
]


class Forwarded:
    """The folder of a workspace with the endpoint `bank`, and processes that forward it."""

    def __init__(self, home: Path) -> None:
        self.home, self.endpoint = home, home / "endpoints" / "bank"
        self.queue = Queue(self.endpoint)
        self.queue.folder.mkdir(parents=True)
        self.proxy = ""
        self._begun: list[subprocess.Popen[bytes]] = []

    def segment(self, number: int = 1, records: tuple[dict[str, Any], ...] = (GOOD, BAD)) -> Path:
        path = self.queue.folder / f"seg-{number}-999-{number}.jsonl"
        path.write_text("".join(json.dumps(r) + "\n" for r in records) + '{"at": 2.0, "torn')
        return path

    def log(self, *lines: dict[str, Any] | str) -> None:
        with self.queue.log.open("a") as file:
            file.writelines((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)

    def begin(self, **settings: str) -> subprocess.Popen[bytes]:
        """A process that forwards; our own end is its end."""
        told = read_settings({}, home=str(self.home), **settings)
        environ = {
            "PATH": "",
            "HTTPS_PROXY": self.proxy,
            "PYTHONPATH": ":".join(map(str, (CHECKOUT, *sys.path))),
            **as_environment(told),
        }
        command = (sys.executable, "-m", "core.forwarding", str(self.home))
        self._begun.append(subprocess.Popen(command, env=environ, cwd=CHECKOUT))
        return self._begun[-1]

    def forward(self, **settings: str) -> standing.Standing:
        """Forward in this process until nothing waits; how the receiver stands then."""
        told, until = read_settings({}, home=str(self.home), **settings), time.monotonic() + 20
        (receiver,) = destinations(told)

        def done() -> bool:
            return self.idle() or time.monotonic() > until

        forward(self.home, [receiver], done, wait=lambda seconds: None)
        assert self.idle()
        return standing.read(self.home)[receiver.name]

    def end(self) -> None:
        for process in self._begun:
            process.kill()
            process.wait()

    def idle(self) -> bool:
        """Whether nothing waits any more."""
        return self.queue.files() == () and self.queue.cursors() != {}


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Forwarded]:
    made = Forwarded(tmp_path)
    yield made
    made.end()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


@pytest.mark.contract("T4")
def test_both_receivers_get_requests_exceptions_and_lines_by_their_names(bank: Forwarded, receiver: Receiver) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    refused = {**GOOD, "request_id": "r3", "status": 422, "problem": "RequestRefused"}
    bank.segment(records=(GOOD, BAD, refused))
    bank.log(*LINES, "Traceback: no JSON, an Error")
    bank.proxy = receiver.url
    process = bank.begin(otlp_url=receiver.url, app_insights_connection=receiver.connection)
    wait_until(lambda: bank.idle() and len(receiver.lines()) == 3 and len(receiver.items()) == 7, 30)

    (of, good), (_, bad), (_, wrong) = receiver.spans()
    assert (of["service.name"], of["service.namespace"]) == ("bank", "slipway")
    assert (good.name, good.kind, good.trace_id.hex()) == ("POST /score", 2, "ab" * 16)
    assert (good.start_time_unix_nano, good.end_time_unix_nano) == (1_500_000_000, 1_502_000_000)
    told = named(good.attributes)
    assert (told["http.response.status_code"], told["http.request.method"], told["http.request.body.size"]) == (
        200, "POST", 10,
    )  # fmt: skip
    assert (told["slipway.request_id"], told["slipway.deployment"], told["slipway.origin"]) == ("r1", "v1", "client")
    assert (good.status.code, bad.status.code, named(bad.attributes)["error.type"]) == (0, 2, "ZeroDivisionError")
    assert named(bad.events[0].attributes) == {"exception.type": "ZeroDivisionError"}
    assert (wrong.status.code, list(wrong.events)) == (0, []), "a refusal is no exception"
    assert named(wrong.attributes)["error.type"] == "RequestRefused"
    first, broke, other = receiver.lines()
    assert (first.body.string_value, first.severity_text, first.time_unix_nano) == (
        "serving 1 deployment", "INFO", 1_000_000_000,
    )  # fmt: skip
    assert broke.body.string_value == "it broke\n  File a.py, line 1\nValueError"
    assert other.severity_text == "ERROR"
    assert len({named(line.attributes)["log.record.uid"] for line in (first, broke, other)}) == 3

    items = {}
    for item in receiver.items():
        items.setdefault(item["data"]["baseType"], []).append(item)
    request, failed, _ = (item["data"]["baseData"] for item in items["RequestData"])
    assert (request["responseCode"], request["success"], request["name"]) == ("200", True, "POST /score")
    assert (failed["responseCode"], failed["success"]) == ("424", False)
    assert request["properties"]["slipway.request_id"] == "r1"
    (exception,) = items["ExceptionData"]
    assert exception["data"]["baseData"]["exceptions"][0]["typeName"] == "ZeroDivisionError"
    assert [item["data"]["baseData"]["message"].split("\n")[0] for item in items["MessageData"]] == [
        "serving 1 deployment", "it broke", "Traceback: no JSON, an Error",
    ]  # fmt: skip
    assert items["RequestData"][0]["tags"]["ai.cloud.role"] == "slipway.bank"
    assert (process.poll(), receiver.strangers) == (None, [])


@pytest.mark.contract("T4")
def test_a_receiver_that_is_away_gets_everything_when_it_is_back_though_the_process_is_killed(
    bank: Forwarded, receiver: Receiver
) -> None:
    receiver.status = 503
    for number in (1, 2):
        bank.segment(number)
    bank.log(*LINES)
    process = bank.begin(app_insights_connection=receiver.connection)
    wait_until(lambda: receiver.asked >= 2, 30)
    assert len(bank.queue.files()) == 2
    process.kill()
    receiver.status = 200
    bank.begin(app_insights_connection=receiver.connection)
    wait_until(lambda: bank.idle() and len(receiver.items()) == 8, 30)
    wait_until(lambda: bank.queue.cursors()["insights"].log == bank.queue.log.stat().st_size, 10)
    requests = [item["data"]["baseData"]["id"] for item in receiver.items() if item["name"].endswith("Request")]
    assert len(requests) == 4, "what was taken is not sent again"


@pytest.mark.contract("T4")
def test_what_was_taken_in_part_is_sent_again_with_the_same_ids(bank: Forwarded, receiver: Receiver) -> None:
    receiver.partly = [1]
    bank.segment(records=(GOOD, {**GOOD, "request_id": "r3"}))
    bank.begin(app_insights_connection=receiver.connection)
    wait_until(bank.idle, 30)
    ids = [item["data"]["baseData"]["id"] for item in receiver.items()]
    assert ids[:2] == ids[2:]
    assert len(set(ids)) == 2


def test_what_application_insights_refuses_for_good_is_told_and_not_sent_again(
    bank: Forwarded, receiver: Receiver
) -> None:
    receiver.partly, receiver.item_status = [1], 400
    bank.segment(records=(GOOD, {**GOOD, "request_id": "r3"}))
    stands = bank.forward(app_insights_connection=receiver.connection)
    assert (len(receiver.items()), stands.refused, stands.failing_since) == (2, 1, None)


@pytest.mark.parametrize(("status", "asked"), [(400, 1), (413, 3)])
def test_a_batch_that_a_collector_refuses_for_good_is_given_up_and_told(
    bank: Forwarded, receiver: Receiver, status: int, asked: int
) -> None:
    receiver.status = status
    bank.segment(records=(GOOD, BAD))
    stands = bank.forward(otlp_url=receiver.url)
    assert (receiver.asked, stands.refused) == (asked, 2), "what is too large is tried in halves"
    assert stands.refused_why == f"it answered {status}"


def test_a_record_that_cannot_be_written_as_a_collector_wants_it_takes_no_other_with_it(
    bank: Forwarded, receiver: Receiver
) -> None:
    bank.segment(records=(GOOD, {**GOOD, "at": -5.0}, BAD))
    stands = bank.forward(otlp_url=receiver.url)
    assert [named(span.attributes)["slipway.request_id"] for _, span in receiver.spans()] == ["r1", "r2"]
    assert stands.refused == 1


@pytest.mark.parametrize("status", [401, 404])
def test_what_waits_for_a_key_or_an_address_that_is_right_is_kept(
    bank: Forwarded, receiver: Receiver, status: int
) -> None:
    receiver.status = status
    bank.segment()
    (collector,) = destinations(read_settings({}, home=str(bank.home), otlp_url=receiver.url))
    forward(bank.home, [collector], lambda: bool(standing.read(bank.home)), wait=lambda seconds: None)
    assert len(bank.queue.files()) == 1
    stands = standing.read(bank.home)["otlp"]
    assert (stands.refused, stands.why) == (0, f"it answered {status}")


def test_an_endpoint_that_is_deleted_while_its_records_are_sent_stops_nobody(
    bank: Forwarded, receiver: Receiver
) -> None:
    bank.segment()
    gone = Queue(bank.home / "endpoints" / "another")
    gone.folder.mkdir(parents=True)
    (gone.folder / "seg-1-9-1.jsonl").symlink_to(bank.home / "nowhere")
    files = Queue.files

    def deleted(queue: Queue) -> tuple[Path, ...]:
        found = files(queue)
        if queue.name == "another":
            shutil.rmtree(queue.log.parent, ignore_errors=True)
        return found

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Queue, "files", deleted)
        bank.forward(otlp_url=receiver.url)
    assert len(receiver.spans()) == 2


def test_a_cursor_that_cannot_be_read_is_as_none(bank: Forwarded) -> None:
    bank.queue.save({"otlp": Cursor({"seg-1-9-1.jsonl": 3}, 7)})
    assert bank.queue.cursors() == {"otlp": Cursor({"seg-1-9-1.jsonl": 3}, 7)}
    for text in ("", "[]", '{"otlp": 1}', '{"otlp": {"taken": 1, "log": 2}}'):
        (bank.queue.folder / "cursor.json").write_text(text)
        assert bank.queue.cursors() == {}


def test_of_a_queue_that_is_too_long_the_oldest_is_given_up(bank: Forwarded, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [bank.segment(number) for number in (10, 9, 8)]
    monkeypatch.setattr("core.forwarding.queue.KEPT_BYTES_MAX", 2 * paths[0].stat().st_size)
    assert bank.queue.shorten() == 1
    assert [path.name for path in bank.queue.files()] == ["seg-9-999-9.jsonl", "seg-10-999-10.jsonl"]
