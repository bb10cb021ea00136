"""A run as it is at this moment: children are looked after by their parent."""

from core.emulator.emulation import Emulation
from core.emulator.jobs import ending, runs
from core.emulator.jobs.runs import Run


def current(emulation: Emulation, run: Run) -> Run:
    """A run with what has become of it since it was kept."""
    if run.final or run.kind not in ("trial", "phase"):
        return ending.advanced(emulation, run)
    parent = runs.find(emulation, run.parent)
    if parent is not None:
        ending.advanced(emulation, parent)
    return runs.find(emulation, run.id) or run
