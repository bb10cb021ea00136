"""Pipelines: published endpoints, runs and schedules; a tab is a file here and an entry in `parts`."""

from core.ui.pipelines.parts import draw

__all__ = ["draw"]
