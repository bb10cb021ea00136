"""Clients that leave, or never read: their places come back, and not before the work for them has ended."""

import asyncio
import socket
import struct
from contextlib import AsyncExitStack

import pytest
from serving_fakes import BODY, KEY, SCORE_HEAD, Client, dear
from signatures import mixed_signature

from core.contract import samples
from core.serving.connection import Patience

LARGE = samples.body(samples.rows(mixed_signature(), 10_000, seed=0), method="predict_proba")
"""Scored beside the event loop; its reply has 100 KB."""
PLACES = 3
RESET = struct.pack("ii", 1, 0)
HEADERS = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}


@pytest.fixture
def client(files):
    made = Client(files, patience=Patience(write_s=0.4, linger_s=0.1))
    made.limit(max_concurrent=PLACES)
    yield made
    made.close()


def score(body: bytes, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return SCORE_HEAD + lines + b"content-length: %d\r\n\r\n" % len(body) + body


def leave(writer: asyncio.StreamWriter) -> None:
    """Reset the connection, as a client does whose process is killed over what it has not read."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


@pytest.mark.contract("E4")
def test_work_for_a_client_that_left_keeps_its_place_until_it_has_ended(client):
    model = client.loader.made["one"]
    client.limit(max_concurrent=1)

    async def ask_and_leave() -> list[int]:
        model.held.clear()
        async with client.connected() as (_, writer):
            writer.write(score(LARGE))
            await client.until(lambda: len(model.calls) == 1)
            leave(writer)
        await client.until(lambda: len(client.room) == 0)
        refused = await client.send("POST", "/score", content=BODY, headers=HEADERS)
        model.held.set()
        await client.until(lambda: client.metrics.in_flight == 0)
        answered = await client.send("POST", "/score", content=BODY, headers=HEADERS)
        return [refused.status_code, answered.status_code]

    assert client.run(ask_and_leave()) == [429, 200]


@pytest.mark.contract("E4", "T1")
def test_what_waits_for_its_turn_is_called_off_when_its_client_leaves(client, files):
    model = client.loader.made["one"]
    dear(client, BODY)  # one at a time from here on, the others wait

    async def crowd() -> int:
        model.held.clear()
        async with AsyncExitStack() as stack:
            crowd = [await stack.enter_async_context(client.connected()) for _ in range(PLACES)]
            for number, (_, writer) in enumerate(crowd):
                writer.write(score(BODY))
                await client.until(lambda number=number: client.metrics.in_flight > number)
            await asyncio.to_thread(model.entered.wait, 10)
            for _, writer in crowd:
                leave(writer)
            await client.until(lambda: client.metrics.in_flight == 1)
            honest = asyncio.create_task(client.send("POST", "/score", content=BODY, headers=HEADERS))
            await client.until(lambda: client.metrics.in_flight == 2)
            model.held.set()
            return (await honest).status_code

    assert client.run(crowd()) == 200
    assert client.metrics.in_flight == 0
    assert len(model.calls) == 2, "what was begun, and the honest one"
    client.close()
    assert sorted(record["status"] for record in files.records()) == [200, 499, 499, 499]


@pytest.mark.contract("W6")
@pytest.mark.parametrize("asked", [score(LARGE, b"connection: close"), score(LARGE) * 50], ids=["one", "many"])
def test_a_client_that_never_reads_loses_its_place_within_the_time_for_writing(client, asked):
    async def never_read() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.transport.pause_reading()
        writer.write(asked)
        await client.until(lambda: len(client.room) == 1)
        await client.until(lambda: len(client.room) == 0)
        writer.transport.abort()

    client.run(never_read())
    assert client.metrics.in_flight == 0
