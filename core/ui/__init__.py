"""The app's own words and parts: pages import this, streamlit and the domain, and nothing else."""

from core.ui.kit import charts, endpoints, jobs, notices, parts, tables, words
from core.ui.shell import actions, backends, cached
from core.ui.shell.cached import workspace
from core.ui.shell.failures import explained
from core.ui.shell.frame import frame
from core.ui.shell.live import live
from core.ui.shell.state import state

__all__ = [
    "actions",
    "backends",
    "cached",
    "charts",
    "endpoints",
    "explained",
    "frame",
    "jobs",
    "live",
    "notices",
    "parts",
    "state",
    "tables",
    "words",
    "workspace",
]
