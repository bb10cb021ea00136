"""Pipelines as YAML, and when schedules fire. Only reads and computes: running is the workspace's work."""

from core.definitions.pipelines import parse_pipeline, plan, shipped

__all__ = ["parse_pipeline", "plan", "shipped"]
