"""The whole lifecycle over the `Workspace` interface, on any backend."""

from core.quickstart.lifecycle import run
from core.quickstart.report import QuickstartOptions, QuickstartReport

__all__ = ["QuickstartOptions", "QuickstartReport", "run"]
