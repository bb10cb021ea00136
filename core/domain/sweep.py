"""A load sweep: the same load at rising concurrency, and where more clients stop to bring more throughput."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.proof import LoadReport

SWEEP = "Concurrency sweep"
"""The label by which the loads of a sweep are known."""
KNEE_SHARE = 0.9
KNEE_MIN = 3
"""Fewer loads have no shape."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """The loads of one sweep, by rising concurrency."""

    loads: tuple[LoadReport, ...]

    @property
    def knee(self) -> LoadReport | None:
        """The load with the fewest clients that has nine tenths of the highest throughput.

        None of too few loads, and where only the most clients reach it: there throughput still rises.
        """
        if len(self.loads) < KNEE_MIN:
            return None
        enough = KNEE_SHARE * max(load.requests_per_s for load in self.loads)
        return next((load for load in self.loads[:-1] if enough and load.requests_per_s >= enough), None)

    @property
    def rising(self) -> bool:
        """Whether only the most clients come near the highest throughput, so that more might give more."""
        return len(self.loads) >= KNEE_MIN and self.knee is None and self.loads[-1].requests_per_s > 0

    @property
    def failed(self) -> tuple[LoadReport, ...]:
        """The loads in which requests failed."""
        return tuple(load for load in self.loads if load.failed)


def sweeps(reports: Sequence[LoadReport]) -> tuple[Sweep, ...]:
    """The sweeps among some loads, newest first; one ends where the number of clients does not rise any more."""
    found: list[list[LoadReport]] = []
    for report in sorted((r for r in reports if r.label == SWEEP), key=lambda r: r.created_at):
        if not found or report.concurrency <= found[-1][-1].concurrency:
            found.append([])
        found[-1].append(report)
    return tuple(Sweep(tuple(loads)) for loads in reversed(found))
