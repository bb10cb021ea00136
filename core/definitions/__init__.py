"""Pipelines as YAML, and when schedules fire. Only reads and computes: running is the workspace's work."""

from core.definitions.pipelines import bind, parse_pipeline, shipped

__all__ = ["bind", "parse_pipeline", "shipped"]
