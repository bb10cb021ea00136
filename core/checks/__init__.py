"""Prove any scoring endpoint from its address and key."""

from core.checks.effort import Profile
from core.checks.probe.source import Source
from core.checks.suite import bodies_for, catalogue, run_checks

__all__ = ["Profile", "Source", "bodies_for", "catalogue", "run_checks"]
