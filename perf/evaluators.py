"""The two evaluators of forests beside each other: `python -m perf.evaluators`, about 2 minutes.

Processor time of one call, the shortest of several, with other rows at each call: the same row would flatter both.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from unittest import mock

import numpy as np

from core.contract import samples
from core.predict import kernel
from core.predict.arrays import Array
from core.predict.encoder import Encoder
from core.predict.forest import Forest
from perf.growth.made import TARGET, made_table
from perf.models import Bench, bench

FORESTS = ((300, 31), (1_500, 31), (5_000, 16))
"""Trees, and the leaves of each."""
ROWS = (1, 2, 100, 1_000)
TABLE_ROWS, TABLE_COLUMNS = 8_000, 20
TURNS, TURN_S = 5, 0.1


@dataclass(frozen=True, slots=True)
class Timed:
    """One forest, so many rows at once: processor time of a call in microseconds."""

    trees: int
    leaves: int
    rows: int
    numpy_us: float
    compiled_us: float


def both(forest: Forest) -> tuple[Forest, Forest]:
    """The same trees for numpy and for the library."""
    with mock.patch.object(kernel, "library", return_value=None):
        by_numpy = replace(forest)
    return by_numpy, replace(forest)


def processor_us(call: Callable[[], object], turn_s: float = TURN_S) -> float:
    """Of one call: the shortest mean of several turns."""
    found = []
    for _ in range(TURNS):
        started, calls = time.process_time(), 0
        while (took := time.process_time() - started) < turn_s or not calls:
            call()
            calls += 1
        found.append(took / calls)
    return min(found) * 1e6


def timed(forest: Forest, matrix: Array, rows: Sequence[int], turn_s: float = TURN_S) -> list[Timed]:
    """Raises AssertionError where the evaluators differ in a single bit."""
    by_numpy, compiled = both(forest)
    assert np.array_equal(by_numpy.probabilities(matrix), compiled.probabilities(matrix))
    trees, leaves = len(forest.roots), (len(forest.feature) // len(forest.roots) + 1) // 2
    found = []
    for count in rows:
        parts = [matrix[at : at + count] for at in range(0, len(matrix) - count + 1, count)]
        turns = cycle(parts[:1000])
        took = [processor_us(lambda f=f, t=turns: f.probabilities(next(t)), turn_s) for f in (by_numpy, compiled)]
        found.append(Timed(trees, leaves, count, *took))
    return found


def markdown(found: Sequence[Timed]) -> str:
    lines = ["| trees x leaves | rows | numpy, us | compiled, us | times |", "|---|---|---|---|---|"]
    lines += [
        f"| {t.trees:,} x {t.leaves} | {t.rows:,} | {t.numpy_us:,.0f} | {t.compiled_us:,.0f} "
        f"| {t.numpy_us / t.compiled_us:.1f} |"
        for t in found
    ]
    return "\n".join(lines) + "\n"


def _matrix(fitted: Bench, rows: int) -> Array:
    signature = fitted.problem.signature
    return Encoder(fitted.problem.codes)(samples.batch(signature, samples.rows(signature, rows, 3)))


def main() -> int:
    """1 where set-up has built no library."""
    if kernel.library() is None:
        print(f"There is no {kernel.place()}: run `python scripts/kernel.py`", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="evaluators-") as folder:
        fitted = bench(made_table(Path(folder), TABLE_ROWS, TABLE_COLUMNS), TARGET)
    matrix, found = _matrix(fitted, max(ROWS)), []
    for trees, leaves in FORESTS:
        forest = fitted.lightgbm(trees, leaves)
        assert isinstance(forest, Forest)
        found += timed(forest, matrix, ROWS)
        nodes = len(forest.feature)
        arrays = sum(array.nbytes for array in forest.arrays().values())
        print(f"{trees:,} trees: {nodes:,} nodes, {arrays / nodes:.0f} bytes each in the folder, {forest.depth} deep")
    print(markdown(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
