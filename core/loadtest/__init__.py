"""Drive a scoring endpoint, closed or open loop, and report what was met."""

from core.loadtest.ceiling import ceiling
from core.loadtest.drive import HANG_S, run
from core.loadtest.tally import BROKEN

__all__ = ["BROKEN", "HANG_S", "ceiling", "run"]
