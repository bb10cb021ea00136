"""An ending worker waits for everybody, also for who has only just been let in."""

import asyncio

from core.serving.room import Room


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
