"""Home: what is live, what runs, on which data, and whether it can be trusted."""

from core import ui
from core.ui import home

ui.frame("Home")
ui.backends.switch()
workspace = ui.workspace()
ui.live(lambda: home.look(workspace), home.pace, home.draw)
