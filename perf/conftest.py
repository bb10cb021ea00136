"""What the suites share: inputs made once, and a benchmark that says its unit and what makes it grow.

`--benchmark-max-time` (s) is how long each benchmark may be timed: little in `make test`, more in `make perf`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pytest

from perf import inputs as making
from perf.figures import Line, table
from perf.gate.pairing import frozen
from perf.workloads import Inputs

ROUND_S = 0.0005
"""Calls that are shorter are timed so many at once: reading the clock costs 0.1 us."""
ROUNDS_MIN, ROUNDS_MAX = 5, 300
WARM_S = 0.05
SEEN = pytest.StashKey[list[Line]]()
"""What was measured in this run, to be told at its end."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The figures, in place of pytest-benchmark's tables, which know seconds alone."""
    if lines := config.stash.get(SEEN, []):
        terminalreporter.section("measured")
        terminalreporter.write_line(table(lines))


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """The table and the models that every suite measures on."""
    return making.make(tmp_path_factory.mktemp("perf") / "inputs")


@dataclass(frozen=True, slots=True)
class Measure:
    """One benchmark: what is timed, by a name for people, in a stated unit, with what makes it grow."""

    benchmark: Any
    budget_s: float
    lines: list[Line]

    def calls(self, name: str, group: str, grows_with: str, call: Callable[[], Any], parts: int = 1) -> Any:
        """Time `call`, warmed up; what its last call gave."""
        self._say(name, group, grows_with, unit="s")
        call_s = _warm(call)
        per_round = max(1, round(ROUND_S / call_s))
        rounds = min(ROUNDS_MAX, max(ROUNDS_MIN, round(self.budget_s / (per_round * call_s))))
        with frozen():
            given = self.benchmark.pedantic(call, rounds=rounds, iterations=per_round)
        if self.benchmark.stats is not None:  # --benchmark-disable calls once and times nothing
            stats = self.benchmark.stats.stats
            self.lines.append((name, stats.median, stats.min, stats.max, "s"))
            if parts > 1:
                self.benchmark.extra_info["values"] = {
                    "s": stats.data,
                    "s (each of them)": [t / parts for t in stats.data],
                }
        return given

    def values(
        self,
        name: str,
        group: str,
        grows_with: str,
        look: Callable[[], Mapping[str, float]],
        rounds: int = ROUNDS_MIN,
    ) -> Mapping[str, Sequence[float]]:
        """Look so many times; what was seen, by unit. How long a look took means nothing."""
        self._say(name, group, grows_with, unit="")
        seen: dict[str, list[float]] = {}

        def once() -> None:
            for unit, value in look().items():
                seen.setdefault(unit, []).append(value)

        with frozen():
            self.benchmark.pedantic(once, rounds=rounds, iterations=1)
        self.benchmark.extra_info["values"] = seen
        self.lines.extend((name, median(found), min(found), max(found), unit) for unit, found in seen.items())
        return seen

    def _say(self, name: str, group: str, grows_with: str, unit: str) -> None:
        self.benchmark.group = group
        self.benchmark.extra_info |= {"name": name, "grows_with": grows_with, "unit": unit}


@pytest.fixture
def measure(benchmark: Any, request: pytest.FixtureRequest) -> Measure:
    """A benchmark that times nothing but its call, with the garbage collector out of the way."""
    lines = request.config.stash.setdefault(SEEN, [])
    return Measure(benchmark, float(request.config.getoption("benchmark_max_time")), lines)


@pytest.fixture
def new_folder(tmp_path: Path) -> Callable[[], Path]:
    """Makes one more empty folder every time."""
    made: list[Path] = []

    def make() -> Path:
        made.append(tmp_path / str(len(made)))
        made[-1].mkdir()
        return made[-1]

    return make


def _warm(call: Callable[[], Any]) -> float:
    """Call until caches are full and the bytecode is specialised; the shortest time of one call, s."""
    until, shortest = perf_counter() + WARM_S, float("inf")
    while (started := perf_counter()) < until:
        call()
        shortest = min(shortest, perf_counter() - started)
    return shortest
