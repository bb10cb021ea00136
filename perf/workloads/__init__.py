"""Every workload by name: the suites time them, the gate compares two revisions by them."""

from perf.workloads import scoring
from perf.workloads.workload import Inputs, Prepared, Workload

__all__ = ["ALL", "Inputs", "Prepared", "Workload"]

ALL: tuple[Workload, ...] = scoring.WORKLOADS
"""Those that run in this process; what needs a process of its own stands beside the suites that start it."""
