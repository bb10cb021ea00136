"""What a step's program prints: every line of it as long as there is room, then its beginning and its end."""

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from local_world import World
from own_steps import command, step_of, trigger, work_on
from small_disks import mounted
from waiting import wait_until

from core.domain.errors import ServiceUnavailable, StepFailed, StorageFull
from core.domain.job import LogLine
from core.local.machine.logs import job_log
from core.local.worker.printed import LINE_CHARS_MAX, PARTIAL_S, Printed
from core.local.worker.work import JobLog
from core.local.workspace import open_local


class Printing:
    """A log that is printed into, and its clock."""

    def __init__(self, path: Path, max_mb: float) -> None:
        self.path, self.now = path, 0.0
        self.log = JobLog(path, lambda: self.now)
        self.printed = Printed(self.log, max_mb, clock=lambda: self.now, monotonic=lambda: self.now)

    def say(self, *chunks: bytes, level: str = "out") -> None:
        for chunk in chunks:
            self.printed.take(level, chunk)
        self.printed.look()

    @property
    def lines(self) -> list[LogLine]:
        return list(job_log(self.path))

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.lines]


@pytest.fixture
def printing(tmp_path: Path) -> Printing:
    return Printing(tmp_path / "log.jsonl", 0.02)


def test_a_line_is_in_the_log_as_soon_as_it_is_whole(printing: Printing) -> None:
    printing.say(b"one\ntw")
    assert printing.texts == ["one"]
    printing.say(b"o\n\nthree\r\n")
    assert printing.texts == ["one", "two", "", "three"]


def test_the_streams_are_kept_apart_and_in_order(printing: Printing) -> None:
    printing.say(b"out 1, ")
    printing.say(b"error\n", level="err")
    printing.say(b"out 2\n")
    assert [(line.level, line.text) for line in printing.lines] == [("err", "error"), ("out", "out 1, out 2")]


def test_a_line_without_an_end_is_shown_after_a_while_and_only_once(printing: Printing) -> None:
    printing.say(b"\r10 %", b"\r20 %")
    assert printing.texts == []
    printing.now += PARTIAL_S
    printing.say()
    assert printing.texts == ["20 %"]
    printing.say(b"\n", b"done")
    printing.printed.close()
    assert printing.texts == ["20 %", "done"]


def test_a_progress_bar_shows_what_a_terminal_would(printing: Printing) -> None:
    printing.say(*(b"\r%d %%" % done for done in range(100)), b"\r100 %\n", b"a\rb\r\n")
    assert printing.texts == ["100 %", "b"]


def test_a_line_of_any_length_is_broken_into_pieces(tmp_path: Path) -> None:
    printing = Printing(tmp_path / "log.jsonl", 1.0)
    for _ in range(50):
        printing.say("xü€".encode() * 200)
    printing.say(b"\n")
    printing.say("xü€".encode() * 10_000 + b"\n")
    assert "".join(printing.texts) == "xü€" * 20_000
    assert max(map(len, printing.texts)) == LINE_CHARS_MAX


LEFT_OUT = re.compile(r"([\d.]+) MB of what it printed are left out here; SLIPWAY_STEP_LOG_MAX_MB is 0.02")


def test_too_much_keeps_its_beginning_and_its_end_and_says_how_much_is_missing(printing: Printing) -> None:
    for number in range(5_000):
        printing.say(b"line %06d\n" % number)
        printing.now += 0.01
        assert printing.path.stat().st_size < 30_000, "at no time"
    printing.printed.close()
    texts = printing.texts
    at = next(number for number, text in enumerate(texts) if LEFT_OUT.search(text))
    head, tail = texts[:at], texts[at + 1 :]
    assert head == [f"line {number:06}" for number in range(len(head))]
    assert tail == [f"line {number:06}" for number in range(5_000 - len(tail), 5_000)]
    assert len(head) > 100
    assert len(tail) > 50
    missing = LEFT_OUT.search(texts[at])
    assert missing
    assert float(missing[1]) == pytest.approx((5_000 - len(head) - len(tail)) * 12 / 1e6, abs=0.051)


def test_what_is_printed_faster_than_it_can_be_written_is_not_even_looked_at(printing: Printing) -> None:
    for number in range(5_000):
        printing.printed.take("out", b"line %06d\n" % number)
    printing.printed.close()
    assert printing.texts[0] == "line 000000"
    assert printing.texts[-1] == "line 004999"
    assert printing.path.stat().st_size < 30_000


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=400) | st.just(b"\n") | st.just(b"\r"), max_size=60), st.randoms())
def test_any_bytes_give_lines_that_can_be_read(chunks: list[bytes], random: object) -> None:
    path = Path(f"/dev/shm/slipway-printed-{id(chunks)}")
    try:
        printing = Printing(path, 0.004)
        for chunk in chunks:
            printing.say(chunk)
        printing.printed.close()
        assert all(b"\n" in line for line in path.read_bytes().splitlines(keepends=True))
        assert len(printing.lines) == path.read_bytes().count(b"\n")
        assert path.stat().st_size < 60_000
    finally:
        path.unlink(missing_ok=True)


FLOOD = """
import os, sys
print("the beginning", flush=True)
block = b"".join(b"a line of the middle, number %d\\n" % n for n in range(2000))
for _ in range(int(sys.argv[1]) * 1_000_000 // len(block)): os.write(1, block)
os.write(2, b"an error\\n")
print("the end", flush=True)
"""


def flooded(world: World, size_mb: int) -> list[str]:
    doing = work_on(world, command(world, FLOOD, size_mb))
    doing.do()
    texts = [text for _, text in doing.log]
    assert texts[0] == "the beginning"
    assert texts[-1] == "the end"
    assert ("err", "an error") in doing.log, "what the other stream prints does not drive it out"
    assert world.paths.job_log(doing.job.id).stat().st_size < world.settings.step_log_max_mb * 1.25e6
    assert any("MB of what it printed are left out here" in text for text in texts)
    return texts


def test_a_step_that_prints_far_more_than_is_kept_ends_in_order(tmp_path: Path) -> None:
    world = World(tmp_path / "workspace", step_log_max_mb="0.2")
    flooded(world, 20)
    world.close()


@pytest.mark.full
@pytest.mark.measures
def test_a_gigabyte_costs_neither_disk_nor_memory_nor_much_time(world: World) -> None:
    began, before = time.monotonic(), psutil.Process().memory_info().rss
    flooded(world, 1000)
    assert time.monotonic() - began < 30
    assert psutil.Process().memory_info().rss - before < 150e6


def test_a_line_of_a_hundred_megabytes_is_no_problem(tmp_path: Path) -> None:
    world = World(tmp_path / "workspace", step_log_max_mb="0.2")
    code = "import os\nfor _ in range(100): os.write(1, b'x' * 1_000_000)\nprint('\\nthe end')"
    doing = work_on(world, command(world, code))
    doing.do()
    assert doing.log[-1] == ("out", "the end")
    world.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[World]:
    with mounted(tmp_path / "disk", 6) as disk:
        made = World(disk / "workspace")
        yield made
        made.close()


@pytest.mark.parametrize("where", ["log", "outputs"])
def test_a_full_disk_fails_the_attempt_and_the_log_stays_readable(small: World, where: str) -> None:
    log = "import os\nwhile True: os.write(1, b'y' * 99 + b'\\n')"
    outputs = "import os\nopen(os.environ['SLIPWAY_STEP_OUTPUTS'] + '/big', 'wb').write(b'y' * 20_000_000)"
    doing = work_on(small, command(small, log if where == "log" else outputs))
    with pytest.raises((StorageFull, StepFailed), match=r"disk is full|No space left on device"):
        doing.do()
    assert not list(small.paths.job(doing.job.id).glob("work-*"))
    assert {len(text) for level, text in doing.log if level == "out"} <= {99}


@pytest.mark.full
def test_a_run_whose_step_fills_the_disk_fails_with_that_sentence(small: World) -> None:
    kept = small.store.jobs.list()
    run_id = trigger(small, command(small, "import os\nwhile True: os.write(1, b'y' * 99 + b'\\n')")).id
    tick = small.reconciler()

    def ticked() -> bool:
        with suppress(StorageFull, ServiceUnavailable):
            tick()
        with suppress(StorageFull, ServiceUnavailable):
            return small.job(run_id).state.final
        return False

    wait_until(ticked, 60)
    assert "The disk is full" in small.job(run_id).message
    assert step_of(small, run_id).attempt == 1
    assert kept == small.store.jobs.list()[1:]
    lines = open_local(small.settings).pipelines.step_log(run_id, "own", 100_000)
    assert {len(line.text) for line in lines if line.level == "out"} == {99}
