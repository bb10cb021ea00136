"""The interface everybody builds against: where data, jobs, models and endpoints live. One noun, one file."""

from core.workspace.backends import BACKENDS, open_workspace
from core.workspace.workspace import Workspace

__all__ = ["BACKENDS", "Workspace", "open_workspace"]
