"""Merging, removing and crashes between any two steps, held against a plain list of what was recorded."""

import json
import math
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Event, Semaphore, Thread

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.errors import SpecInvalid
from core.local.records import catalog, inputs, merging, requests, search, telemetry
from core.local.records.merging import INPUTS, Keep, Merging
from core.settings import CHECKOUT

BEGIN = 1_750_000_000.0
DAYS = 3.0
DB = duckdb.connect()
DAY_S = 86_400.0


class Died(BaseException):
    """A kill, as far as one process can play it: nothing that follows is done."""


class History:
    """A folder, the clock of its machine, and everything that its servers recorded there."""

    def __init__(self, folder: Path, keep: Keep) -> None:
        self.folder, self.keep, self.now, self.latest = folder, keep, BEGIN, BEGIN
        self.recorded: dict[str, float] = {}
        self.written: dict[str, float] = {}
        self.open: dict[int, Path] = {}
        self.segments = 0

    def append(self, server: int, count: int, age_s: float) -> None:
        if server not in self.open:
            self.segments += 1
            self.open[server] = self.folder / f"seg-{self.now * 1000:.0f}-{server}-{self.segments}.jsonl.open"
        lines = []
        for _ in range(count):
            name, at = f"r{len(self.recorded)}", self.now - age_s
            self.recorded[name], self.written[name] = at, self.now
            lines.append(json.dumps({"at": at, "request_id": name, "status": 200, "rows": 1, "elapsed_ms": 1.0}) + "\n")
        with self.open[server].open("a") as file:
            file.write("".join(lines))
        os.utime(self.open[server], (self.now, self.now))

    def close(self, server: int) -> None:
        if path := self.open.pop(server, None):
            path.rename(path.with_suffix(""))

    def die(self, server: int) -> None:
        """A server that was killed in the middle of a line."""
        if path := self.open.pop(server, None):
            with path.open("a") as file:
                file.write('{"at": 1, "requ')
            os.utime(path, (self.now, self.now))

    def clock(self, change_s: float) -> None:
        """Time passes, or the clock is set; a segment is closed when its age is odd."""
        for server in list(self.open):
            self.close(server)
        self.now += change_s
        self.latest = max(self.latest, self.now)

    def round(self, steps: int) -> None:
        """One round of merging that dies after so many steps; 0: that ends."""
        left = steps

        def step(name: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Died(name)

        writing = set(self.open.values())
        with suppress(Died):
            round_ = Merging(self.folder, merging.REQUESTS, now=self.now, keep=self.keep, step=step)
            round_.run(alive=lambda segment: segment.path in writing)

    def seen(self) -> list[str]:
        files = catalog.look(self.folder).within(-math.inf, math.inf)
        found = DB.execute(f"SELECT request_id FROM ({requests.sources(files)})")
        return [name for (name,) in found.fetchall()]

    def check(self) -> None:
        seen = self.seen()
        assert len(seen) == len(set(seen)), "counted twice"
        assert set(seen) <= self.recorded.keys()
        young = self.latest - DAYS * DAY_S
        kept = {name for name, at in self.recorded.items() if min(at, self.written[name]) >= young}
        assert kept <= set(seen), "lost"
        for since, until in ((self.now - 60, self.now + 1), (self.now - 3600, self.now - 60)):
            within = sum(since <= self.recorded[name] < until for name in seen)
            assert telemetry.summary("e", self.folder, since, until, 3).requests == within


SERVERS = st.integers(7, 8)
EVENTS = st.one_of(
    st.tuples(st.just("append"), SERVERS, st.integers(1, 3), st.sampled_from([0.0, 0.5, 20.0])),
    st.tuples(st.just("close"), SERVERS),
    st.tuples(st.just("die"), SERVERS),
    st.tuples(st.just("clock"), st.sampled_from([1.0, 130.0, 1300.0, 4000.0, 90_000.0, -50.0, -5000.0, -90_000.0])),
    st.tuples(st.just("round"), st.integers(0, 14)),
)


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(EVENTS, min_size=8, max_size=24))
def test_whatever_happens_each_request_counts_once_until_it_is_too_old(tmp_path_factory, events):
    history = History(tmp_path_factory.mktemp("history"), Keep(DAYS, 1000))
    for name, *values in events:
        getattr(history, name)(*values)
        if name == "round":
            history.check()
    history.round(0)
    history.check()


@pytest.fixture
def history(tmp_path):
    return History(tmp_path, Keep(DAYS, 1000))


def test_a_death_at_every_single_step_loses_and_doubles_nothing(history):
    """Segments taken, files merged, files removed: each step of all of them is the last one once."""
    for steps in range(1, 26):
        for server in (7, 8):
            history.append(server, 2, 0.0)
            history.close(server)
        history.clock(700.0 if steps % 5 else 2 * DAY_S)
        history.round(steps)
        history.check()
        history.round(steps + 1)
        history.check()
    history.round(0)
    history.check()
    assert [path.name for path in history.folder.iterdir() if path.name.startswith(".")] == []


MERGE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from core.local.records.merging import REQUESTS, Keep, Merging
left = int(sys.argv[3])
def step(name):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
round_ = Merging(Path(sys.argv[1]), REQUESTS, now=float(sys.argv[2]), keep=Keep(3.0, 1000), step=step)
round_.run(alive=lambda segment: False)
"""


@pytest.mark.full
@pytest.mark.parametrize("first", [1, 2, 3])
def test_a_process_that_is_killed_at_any_step_loses_and_doubles_nothing(history, first):
    """As above with a real `kill -9`, which runs no clean-up either."""
    codes: list[int] = []
    for steps in range(first, 19, 3):
        for server in (7, 8):
            history.append(server, 2, 0.0)
        history.clock(700.0 if steps % 5 else 2 * DAY_S)
        words = [str(history.folder), str(history.now), str(steps)]
        done = subprocess.run([sys.executable, "-c", MERGE_AND_DIE, *words], cwd=CHECKOUT, check=False)
        codes.append(done.returncode)
        history.check()
    assert set(codes) == {0, -signal.SIGKILL} or set(codes) == {-signal.SIGKILL}
    history.round(0)
    history.check()
    assert [path.name for path in history.folder.iterdir() if path.name.startswith(".")] == []


def test_a_long_history_is_few_files(history):
    for _ in range(40):
        history.append(7, 1, 0.0)
        history.close(7)
        history.clock(900.0)
        history.round(0)
    history.check()
    assert len(history.seen()) == 40
    assert len(list(history.folder.iterdir())) < 12


def test_what_is_older_than_may_be_kept_is_removed(history):
    history.append(7, 5, 0.0)
    history.clock(DAY_S * DAYS + 1)
    history.append(7, 2, 0.0)
    history.round(0)
    history.round(0)
    assert sorted(history.seen()) == ["r5", "r6"]


def test_of_more_than_may_be_kept_the_oldest_are_removed_and_a_full_disk_does_not_hinder_it(tmp_path):
    history = History(tmp_path, Keep(DAYS, 0.02))
    for _ in range(12):
        history.append(7, 40, 0.0)
        history.clock(4000.0)
        history.round(0)
    sizes = [path.stat().st_size for path in tmp_path.glob("rec-*")]
    assert 5_000 < sum(sizes) < 20_000 + max(sizes)
    seen = history.seen()
    assert len(seen) < 480
    assert set(seen) == set(sorted(history.recorded, key=history.recorded.__getitem__)[-len(seen) :])


def test_a_clock_from_the_future_is_told_once_and_ages_from_when_it_was_written(history, caplog):
    history.append(7, 1, -400 * DAY_S)
    history.clock(1.0)
    for _ in range(2):
        history.round(0)
    assert caplog.text.count("from the future") == 1
    assert len(history.seen()) == 1
    history.clock(DAYS * DAY_S + 10)
    history.round(0)
    assert history.seen() == []


@pytest.mark.parametrize("keep", [(0, 1), (1, 0), (-1, 1), (math.nan, 1)])
def test_bounds_that_keep_nothing_are_refused(keep):
    with pytest.raises(SpecInvalid):
        Keep(*keep)


# Kept inputs


def lines(folder):
    return [json.loads(line)["n"] for line in inputs.newest(folder) if line.startswith(b"{")]


def test_kept_inputs_are_merged_and_read_newest_first(tmp_path):
    for number in range(40):
        (tmp_path / f"seg-{number * 100_000}-7-{number}.jsonl").write_text(
            "".join(json.dumps({"at": number * 100.0 + n, "n": number * 3 + n}) + "\n" for n in range(3))
        )
    expected = list(reversed(range(120)))
    assert lines(tmp_path) == expected
    for now in (4_000.0, 8_000.0, 200_000.0):
        Merging(tmp_path, INPUTS, now=now).run(alive=lambda segment: True)
        assert lines(tmp_path) == expected
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".gz", ".json"]


def test_a_damaged_file_of_kept_inputs_gives_what_it_still_can(tmp_path, caplog):
    (tmp_path / "seg-1-7-1.jsonl").write_text("".join(json.dumps({"at": 1.0 + n, "n": n}) + "\n" for n in range(2000)))
    Merging(tmp_path, INPUTS, now=10.0).run(alive=lambda segment: True)
    (merged,) = tmp_path.glob("rec-*")
    merged.write_bytes(merged.read_bytes()[:-1000])
    (tmp_path / "seg-9000000-7-2.jsonl").write_bytes(b'{"at": 9, "n": 5000}\nnonsense\n{"at": 9.5, "n": 50')
    for _ in range(2):
        found = lines(tmp_path)
        assert found[0] == 5000
        assert found[1:] == list(reversed(range(len(found) - 1)))
        assert 0 < len(found) < 2000
    assert caplog.text.count("cannot be read to its end") == 1


def test_kept_inputs_are_bounded_too(tmp_path):
    for day in range(4):
        (tmp_path / f"seg-{day * 86_400_000}-7-{day}.jsonl").write_text(
            json.dumps({"at": day * DAY_S, "n": day}) + "\n"
        )
    for _ in range(2):
        Merging(tmp_path, INPUTS, now=3 * DAY_S + 1, keep=Keep(2, 1)).run(alive=lambda segment: True)
    assert lines(tmp_path) == [3, 2]


# Readers and merging at once


def test_who_reads_while_files_are_merged_misses_nothing_and_counts_nothing_twice(tmp_path):
    """Segments come and are merged in a thread, with a clock that runs fast; what was complete is always all there."""
    history, done = History(tmp_path, Keep(DAYS, 1000)), Event()
    complete, read = [0], Semaphore(0)

    def live() -> None:
        try:
            for turn in range(40):
                if turn % 8 == 7:  # else all is written before anybody has read, where a disk is quick
                    assert read.acquire(timeout=30)
                history.append(7, 3, 0.0)
                complete[0] += 3
                history.clock(45.0 if turn % 8 else 4000.0)
                history.round(0)
        finally:
            done.set()

    writer = Thread(target=live)
    writer.start()
    reads = 0
    while not done.is_set():
        before = complete[0]
        seen = telemetry.summary("e", tmp_path, BEGIN - 1, BEGIN + 1e6, 1).requests
        assert before <= seen <= complete[0] + 3
        assert len(search.newest(tmp_path, 10_000)) >= seen
        reads += 1
        read.release()
    writer.join()
    assert reads > 3
    history.check()
    assert len(history.seen()) == 120
