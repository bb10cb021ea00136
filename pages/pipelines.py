"""Pipelines: the whole path as one thing that a button, a REST call or a schedule starts."""

from core import ui
from core.ui import pipelines

ui.frame("Pipelines")
workspace = ui.workspace()
with ui.explained():
    pipelines.draw(workspace)
