"""Who may wait for a slow deployment: bursts wait, a lasting overload is turned away, the newest is served in time."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

from core.serving.pace import BACKLOG_S, OVERLOAD_RUNS, OVERLOAD_S, Arrivals, Lane, Lanes
from core.serving.refusals import TooBusy

RUN_S = 0.1


class Bench:
    """A lane under a clock of the test's own; each run in it ends when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lane = Lane(lambda: self.now)
        self.order: list[str] = []
        self.told: dict[str, str] = {}
        self._ends: dict[str, threading.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, *names: str) -> None:
        """Requests arrive together."""
        for name in names:
            self._ends[name] = threading.Event()
            self._tasks[name] = asyncio.create_task(self._asked(name))
        await asyncio.sleep(0)

    async def _asked(self, name: str) -> None:
        def work() -> str:
            self.order.append(name)
            assert self._ends[name].wait(10)
            return "answered"

        try:
            self.lane.arrived(RUN_S)
            self.told[name] = await self.lane.run(RUN_S, work)
        except TooBusy as busy:
            self.told[name] = dict(busy.headers)[b"retry-after"].decode()

    async def leave(self, *names: str) -> None:
        """Clients leave together: nobody has woken up yet when the last one does."""
        for name in names:
            self._tasks[name].cancel()
            self._ends[name].set()
        await asyncio.sleep(0)

    async def end(self, *names: str, run_s: float = RUN_S) -> None:
        """What runs is one of these after the other, and each ends after its time."""
        for name in names:
            await until(lambda name=name: self.order[-1:] == [name])
            self.now += run_s
            self._ends[name].set()
            await until(lambda name=name: name in self.told)

    async def end_all(self) -> None:
        """Let everything end that still waits."""
        for name in self._tasks:
            self._ends[name].set()
        ends = await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        assert [end for end in ends if end is not None and not isinstance(end, asyncio.CancelledError)] == []


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.001)


def played(story: Callable[[Bench], Awaitable[None]]) -> Bench:
    async def play() -> Bench:
        bench = Bench()
        try:
            await story(bench)
        finally:
            await bench.end_all()
            bench.lane.close()
        return bench

    return asyncio.run(play())


def test_clients_that_wait_for_their_answers_are_served_first_come_first_served() -> None:
    async def story(bench: Bench) -> None:
        for name in "abcd":
            await bench.come(name)
            bench.now += 0.11
        await bench.end(*"abcd")

    bench = played(story)
    assert bench.order == list("abcd")
    assert set(bench.told.values()) == {"answered"}


def test_a_burst_is_served_whole_the_newest_of_it_first() -> None:
    async def story(bench: Bench) -> None:
        await bench.come(*"abcdefgh")
        await bench.end(*"ahgfedcb", run_s=0.001)

    bench = played(story)
    assert bench.order == list("ahgfedcb")
    assert set(bench.told.values()) == {"answered"}


def test_what_a_burst_left_behind_is_served_in_its_order() -> None:
    async def story(bench: Bench) -> None:
        await bench.come(*"abcdefgh")
        bench.now += 1.0
        await bench.end(*"abcdefgh")

    assert played(story).order == list("abcdefgh")


def test_in_an_overload_who_waited_longer_than_a_run_is_told_to_come_again() -> None:
    async def story(bench: Bench) -> None:
        await bench.come(*"abcdefgh")
        bench.now += 1.1 * RUN_S
        await bench.come(*(f"late {n}" for n in range(20)))
        await until(lambda: {bench.told.get(name) for name in "bcdefgh"} == {"1"})
        await bench.end("a")

    bench = played(story)
    assert bench.told["a"] == "answered"
    assert 0 < sum(told == "answered" for name, told in bench.told.items() if name.startswith("late")) <= 5


def test_in_an_overload_an_idle_lane_takes_one_in() -> None:
    async def story(bench: Bench) -> None:
        await bench.come("a")
        await bench.come(*(f"more {n}" for n in range(30)))
        bench.now += 1.1 * RUN_S
        await bench.end("a")
        await bench.come("late")
        await bench.end("late")

    assert played(story).told["late"] == "answered"


def test_no_more_than_a_second_of_work_waits_whatever_comes() -> None:
    async def story(bench: Bench) -> None:
        for n in range(40):
            await bench.come(str(n))
            bench.now += RUN_S / 1.4  # too many, and too few for an overload

    bench = played(story)
    turned_away = [name for name, told in bench.told.items() if told != "answered"]
    assert turned_away
    assert len(bench.told) - len(turned_away) <= BACKLOG_S / RUN_S + 2


def test_a_client_that_leaves_the_queue_blocks_nobody() -> None:
    async def story(bench: Bench) -> None:
        for name in "abc":
            await bench.come(name)
            bench.now += 0.2
        await bench.leave("b")
        await bench.end(*"ac")

    assert played(story).order == list("ac")


def test_clients_that_leave_at_one_moment_block_nobody() -> None:
    async def story(bench: Bench) -> None:
        for name in "abcd":
            await bench.come(name)
            bench.now += 0.2
        await bench.leave("a", "b", "c")
        await bench.end("d")

    assert played(story).order == list("ad")


def test_one_large_request_among_small_ones_is_no_overload() -> None:
    arrivals = Arrivals(OVERLOAD_S, OVERLOAD_RUNS)
    for n in range(200):
        arrivals.add(n / 100, 0.005)
        assert not arrivals.too_many(n / 100)
    arrivals.add(2.0, 10.0)
    assert not arrivals.too_many(2.0)
    assert not arrivals.too_many(2.5)
    for n in range(12):
        arrivals.add(2.5 + n / 10, 10.0)
    assert arrivals.too_many(3.7), "a dozen of them in a second or so are"


def test_an_overload_of_small_ones_is_seen_again_once_the_large_one_is_long_past() -> None:
    arrivals = Arrivals(OVERLOAD_S, OVERLOAD_RUNS)
    arrivals.add(0.0, 0.5)
    for n in range(500):
        arrivals.add(10 + n / 250, 0.008)
    assert arrivals.too_many(12.0)


def test_small_requests_do_not_wait_in_the_lane_of_large_ones() -> None:
    lanes = Lanes()
    try:
        assert lanes.of(0.02) is lanes.of(0.09)
        assert lanes.of(0.02) is not lanes.of(2.0)
    finally:
        lanes.close()
