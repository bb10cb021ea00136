"""Every workload by name: the suites time them, the gate compares two revisions by them."""

from collections.abc import Mapping

from perf.workloads import kept, pages, scoring, served, tables
from perf.workloads.workload import Inputs, Prepared, Workload

__all__ = ["ALL", "PARTS", "Inputs", "Prepared", "Workload"]

PARTS: Mapping[str, tuple[Workload, ...]] = {
    "scoring": (*scoring.WORKLOADS, *served.WORKLOADS),
    "tables and search": tables.WORKLOADS,
    "runs and requests kept": kept.WORKLOADS,
    "pages": pages.WORKLOADS,
}
ALL: tuple[Workload, ...] = tuple(workload for part in PARTS.values() for workload in part)
"""In the order of the parts. What starts an app, a browser or an interpreter stands beside the suites that do so."""
