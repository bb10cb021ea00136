"""Pipelines: definitions to publish, and their runs; a part of a run is a file here and an entry in `parts`."""

from core.ui.pipelines.definitions import choose, publish_buttons, publishable, steps_of
from core.ui.pipelines.parts import draw
from core.ui.pipelines.runs import look, pace
from core.ui.pipelines.trigger import draw_trigger

__all__ = ["choose", "draw", "draw_trigger", "look", "pace", "publish_buttons", "publishable", "steps_of"]
