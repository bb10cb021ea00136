"""Who is in which place: whatever happens in whatever order, in the end one worker is in each place that is wanted."""

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any

import pytest
import virtual_time
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.serving.places import BACKOFF_S, READY_S, Places

START_S = 0.05


class Process:
    """A worker that does what the test says."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.started = asyncio.get_running_loop().time()
        self.ready = asyncio.Event()
        self.life: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.retired = False

    def retire(self) -> None:
        assert not self.retired
        self.retired = True

    def stop(self) -> None:
        self.die()

    def die(self) -> None:
        if not self.life.done():
            self.life.set_result(1)


class Stage:
    """Places, and all processes that they ever started."""

    def __init__(self) -> None:
        self.places = Places(self.start, self.guard)
        self.processes: list[Process] = []
        self.keepers: list[asyncio.Task[None]] = []
        self.rolls: list[asyncio.Task[None]] = []
        self.refusing = False
        self.wanted = 0
        self.want(2)

    async def start(self, number: int) -> Process:
        await asyncio.sleep(START_S)
        if self.refusing:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        self.processes.append(Process(number))
        return self.processes[-1]

    def guard(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        self.keepers.append(asyncio.create_task(work))
        return self.keepers[-1]

    def want(self, count: int) -> None:
        self.wanted = count
        self.places.man(count)

    def roll(self) -> None:
        if all(roll.done() for roll in self.rolls):
            self.rolls.append(asyncio.create_task(self.places.roll()))

    def serving(self) -> list[Process]:
        return [process for process in self.processes if not process.life.done() and not process.retired]

    def draining(self) -> list[Process]:
        return [process for process in self.processes if not process.life.done() and process.retired]

    async def play(self, what: str, which: int) -> None:
        serving, draining = self.serving(), self.draining()
        if what == "want":
            self.want(1 + which % 3)
        elif what == "roll":
            self.roll()
        elif what == "refuse":
            self.refusing = which % 2 == 1
        elif what == "pass":
            await asyncio.sleep((0.01, START_S, 0.2, 6.0, READY_S)[which % 5])
        elif what == "die" and serving:
            serving[which % len(serving)].die()
        elif what == "be ready" and serving:
            serving[which % len(serving)].ready.set()
        elif what == "drain" and draining:
            draining[which % len(draining)].die()

    def places_taken(self) -> list[int]:
        return sorted(process.number for process in self.serving())

    async def rest(self) -> None:
        """All that is in the way goes away, and everybody has the time that it needs."""
        self.refusing = False
        for _ in range(40):
            await asyncio.sleep(READY_S / 10)
            for process in self.serving():
                process.ready.set()

    def check(self) -> None:
        for keeper in self.keepers:
            if keeper.done():
                keeper.result()
        taken = self.places_taken()
        assert all(taken.count(number) <= 2 for number in taken), "a worker and its replacement, at the most"


EVENTS = ["want", "roll", "refuse", "pass", "die", "be ready", "drain"]


@settings(deadline=None)
@given(story=st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 9)), max_size=40))
def test_whatever_happens_each_wanted_place_has_one_worker_in_the_end(story: list[tuple[str, int]]) -> None:
    async def play() -> None:
        stage = Stage()
        for what, which in story:
            await stage.play(what, which)
            await asyncio.sleep(0)
            stage.check()
        await stage.rest()
        stage.check()
        assert stage.places_taken() == list(range(stage.wanted))
        assert sum(not keeper.done() for keeper in stage.keepers) == stage.wanted
        assert all(roll.done() for roll in stage.rolls), "no wish for new workers is forgotten"
        await stage.places.leave()
        assert all(keeper.done() for keeper in stage.keepers)
        assert stage.places_taken() == list(range(stage.wanted)), "leaving ends nobody"

    virtual_time.run(play())


@settings(deadline=None)
@given(before=st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 9)), max_size=15))
@example(before=[("roll", 2), ("pass", 9), ("die", 1), ("roll", 4), ("pass", 5)])  # a patience ends between two floats
def test_after_a_wish_for_new_workers_no_old_one_is_left(before: list[tuple[str, int]]) -> None:
    async def play() -> None:
        stage = Stage()
        for what, which in before:
            await stage.play(what, which)
        await stage.rest()
        old = stage.serving()
        stage.roll()
        await stage.rest()
        assert not set(stage.serving()) & set(old)
        assert stage.places_taken() == list(range(stage.wanted))
        await stage.places.leave()

    virtual_time.run(play())


def played(*story: tuple[str, int]) -> Stage:
    async def play() -> Stage:
        stage = Stage()
        for what, which in story:
            await stage.play(what, which)
        await asyncio.sleep(1.0)
        await stage.places.leave()
        return stage

    return virtual_time.run(play())


def test_a_place_that_is_given_up_and_wanted_again_while_its_worker_drains_has_one_keeper() -> None:
    stage = played(("pass", 2), ("want", 0), ("pass", 0), ("want", 1), ("pass", 2), ("drain", 0), ("pass", 3))
    assert stage.places_taken() == [0, 1]


def test_a_replacement_has_the_place_of_a_worker_that_dies_meanwhile() -> None:
    async def play() -> None:
        stage = Stage()
        await asyncio.sleep(1.0)
        stage.roll()
        await asyncio.sleep(1.0)
        replacement = stage.processes[-1]
        assert replacement.number == 0
        stage.processes[0].die()
        await asyncio.sleep(3.0)
        assert [process for process in stage.serving() if process.number == 0] == [replacement]

    virtual_time.run(play())


def test_a_replacement_that_does_not_come_up_leaves_the_old_one() -> None:
    async def play() -> None:
        stage = Stage()
        await asyncio.sleep(1.0)
        old = stage.serving()
        stage.roll()
        await asyncio.sleep(1.0 + 3 * READY_S)
        assert stage.serving() == old
        assert len(stage.processes) == 4

    virtual_time.run(play())


@pytest.mark.parametrize("refusing", [False, True])
def test_a_worker_that_dies_or_cannot_be_started_is_started_ever_more_slowly(refusing: bool) -> None:
    async def play() -> list[float]:
        stage = Stage()
        stage.want(1)
        stage.refusing = refusing
        starts: list[float] = []

        async def start(number: int) -> Process:
            starts.append(asyncio.get_running_loop().time())
            process = await Stage.start(stage, number)
            process.die()
            return process

        places = Places(start, stage.guard)
        places.man(1)
        await asyncio.sleep(60)
        await places.leave()
        return starts

    starts = virtual_time.run(play())
    waits = [end - begin - START_S for begin, end in itertools.pairwise(starts)]
    assert waits[: len(BACKOFF_S)] == pytest.approx(BACKOFF_S)
    later = waits[len(BACKOFF_S) :]
    assert later == pytest.approx([BACKOFF_S[-1]] * len(later))
