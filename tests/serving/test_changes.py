"""No change of an endpoint drops a request: client errors, resets and answers but 200 are counted; there are none."""

import http.client
import itertools
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from serving_fakes import KEY, SECOND_KEY, ServerProcess, digest
from signatures import bank_signature
from waiting import wait_until

from core import loadtest
from core.contract import samples
from core.domain.proof import LoadReport, LoadSpec, Target

RATE_PER_S = 520
LEAST_PER_S = 500
"""What must have been sent at the least; the rate leaves room for the end of the last second."""
CHANGES = 10
SIGNATURE = bank_signature(exclude=["duration"])


@pytest.fixture
def bodies() -> list[bytes]:
    rows = samples.rows(SIGNATURE, 100, seed=3)
    return [samples.body(rows[at : at + 2]) for at in range(0, len(rows), 2)]


class Story:
    """The ten changes, each made and then awaited as the supervisor does: until every worker has taken it up."""

    def __init__(self, server: ServerProcess) -> None:
        self.server, self.files = server, server.files
        self.model = self.files.content["deployments"]["v1"]["folder"]

    def steps(self) -> Iterator[Callable[[], None]]:
        """Changes that only ever leave the second key, which the load uses, in force."""
        digests = [digest("another primary key"), digest(SECOND_KEY)]
        yield lambda: self.change(deployments=self.deployments("v2"))
        yield lambda: self.change(traffic={"v1": 60, "v2": 40})
        yield lambda: self.change(key_digests=digests)
        yield lambda: self.change(mirror={"v2": 50})
        yield lambda: self.change(traffic={"v1": 10, "v2": 90})
        yield self.roll
        yield lambda: self.change(deployments=self.deployments("v2", "broken"))
        yield self.replace
        yield lambda: self.change(traffic={"v1": 0, "v2": 100}, mirror={})
        yield lambda: self.change(deployments={"v2": self.deployments("v2")["v2"]}, traffic={"v2": 100})

    def change(self, **content: Any) -> None:
        self.files.write(**content)
        wait_until(lambda: self.server.status().get("version") == self.files.content["version"], 20)

    def deployments(self, *others: str) -> dict[str, Any]:
        known = dict(self.files.content["deployments"])
        for name in others:
            folder = self.model if name != "broken" else f"{self.model}-that-is-not-there"
            known.setdefault(name, self.files.deployment(folder))
        return known

    def replace(self) -> None:
        """Another model under a name that has traffic."""
        copy = f"{self.model}-{self.files.content['version']}"
        shutil.copytree(self.model, copy)
        self.change(deployments=self.deployments() | {"v2": self.files.deployment(copy, 2)})

    def roll(self) -> None:
        """All workers anew."""
        before = {worker.pid for worker in self.server.workers()}
        self.server.process.send_signal(signal.SIGHUP)
        wanted = len(before)
        wait_until(lambda: len({w.pid for w in self.server.workers()} - before) == wanted, 20)


def loads(server: ServerProcess, bodies: list[bytes], duration_s: float) -> list["Future[LoadReport]"]:
    """Half of the rate on kept connections, half on fresh ones, at the same time."""
    target = Target(server.url, SECOND_KEY)
    pool = ThreadPoolExecutor(2)
    specs = [
        LoadSpec(
            target,
            duration_s=duration_s,
            warmup_s=0,
            concurrency=40,
            rate_per_s=RATE_PER_S / 2,
            fresh_connections=fresh,
        )
        for fresh in (False, True)
    ]
    return [pool.submit(loadtest.run, spec, bodies) for spec in specs]


def drive_through(server: ServerProcess, bodies: list[bytes], duration_s: float) -> list[LoadReport]:
    began = time.monotonic()
    running = loads(server, bodies, duration_s)
    story = Story(server)
    steps = list(story.steps())
    assert len(steps) == CHANGES
    for number, step in enumerate(steps):
        pause = threading.Event()
        pause.wait(max(0.0, began + (number + 1) * duration_s / (CHANGES + 1) - time.monotonic()))
        step()
    return [load.result() for load in running]


def assert_nothing_was_dropped(reports: list[LoadReport], duration_s: float) -> None:
    assert [(r.failed, dict(r.errors), set(r.by_status)) for r in reports] == [(0, {}, {200})] * 2
    assert sum(r.requests for r in reports) >= LEAST_PER_S * duration_s


@pytest.mark.contract("K2", "K3", "K4")
@pytest.mark.measures
@pytest.mark.parametrize("workers", [2, pytest.param(1, marks=pytest.mark.full)])
def test_ten_changes_under_load_drop_no_request(tmp_path, bodies, workers):
    server = ServerProcess(tmp_path, limits={"workers": workers}).start()
    try:
        reports = drive_through(server, bodies, 6.0)
    finally:
        server.end()
    assert_nothing_was_dropped(reports, 6.0)


@pytest.mark.contract("K2", "K3", "K4")
@pytest.mark.chaos
@pytest.mark.measures
def test_ten_changes_in_a_minute_under_load_drop_no_request(tmp_path, bodies):
    server = ServerProcess(tmp_path, limits={"workers": 2}).start()
    try:
        reports = drive_through(server, bodies, 60.0)
    finally:
        server.end()
    assert_nothing_was_dropped(reports, 60.0)


class Faithful(threading.Thread):
    """A client that sends on one connection, again and again, until the server says that it ends."""

    def __init__(self, server: ServerProcess, bodies: list[bytes]) -> None:
        super().__init__()
        self.server, self.bodies = server, bodies
        self.statuses: list[int] = []
        self.error: Exception | None = None

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        try:
            for body in itertools.cycle(self.bodies):
                connection.request("POST", "/score", body, headers)
                reply = connection.getresponse()
                reply.read()
                self.statuses.append(reply.status)
                if reply.getheader("connection") == "close":
                    return
        except (OSError, http.client.HTTPException) as e:
            self.error = e
        finally:
            connection.close()


@pytest.mark.contract("K4", "E4")
def test_a_server_that_ends_finishes_what_it_began_and_says_so_to_the_rest(tmp_path, bodies):
    server = ServerProcess(tmp_path).start()
    clients = [Faithful(server, bodies) for _ in range(20)]
    try:
        for client in clients:
            client.start()
        wait_until(lambda: all(client.statuses for client in clients), 20)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
        for client in clients:
            client.join(20)
    finally:
        server.end()
    assert [client.error for client in clients if client.error] == []
    assert {status for client in clients for status in client.statuses[:-1]} == {200}
    assert {client.statuses[-1] for client in clients} <= {200, 503}
