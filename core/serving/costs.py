"""What a request will cost, before any of it is read: from what earlier ones of about as many rows took."""

from typing import NamedTuple

INLINE_S = 0.005
"""More of the processor than this is spent beside the event loop: health and small requests must not wait."""
GUESS_ROW_S = 60e-6
"""Until anything was measured: some 80 rows count as little work."""
BYTE_S = 10e-9
"""What reading costs at the least, however few rows a body holds."""
WEIGHT = 0.1
"""Of the newest run in the average: one odd run does not make a fast deployment slow."""
SIZES = 32
ALWAYS_RUNS, ALWAYS_ROWS = 16, 16
"""To measure each of the small ones would cost them one percent."""

COUNTED_BYTES = 32 * 1024
"""Rows are counted in so much of a body, in 10 us at most; a longer one goes on as it begins."""


class Cost(NamedTuple):
    """By the clock, which says how long others wait, and of the processor, which a busy neighbour leaves alone."""

    run_s: float
    cpu_s: float


class Costs:
    """The average cost of one deployment's requests by their rows, in classes that double: 1, 2 to 3, 4 to 7, ..."""

    __slots__ = ("_cpu_s", "_row_bytes", "_rows", "_run_s", "_turn", "dear", "little")

    def __init__(self) -> None:
        self._rows = [0.0] * SIZES
        """The average rows of a class; 0 where none has run yet."""
        self._run_s, self._cpu_s = [0.0] * SIZES, [0.0] * SIZES
        self._row_bytes = 0.0
        self._turn = 0
        self.little = [False] * SIZES
        """Which classes are known to be little work, however many of its rows a request has."""
        self.dear = False
        """Whether requests of any size are too much work for the event loop."""

    def due(self, rows: int) -> bool:
        """Whether this run is to be measured: of small ones, which are many, the first and then every eighth."""
        self._turn = turn = self._turn + 1
        return turn <= ALWAYS_RUNS or rows > ALWAYS_ROWS or not turn & 7

    def ran(self, rows: int, body_bytes: int, run_s: float, cpu_s: float) -> None:
        """Take in one run, of decoding, prediction and encoding together. `rows` as `rows_at_most` tells them."""
        size, rows = rows.bit_length(), max(rows, 1)
        weight = WEIGHT if self._rows[size] else 1.0
        self._rows[size] += weight * (rows - self._rows[size])
        self._run_s[size] += weight * (run_s - self._run_s[size])
        self._cpu_s[size] += weight * (cpu_s - self._cpu_s[size])
        self._row_bytes += (WEIGHT if self._row_bytes else 1.0) * (body_bytes / rows - self._row_bytes)
        self.little[size] = 2 * self._cpu_s[size] <= INLINE_S
        if self._cpu_s[size] > INLINE_S:
            self.dear = True
        elif self.dear:
            self.dear = max(self._cpu_s) > INLINE_S

    def of(self, rows: int, body_bytes: int = 0) -> Cost:
        """What so many rows will cost: rather too much than too little where so many have not been seen."""
        size = rows.bit_length()
        if mean := self._rows[size]:
            times = rows / mean if rows else 1.0
            run_s, cpu_s = times * self._run_s[size], times * self._cpu_s[size]
        else:
            run_s, cpu_s = self._between(rows, self._run_s), self._between(rows, self._cpu_s)
        if body_bytes > COUNTED_BYTES:
            least_s = body_bytes * BYTE_S
            return Cost(max(least_s, run_s), max(least_s, cpu_s))
        return Cost(run_s, cpu_s)

    def rows_in(self, body_bytes: int) -> int:
        """How many rows a body of that length is likely to hold, by the average so far."""
        return round(body_bytes / self._row_bytes) if self._row_bytes else 0

    def _between(self, rows: int, took_s: list[float]) -> float:
        """On the line between the nearest classes that are known; beyond them in proportion to the rows."""
        known = [(self._rows[size], took_s[size]) for size in range(SIZES) if self._rows[size]]
        below = next((one for one in reversed(known) if one[0] <= rows), None)
        above = next((one for one in known if one[0] > rows), None)
        if below and above:
            share = (rows - below[0]) / (above[0] - below[0])
            return below[1] + share * (above[1] - below[1])
        if below:
            return below[1] * rows / below[0]
        return above[1] if above else rows * GUESS_ROW_S


def rows_at_most(body: bytes) -> int:
    """How many rows a body may hold: each opens a bracket of its kind, so there are hardly more than these."""
    if len(body) > COUNTED_BYTES:
        return rows_at_most(body[:COUNTED_BYTES]) * len(body) // COUNTED_BYTES
    objects, lists = body.count(b"{"), body.count(b"[")
    opened = objects if objects > lists else lists
    return opened - 1 if opened else 0
