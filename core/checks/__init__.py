"""Prove any scoring endpoint from its address and key."""

from core.checks.suite import bodies_for, catalogue, run_checks

__all__ = ["bodies_for", "catalogue", "run_checks"]
