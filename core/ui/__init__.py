"""The app's own words and parts: pages import this, streamlit and the domain, and nothing else."""

from core.ui import actions, cached, charts, endpoints, jobs, notices, overview, words
from core.ui.cached import workspace
from core.ui.frame import frame
from core.ui.live import live
from core.ui.notices import explained
from core.ui.state import state

__all__ = [
    "actions",
    "cached",
    "charts",
    "endpoints",
    "explained",
    "frame",
    "jobs",
    "live",
    "notices",
    "overview",
    "state",
    "words",
    "workspace",
]
