"""What a table costs before it is learned from and after grows with its rows and columns, and not with their square."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from perf.growth import batch, reading, tables
from perf.growth.fit import slope
from perf.workloads.workload import Prepared

GENEROUS = 1.4
"""Of two sizes, with a constant part below and a machine that others use; a square would give nearly 2."""
CALLS = 2


def processor_s(prepared: Prepared) -> float:
    """Of the quicker call."""
    times = []
    for _ in range(CALLS):
        began = time.process_time()
        prepared.call()
        times.append(time.process_time() - began)
    prepared.close()
    return min(times)


@pytest.mark.full
@pytest.mark.measures
@pytest.mark.parametrize(
    ("prepare", "sizes"),
    [
        (lambda folder, n: tables._profile(folder, rows=100, columns=n), (500, 2_000)),
        (lambda folder, n: reading._prepare(folder, rows=100, columns=n), (500, 2_000)),
        (lambda folder, n: reading._reference(folder, rows=100, columns=n), (500, 2_000)),
        (lambda folder, n: reading._registration(folder, rows=20, columns=n), (400, 1_600)),
        (lambda folder, n: tables._profile(folder, rows=n, columns=10), (20_000, 80_000)),
        (lambda folder, n: batch.scored(folder, rows=n), (4_000, 32_000)),
    ],
    ids=["profile", "prepare", "reference", "registration", "profile by rows", "batch"],
)
def test_the_cost_of_a_table_grows_with_its_size(
    tmp_path: Path, prepare: Callable[[Path, int], Prepared], sizes: tuple[int, int]
) -> None:
    took = []
    for size in sizes:
        folder = tmp_path / str(size)
        folder.mkdir()
        took.append(processor_s(prepare(folder, size)))
    assert slope(sizes, took) < GENEROUS, took
