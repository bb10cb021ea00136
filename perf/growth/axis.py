"""One thing that grows, in one direction."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from perf.growth.fit import Clock, Growth, growth, times_of
from perf.workloads.workload import Prepared


@dataclass(frozen=True, slots=True)
class Axis:
    """What is called at each size; four sizes, from small to large."""

    name: str
    unit: str
    sizes: tuple[int, ...]
    prepare: Callable[[Path, int], Prepared]
    """Given an empty folder of its own and a size."""
    hot: bool = True
    budget_s: float = 6.0


def measure(axis: Axis, folder: Path, clock: Clock) -> Growth:
    """Set every size up, check what each gives, time them in turn. Raises AssertionError for a wrong result."""
    with ExitStack() as stack:
        calls = {}
        for size in axis.sizes:
            own = folder / axis.name.replace(" ", "-").replace(",", "").replace(":", "") / str(size)
            own.mkdir(parents=True)
            prepared = axis.prepare(own, size)
            stack.callback(prepared.close)
            prepared.check(prepared.call())
            calls[size] = prepared.call
        return growth(axis.name, axis.unit, times_of(calls, clock, axis.budget_s), hot=axis.hot)
