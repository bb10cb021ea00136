"""Latencies counted in buckets whose width grows with the value: a high dynamic range histogram.

The method is HdrHistogram's (http://hdrhistogram.org): a value keeps its leading bits, so that every percentile is
exact to one part in 1,024, from microseconds to hours, in a few thousand counters at most.
"""

from collections import Counter
from collections.abc import Iterator
from math import ceil

EXACT_BITS = 11
"""Leading bits that are kept: at most 1/1,024 is lost, less than 0.1 %."""
SHOWN_BITS = 5
"""The same for what is drawn: steps of 3 to 6 %."""
NS = 1e9


class Histogram:
    """Counts of latencies in seconds."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.count = 0
        self.sum_s = 0.0
        self.max_s = 0.0

    def add(self, seconds: float) -> None:
        """Count one latency; a negative one, from a clock that was set, counts as 0."""
        seconds = max(0.0, seconds)
        self._counts[_ceiling(round(seconds * NS), EXACT_BITS)] += 1
        self.count += 1
        self.sum_s += seconds
        self.max_s = max(self.max_s, seconds)

    def percentile_s(self, share: float) -> float:
        """The smallest latency that at least `share` (0 to 1) of them do not exceed; 0 when there are none."""
        rank = max(1, ceil(share * self.count))
        seen = 0
        for bound, count in sorted(self._counts.items()):
            seen += count
            if seen >= rank:
                return min(bound / NS, self.max_s)
        return 0.0

    @property
    def mean_s(self) -> float:
        return self.sum_s / self.count if self.count else 0.0

    def shown(self) -> Iterator[tuple[float, int]]:
        """Upper bounds in milliseconds with their counts, ascending, coarse enough to be drawn."""
        coarse: Counter[int] = Counter()
        for bound, count in self._counts.items():
            coarse[_ceiling(bound, SHOWN_BITS)] += count
        for bound, count in sorted(coarse.items()):
            yield bound / NS * 1e3, count


def _ceiling(value: int, bits: int) -> int:
    """The largest integer that shares its `bits` leading bits with `value`."""
    dropped = max(0, value.bit_length() - bits)
    return value | ((1 << dropped) - 1)
