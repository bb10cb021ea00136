"""Home: what is live, what runs, on which data, and whether it can be trusted."""

from core import ui
from core.ui.home import overview

ui.frame("Home")
workspace = ui.workspace()
ui.live(lambda: overview.look(workspace), overview.pace, overview.draw)
