"""Deploy: a model behind an endpoint, and what can be done with it: a tab is a file here and an entry in `parts`."""

from core.ui.deploy.form import deploy_button, deploy_form, opened_model
from core.ui.deploy.parts import TABS, opened
from core.ui.deploy.rollout import draw, look, pace

__all__ = ["TABS", "deploy_button", "deploy_form", "draw", "look", "opened", "opened_model", "pace"]
