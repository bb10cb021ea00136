"""What is scored in the event loop and what beside it: by its rows, and by what such requests have taken."""

import asyncio
import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from serving_fakes import KEY, ROW, ServerProcess, dear
from signatures import bank_signature
from waiting import wait_until

from core.contract import samples
from core.contract.samples import body
from core.domain.data import ColumnKind
from core.domain.signature import Column, Signature
from core.serving.http import Head

HEADERS = {b"authorization": f"Bearer {KEY}".encode(), b"content-type": b"application/json"}
SHORT_ROWS = b'{"data":[' + b",".join([b"{}"] * 8000) + b"]}"
SHORT_LISTS = b'{"input_data":{"columns":[],"data":[' + b",".join([b"[]"] * 8000) + b"]}}"
ONE_COLUMN = Signature((Column("a", ColumnKind.INTEGER, nullable=True, typical=1, low=0, high=9),), "y", (0, 1), 1)
HEALTH_MAX_S = 0.1
"""Generous for nine of ten: with 8,000 rows in the event loop that many wait for 0.25 s and more."""


def is_beside(client, sent: bytes) -> bool:
    async def finish() -> bool:
        length = {b"content-length": str(len(sent)).encode()}
        exchange, settled = client.app.begin(Head("POST", "/score", b"", HEADERS | length))
        assert settled is None
        answer = client.app.finish(exchange, sent)
        beside = isinstance(answer, asyncio.Future)
        client.app.encode(exchange, await answer if beside else answer, closing=None)
        return beside

    return client.run(finish())


@pytest.mark.parametrize("rows", [1, 2, 50])
def test_a_small_request_is_answered_in_the_event_loop(client, rows):
    assert not is_beside(client, body([ROW] * rows))


@pytest.mark.parametrize("sent", [SHORT_ROWS, SHORT_LISTS, body([ROW] * 5000)])
def test_many_rows_are_scored_beside_it_however_short_they_are(client, sent):
    assert is_beside(client, sent)


def test_an_endpoint_that_only_gets_fifty_rows_a_request_may_be_slow_too(client):
    fifty = body([ROW] * 50)
    assert not is_beside(client, fifty)
    for _ in range(10):
        dear(client, fifty)
    assert is_beside(client, fifty)
    two = body([ROW] * 2)
    assert is_beside(client, two), "nobody knows yet that two take less"
    assert not is_beside(client, two)


def test_hundreds_of_short_rows_of_a_slow_model_are_beside_in_a_body_of_one_kilobyte(client):
    dear(client, body([ROW] * 2), run_s=0.004)
    assert is_beside(client, b'{"data":[' + b",".join([b"{}"] * 300) + b"]}")


@pytest.mark.contract("E6")
def test_thousands_of_short_rows_keep_nobody_waiting_who_asks_for_health(tmp_path):
    server = ServerProcess(tmp_path, signature=ONE_COLUMN, members=20).start()
    sent = b'{"input_data":{"columns":["a"],"data":[' + b",".join([b"[1]"] * 8000) + b"]}}"
    stopping, statuses = threading.Event(), set()

    def press() -> None:
        with connected(server) as connection:
            while not stopping.is_set():
                statuses.add(asked(connection, "POST", "/score", sent))

    clients = [threading.Thread(target=press) for _ in range(4)]
    try:
        for client in clients:
            client.start()
        wait_until(lambda: statuses, 20)
        with connected(server) as connection:
            took_s = [looked(connection) for _ in range(40) if not stopping.wait(0.01)]
    finally:
        stopping.set()
        for client in clients:
            client.join()
        server.end()
    assert statuses <= {200, 429}
    assert sorted(took_s)[-5] < HEALTH_MAX_S


@contextmanager
def connected(server: ServerProcess) -> Iterator[http.client.HTTPConnection]:
    """A kept connection of the plainest client: a comfortable one would be busier than the server."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
        yield connection


def asked(connection: http.client.HTTPConnection, method: str, path: str, sent: bytes | None = None) -> int:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    connection.request(method, path, sent, headers)
    reply = connection.getresponse()
    reply.read()
    return reply.status


def looked(connection: http.client.HTTPConnection) -> float:
    started = time.perf_counter()
    assert asked(connection, "GET", "/") == 200
    return time.perf_counter() - started


@pytest.mark.contract("E6")
def test_four_who_send_thousands_of_rows_at_once_are_all_answered_and_so_is_who_sends_two(tmp_path):
    signature = bank_signature(exclude=["duration"])
    rows = samples.rows(signature, 4000, 1)
    server = ServerProcess(tmp_path, signature=signature, members=5).start()
    large, small = samples.body(rows), samples.body(rows[:2])
    assert server.score(content=large).status_code == 200
    told: list[int] = []
    clients = [threading.Thread(target=lambda: told.append(server.score(content=large).status_code)) for _ in range(4)]
    try:
        for client in clients:
            client.start()
        assert {server.score(content=small).status_code for _ in range(20)} == {200}
        for client in clients:
            client.join()
    finally:
        server.end()
    assert told == [200] * 4
