"""Every workload by name: the suites time them, the gate compares two revisions by them."""

from collections.abc import Mapping

from perf.workloads import kept, pages, scoring, tables
from perf.workloads.workload import Inputs, Prepared, Workload

__all__ = ["ALL", "PARTS", "Inputs", "Prepared", "Workload"]

PARTS: Mapping[str, tuple[Workload, ...]] = {
    "scoring": scoring.WORKLOADS,
    "tables and search": tables.WORKLOADS,
    "runs and requests kept": kept.WORKLOADS,
    "pages": pages.WORKLOADS,
}
ALL: tuple[Workload, ...] = tuple(workload for part in PARTS.values() for workload in part)
"""Those that run in this process; what needs a process of its own stands beside the suites that start it."""
