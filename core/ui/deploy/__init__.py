"""Deploy: a model behind an endpoint, and what can be done with it: a tab is a file here and an entry in `tabs`."""

from core.ui.deploy.form import deploy_form
from core.ui.deploy.rollout import draw, look, pace
from core.ui.deploy.tabs import TABS, opened

__all__ = ["TABS", "deploy_form", "draw", "look", "opened", "pace"]
