"""Rules of a test run: what measures comes last, and in CI a test is skipped only for a reason that is allowed."""

import fcntl
import os
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from turns import AZURE_DAYS, asks_azure, azure_turn, may_ask_azure, other_day, wholly_azure
from waiting import wait_until

ALLOWED = Path(__file__).with_name("skips.txt")


def allowed_reasons(text: str) -> frozenset[str]:
    """One reason a line; lines that begin with # are comments."""
    return frozenset(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


class SkipRule:
    """Counts every skip by reason, prints them, and fails a CI run that has one which is not allowed."""

    def __init__(self, allowed: frozenset[str], in_ci: bool) -> None:
        self._allowed, self._in_ci = allowed, in_ci
        self._reasons: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._count(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._count(report)

    def _count(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
            self._reasons[report.longrepr[2].removeprefix("Skipped: ")] += 1

    @property
    def _refused(self) -> list[str]:
        return sorted(set(self._reasons) - self._allowed) if self._in_ci else []

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._refused and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._reasons:
            terminalreporter.section("skips by reason")
        for reason, count in self._reasons.most_common():
            terminalreporter.line(f"{count:5}  {reason}")
        for reason in self._refused:
            terminalreporter.line(
                f"In CI this is a failure, since {ALLOWED.name} does not allow it: {reason}", red=True
            )


LIVE = frozenset({"quickstart", "run_quickstart"})
"""Fixtures that start a whole workspace: what uses one waits a lot and computes little."""
LIVE_WORDS = ("measures", "quickstart")
"""What stands in the text of each test that measures or uses one of these fixtures."""
LIVE_ROOMS = frozenset({"lifecycle", "loadtest", "serving", "contract_tests", "cli"})
"""Folders whose tests wait for processes. Others do too: with these the other half ends when what measures begins."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The tests run in three parts at once: what mostly waits for live processes, what asks Azure, and the rest."""
    parser.addoption(
        "--half", choices=("live", "rest", "azure"), help="run one part of the tests; what measures is `live`"
    )
    parser.addoption("--half-lock", help="a file that the other parts hold until they have ended")
    parser.addoption("--half-others-s", type=float, default=900, help="what measures waits so long for the other parts")


class Halves:
    """Keeps one part, and lets nothing measure while the others still run."""

    def __init__(self, half: str, lock: str, others_s: float) -> None:
        self._half, self._others_s = half, others_s
        self._lock = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        if half != "live":
            fcntl.flock(self._lock, fcntl.LOCK_SH)

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        other = collection_path.match("test_*.py") and self._half not in parts_of_file(collection_path)
        return True if other else None

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        if lost := [item.nodeid for item in items if part_of(item) not in parts_of_file(item.path)]:
            raise pytest.UsageError(f"No part of `make test` would run these, see parts_of_file: {lost}")
        ours = [item for item in items if part_of(item) == self._half]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(ours)])
        items[:] = ours

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if self._half == "live" and item.get_closest_marker("measures"):
            wait_until(self._alone, self._others_s, every_s=0.2)

    def _alone(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


BESIDE_AZURE = frozenset({"architecture", "checks", "contract", "definitions", "gate", "ml", "packaging"})
"""Folders that go with what asks Azure, so that the three parts end at about the same time."""


def part_of(item: pytest.Item) -> str:
    """Which of the parts runs a test; what measures is `live`."""
    beside = _is_beside(item.path) and not _shares_a_workspace(item)
    if item.get_closest_marker("measures") is None and (asks_azure(item) or beside):
        return "azure"
    return "live" if _is_live(item) else "rest"


@cache
def parts_of_file(path: Path) -> frozenset[str]:
    """The parts that a file may have tests of. The others do not load it: all files are half a minute of a processor.

    What measures or shares a workspace says so in its text, or beside it in the folder's `conftest.py`.
    """
    texts = [each.read_text("utf-8") for each in (path, path.with_name("conftest.py")) if each.exists()]
    waits = _in_live_room(path) and not wholly_azure(path)
    live = waits or any(word in text for text in texts for word in LIVE_WORDS)
    azure = may_ask_azure(path) or _is_beside(path)
    rest = not _in_live_room(path) and not _is_beside(path) and not wholly_azure(path)
    return frozenset(part for part, may in (("live", live), ("azure", azure), ("rest", rest)) if may)


def _in_live_room(path: Path) -> bool:
    """Whatever the folders above the checkout are called."""
    folders = path.parts[:-1]
    suites = [at for at, folder in enumerate(folders) if folder in ("tests", "contract_tests")]
    return bool(suites) and bool(LIVE_ROOMS & set(folders[suites[-1] :]))


def _is_beside(path: Path) -> bool:
    return path.parent.parent.name == "tests" and path.parent.name in BESIDE_AZURE


def _shares_a_workspace(item: pytest.Item) -> bool:
    """A second part that did would start another: half a minute of both processors."""
    return bool(LIVE & set(getattr(item, "fixturenames", ())))


def _is_live(item: pytest.Item) -> bool:
    return _in_live_room(item.path) or _shares_a_workspace(item) or item.get_closest_marker("measures") is not None


def pytest_configure(config: pytest.Config) -> None:
    if half := config.getoption("--half"):
        lock, others_s = config.getoption("--half-lock"), config.getoption("--half-others-s")
        config.pluginmanager.register(Halves(half, lock, others_s))
    config.pluginmanager.register(Turns())
    in_ci = os.environ.get("CI", "").lower() in ("1", "true")
    config.pluginmanager.register(SkipRule(allowed_reasons(ALLOWED.read_text("utf-8")), in_ci))


class Turns:
    """What is not the turn of today belongs to the full tests."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            turn = azure_turn(item)
            if turn is not None:
                for mark in other_day(turn, AZURE_DAYS):
                    item.add_marker(mark)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests run one at a time; those that measure come last, when nothing that others started is still busy."""
    items.sort(key=lambda item: item.get_closest_marker("measures") is not None)
