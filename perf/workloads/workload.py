"""What is timed, in one shape for the suites of pytest-benchmark and for the gate."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def nothing() -> None:
    """There is nothing to close."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One workload, set up: `call` is all that is timed."""

    call: Callable[[], Any]
    check: Callable[[Any], None]
    """Raises AssertionError unless what `call` gave is right: a fast wrong answer is no answer."""
    close: Callable[[], None] = nothing


@dataclass(frozen=True, slots=True)
class Inputs:
    """The folder that `python -m perf.inputs` fills: the table and models that workloads share."""

    folder: Path

    @property
    def table(self) -> Path:
        """The Bank Marketing twin as Parquet, 32,950 rows x 21 columns."""
        return self.folder / "table.parquet"

    @property
    def single(self) -> Path:
        """A model folder: LightGBM, 300 trees x 31 leaves."""
        return self.folder / "single"

    @property
    def ensemble(self) -> Path:
        """A model folder: LightGBM, XGBoost and a logistic regression, voting."""
        return self.folder / "ensemble"

    @property
    def scratch(self) -> Path:
        """Where a workload may leave files; its own, for it is made by its name."""
        return self.folder / "scratch"


@dataclass(frozen=True, slots=True)
class Workload:
    """One thing whose time is known by name, in one unit: seconds a call.

    `prepare` imports what it needs of `core` itself, never at the module's top: the gate prepares the same workload
    against two revisions of `core` in one process, each with its own modules.
    """

    name: str
    grows_with: str
    """What makes it take longer, in words."""
    prepare: Callable[[Inputs], Prepared]
    quick: bool = False
    """Part of `make perf-gate-quick`: a hot path."""
    gate: bool = True
    """Whether the gate compares it; what takes seconds a call would leave it no time for the others."""
    costly: bool = False
    """Whether setting it up or calling it takes seconds: `make test` leaves it to `make full` and `make perf`."""
    parts: int = 1
    """So many of what `grows_with` counts are done in one call."""
    calls: int = 0
    """Calls in one timed block; 0 lets the gate choose as many as make a block worth timing."""
    own_process: bool = False
    """What a call times lives in a process that `prepare` starts: the gate restarts it more often, on one core."""
