"""An ending worker waits for everybody, also for who has only just been let in."""

import asyncio
import socket

import pytest

from core.serving.room import Room
from core.serving.worker import Ending, accept_no_more


class Visitor:
    deadline = float("inf")

    def overdue(self) -> None: ...
    def retire(self, linger_s: float) -> None: ...
    def stop(self, linger_s: float) -> None: ...


def test_a_room_is_not_empty_while_somebody_is_about_to_enter():
    async def end_while_one_arrives() -> tuple[bool, bool]:
        room, visitor, loop = Room(10), Visitor(), asyncio.get_running_loop()
        # As asyncio does with a connection that it has accepted: it is made two rounds of the loop later.
        loop.call_soon(lambda: loop.call_soon(room.enter, visitor))
        ending = asyncio.create_task(room.emptied())
        await asyncio.wait([ending], timeout=0.3)
        early = ending.done()
        room.leave(visitor)
        await asyncio.wait([ending], timeout=5)
        return early, ending.done()

    assert asyncio.run(end_while_one_arrives()) == (False, True)


class Greeter(asyncio.Protocol):
    """A connection of a worker: the client hears whose."""

    def __init__(self, worker: bytes) -> None:
        self._worker = worker

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._worker)
        transport.close()


@pytest.mark.contract("K4")
def test_who_connects_in_the_moment_when_a_worker_ends_is_answered_by_it_or_by_the_next():
    async def connect_and_end(listener: socket.socket, client: socket.socket, rounds: int) -> bytes:
        loop, passed_on = asyncio.get_running_loop(), listener.dup()
        first = await loop.create_server(lambda: Greeter(b"first"), sock=listener)
        client.connect(listener.getsockname())
        for _ in range(rounds):
            await asyncio.sleep(0)
        await accept_no_more(first, listener)
        async with await loop.create_server(lambda: Greeter(b"next"), sock=passed_on):
            client.setblocking(False)
            return await asyncio.wait_for(loop.sock_recv(client, 100), 5)

    answers = []
    for rounds in range(6):
        with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
            listener.setblocking(False)
            answers.append(asyncio.run(connect_and_end(listener, client, rounds)))
    assert answers == sorted(answers, reverse=True)
    assert set(answers) == {b"next", b"first"}


def test_a_retired_worker_waits_for_who_takes_long_until_it_is_told_to_stop():
    async def end(*, stopping: bool, guests: int) -> bool:
        room = Room(10)
        for _ in range(guests):
            room.enter(Visitor())
        ending = Ending(room)
        ending.retire()
        waiting = asyncio.create_task(ending.drained(retire_s=60.0, stop_s=0.1))
        await asyncio.wait([waiting], timeout=0.4)
        if guests:
            assert not waiting.done(), "whoever reads slowly is cut off"
        if stopping:
            ending.stop()
        await asyncio.wait([waiting], timeout=0.4 if not stopping else 10)
        over = waiting.done()
        waiting.cancel()
        return over

    assert asyncio.run(end(stopping=True, guests=1))
    assert not asyncio.run(end(stopping=False, guests=1))
    assert asyncio.run(end(stopping=False, guests=0))


def test_a_retired_worker_does_not_wait_for_ever():
    async def end() -> None:
        room = Room(10)
        room.enter(Visitor())
        ending = Ending(room)
        ending.retire()
        async with asyncio.timeout(10):
            await ending.drained(retire_s=0.2, stop_s=60.0)

    asyncio.run(end())
