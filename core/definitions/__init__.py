"""Pipelines as YAML or Python, and when schedules fire. Only reads and computes: running is the workspace's work."""

from core.definitions.builder import Pipeline
from core.definitions.parsing import Definition, parse_definition, parse_pipeline, shipped
from core.definitions.pipelines import plan
from core.definitions.writing import write_pipeline

__all__ = ["Definition", "Pipeline", "parse_definition", "parse_pipeline", "plan", "shipped", "write_pipeline"]
