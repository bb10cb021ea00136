"""How time grows with size: an exponent from times that were taken in turn, and what it allows to say."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from statistics import median
from typing import Any

from perf.gate.pairing import frozen

LIMIT = 1.15
"""The largest exponent that counts as linear. n log n over these sizes gives 1.10 to 1.15, and tables, trees or
records that outgrow the processor's caches on the way up give some hundredths; n ** 1.2 would show."""
BLOCK_S = 0.004
"""Shorter calls are repeated and timed as one block: a clock and a loop cost some 100 ns."""
ROUNDS_MIN, ROUNDS_MAX = 3, 25
WARM_CALLS = 2
DRAWS, LOW, HIGH = 400, 0.025, 0.975

Clock = Callable[[], float]
Times = Mapping[int, Sequence[float]]
"""Size -> seconds a call, one for each round."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What was found: time ~ size ** exponent."""

    name: str
    unit: str
    times: Times
    hot: bool
    """A request, a page or a job waits for it again and again."""
    exponent: float
    low: float
    high: float
    """The exponent's 95 % bounds, from rounds drawn anew."""
    last: float
    """The exponent between the two largest sizes alone: nothing constant flattens it, but two sizes on a machine that
    others use are 0.2 off at times, so it is told and does not decide."""

    @property
    def within(self) -> bool:
        """The exponent may be called linear, or nothing hot depends on it."""
        return not self.hot or self.exponent <= LIMIT

    @property
    def medians(self) -> dict[int, float]:
        return {size: median(times) for size, times in sorted(self.times.items())}


def growth(name: str, unit: str, times: Times, *, hot: bool = True) -> Growth:
    """The exponent of the medians by least squares on logarithms, and how far it may be off."""
    draw, sizes = random.Random(7), sorted(times)
    drawn = sorted(
        slope(sizes, [median(draw.choices(times[size], k=len(times[size]))) for size in sizes]) for _ in range(DRAWS)
    )
    medians = [median(times[size]) for size in sizes]
    low, high = drawn[int(LOW * DRAWS)], drawn[int(HIGH * DRAWS)]
    return Growth(name, unit, times, hot, slope(sizes, medians), low, high, slope(sizes[-2:], medians[-2:]))


def slope(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The exponent b of seconds ~ a * size ** b."""
    x, y = [log(size) for size in sizes], [log(second) for second in seconds]
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    over = sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True))
    return over / sum((a - x_mean) ** 2 for a in x)


def times_of(calls: Mapping[int, Callable[[], Any]], clock: Clock, budget_s: float) -> Times:
    """Every size once a round, each round begun by another, until the budget is used (3 rounds at least)."""
    blocks = {size: _block(call, clock) for size, call in calls.items()}
    times: dict[int, list[float]] = {size: [] for size in calls}
    sizes, began = list(calls), clock()
    with frozen():
        for turn in range(ROUNDS_MAX):
            if turn >= ROUNDS_MIN and clock() - began > budget_s:
                break
            first = turn % len(sizes)
            for size in sizes[first:] + sizes[:first]:
                times[size].append(_time(calls[size], blocks[size], clock))
    return times


def _block(call: Callable[[], Any], clock: Clock) -> int:
    """Calls in one block, after calls that warm up; what takes long is warm after one."""
    for _ in range(WARM_CALLS):
        took = _time(call, 1, clock)
        if took > 50 * BLOCK_S:
            break
    return max(1, int(BLOCK_S / max(took, 1e-9)))


def _time(call: Callable[[], Any], calls: int, clock: Clock) -> float:
    began = clock()
    for _ in range(calls):
        call()
    return (clock() - began) / calls
