"""Counts of several workers, of which some have ended: no reader ever counts twice, or sees a total fall."""

import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.serving import metrics
from core.serving.metrics import Metrics

FILE_EVENTS = {"open", "os.rename", "os.remove", "os.listdir", "os.scandir"}


class Interruption:
    """Something that happens right before one of the file operations of the code under test."""

    def __init__(self) -> None:
        self._then: Callable[[], object] | None = None
        self._left = 0
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._then is None or event not in FILE_EVENTS:
            return
        self._left -= 1
        if self._left < 0:
            then, self._then = self._then, None
            then()

    @contextmanager
    def before(self, step: int, then: Callable[[], object]) -> Iterator[None]:
        self._left, self._then = step, then
        try:
            yield
        finally:
            self._then = None


class Killed(Exception):
    """The process ends here."""


def die() -> None:
    raise Killed


INTERRUPTED = Interruption()


class Endpoint:
    """Workers that count, publish and end, a parent that keeps what the dead have counted, and one who asks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        metrics.begin(folder)
        self.asked = Metrics(folder, pid=1)
        self.others = {pid: Metrics(folder, pid=pid) for pid in (2, 3, 4)}
        self.rows = 0

    def count(self, pid: int, rows: int) -> None:
        self.others[pid].count(200, "v1", rows, 1.0)
        self.others[pid].publish()
        self.rows += rows

    def replace(self, pid: int) -> None:
        """The worker ends; another one gets its number, as the system may give it again."""
        self.others[pid] = Metrics(self.folder, pid=pid)
        metrics.keep(self.folder, pid)

    def total(self) -> int:
        (count,) = re.findall(r"^slipway_rows_total (\d+)$", self.asked.text(), re.M)
        return int(count)


@pytest.fixture
def endpoint(tmp_path: Path) -> Endpoint:
    return Endpoint(tmp_path)


@pytest.mark.parametrize("step", range(8))
def test_a_parent_that_fails_amid_keeping_counts_leaves_none_out_and_none_twice(endpoint: Endpoint, step: int) -> None:
    endpoint.count(2, 5)
    endpoint.count(3, 7)
    endpoint.replace(3)
    with INTERRUPTED.before(step, die), suppress(Killed):
        endpoint.replace(2)
    assert endpoint.total() == 12
    endpoint.replace(2)
    assert endpoint.total() == 12
    assert not list(endpoint.folder.glob("*-2-*.json"))


@pytest.mark.parametrize("step", range(12))
def test_a_worker_that_ends_while_the_total_is_made_is_in_it_once(endpoint: Endpoint, step: int) -> None:
    endpoint.count(2, 5)
    endpoint.count(3, 7)
    with INTERRUPTED.before(step, lambda: endpoint.replace(2)):
        assert endpoint.total() == 12


@given(
    story=st.lists(
        st.tuples(
            st.sampled_from(["count", "replace", "fail to replace", "ask while one is replaced"]),
            st.sampled_from([2, 3, 4]),
            st.integers(0, 9),
        ),
        max_size=20,
    )
)
def test_whatever_happens_in_whatever_order_the_total_is_what_was_counted(story: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        endpoint = Endpoint(Path(folder))
        for what, pid, number in story:
            if what == "count":
                endpoint.count(pid, number)
            elif what == "replace":
                endpoint.replace(pid)
            elif what == "fail to replace":
                with INTERRUPTED.before(number, die), suppress(Killed):
                    endpoint.replace(pid)
            else:
                with INTERRUPTED.before(number, lambda pid=pid: endpoint.replace(pid)):
                    assert endpoint.total() == endpoint.rows
            assert endpoint.total() == endpoint.rows


@pytest.mark.parametrize("name", ["ended.json", "*-2-*.json"])
@pytest.mark.parametrize(
    "damaged", [b"", b"{", b"[1]", b'{"requests":"x","counts":3}', b'{"buckets":[1],"counts":{"buckets":[1]}}']
)
def test_counts_that_cannot_be_read_cost_themselves_only(endpoint: Endpoint, name: str, damaged: bytes) -> None:
    endpoint.count(2, 5)
    endpoint.count(3, 7)
    endpoint.count(4, 1)
    endpoint.replace(4)
    (file,) = endpoint.folder.glob(name)
    file.write_bytes(damaged)
    whole = 13 - (1 if name == "ended.json" else 5)
    assert endpoint.total() == whole
    endpoint.replace(3)
    assert endpoint.total() == whole
    endpoint.replace(2)
    assert endpoint.total() == whole


def test_what_an_earlier_parents_workers_left_behind_is_not_counted(endpoint: Endpoint) -> None:
    endpoint.count(2, 5)
    (left,) = endpoint.folder.glob("*-2-*.json")
    left.rename(endpoint.folder / "99999999-2-00.json")
    assert endpoint.total() == 0


def test_counts_that_cannot_be_published_are_told_all_the_same_and_published_later(endpoint: Endpoint, caplog) -> None:
    metrics.begin(endpoint.folder)
    endpoint.folder.rmdir()
    endpoint.folder.write_text("in the way")
    endpoint.asked.count(200, "v1", 3, 1.0)
    for _ in range(3):
        endpoint.asked.publish()
    assert endpoint.total() == 3
    assert "slipway_write_failures_total 5" in endpoint.asked.text()
    assert caplog.text.count("cannot be written") == 1
    endpoint.folder.unlink()
    endpoint.asked.publish()
    assert len(list(endpoint.folder.glob("*-1-*.json"))) == 1
