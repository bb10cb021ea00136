"""Rows by the batch: of growing size, and from everywhere."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from core.checks.asking.everywhere import Rows, batches_from_everywhere, smallest
from core.checks.outcome import NotApplicable, Violation
from core.checks.probe.exchange import Exchange
from core.checks.probe.probe import Probe

DIFFERENT_MIN = 3
"""Fewer different rows may well get one answer: a flag alone makes two."""
PROVEN = "and parity shows that the trained model answers so"


def batches(probe: Probe) -> Iterator[Rows]:
    """Batches of growing size, the smallest first."""
    for size in (2, 5, probe.rows):
        yield probe.sample(size)


def each_batch(probe: Probe, judge: Callable[[Rows], object]) -> str:
    """Let `judge` see batches of growing size and then rows from everywhere; gives how many in words.

    Raises the Violation that `judge` does, from everywhere with as few rows as show it.
    """
    for rows in batches(probe):
        judge(rows)
    return f"{probe.rows} rows and {each_from_everywhere(probe, judge):,} from everywhere"


def each_from_everywhere(probe: Probe, judge: Callable[[Rows], object]) -> int:
    """Let `judge` see rows from everywhere; gives how many. Raises Violation with as few rows as show it."""
    count = 0
    for rows in batches_from_everywhere(probe):
        try:
            judge(rows)
        except Violation as e:
            raise smallest(judge, rows) or e from e
        count += len(rows)
    return count


def vary(probe: Probe, ask: Callable[[Rows], tuple[Sequence[Any], Exchange]], excuse: str = "") -> str:
    """How many different answers there are, in words. Two are enough: a tree of one split gives no more.

    Where all rows get one, those from everywhere too, raises Violation, or NotApplicable where that is right: by
    `excuse`, or as parity has shown.
    """
    sent = 0
    rows_seen: set[str] = set()
    distinct: set[str] = set()
    for rows in chain([probe.sample(probe.rows)], batches_from_everywhere(probe)):
        found, exchange = ask(rows)
        distinct.update(map(repr, found))
        rows_seen.update(map(repr, rows))
        sent += len(rows)
        if len(distinct) > 1:
            return f"{sent:,} rows got {len(distinct)} distinct answers"
    if len(rows_seen) < DIFFERENT_MIN:
        raise NotApplicable(f"there are {len(rows_seen)} different rows in the document, which is too few to tell")
    one = f"{sent:,} rows from all over what the document allows all got {distinct.pop()}"
    if excuse or probe.proven:
        raise NotApplicable(f"{one}, {excuse or PROVEN}")
    raise Violation(one, exchange)
