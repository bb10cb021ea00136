"""Every workload by name, in process; the gate compares two revisions by the same ones.

Each checks what it got: a fast wrong answer is no answer.
"""

import threading

import pytest
from turns import other_day

from perf.conftest import Measure
from perf.workloads import PARTS, Inputs, Workload

pytestmark = pytest.mark.measures


DAYS = 3
"""In `make test` those that are not costly take turns by the day; `make perf` times all."""
EVERY = [
    pytest.param(part, workload, id=workload.name, marks=[pytest.mark.full] if workload.costly else other_day(at, DAYS))
    for at, (part, workload) in enumerate((part, each) for part, workloads in PARTS.items() for each in workloads)
]


@pytest.mark.parametrize(("part", "workload"), EVERY)
def test_a_workload_in_process(measure: Measure, inputs: Inputs, part: str, workload: Workload) -> None:
    before = set(threading.enumerate())
    prepared = workload.prepare(inputs)
    try:
        prepared.check(prepared.call())
        given = measure.calls(workload.name, part, workload.grows_with, prepared.call, workload.parts)
        prepared.check(given)
    finally:
        prepared.close()
    # The gate sets a workload up three times a restart: a thread that it leaves wakes in every block to come.
    assert set(threading.enumerate()) <= before


def test_two_copies_of_a_page_live_side_by_side(inputs: Inputs) -> None:
    page = next(workload for workload in PARTS["pages"] if workload.name == "page rerun, Explore")
    one, other = page.prepare(inputs), page.prepare(inputs)
    try:
        for copy in (one, other, one):
            copy.check(copy.call())
        one.close()
        other.check(other.call())
    finally:
        other.close()
