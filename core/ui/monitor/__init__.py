"""Monitor: what the endpoints did and whether they can be trusted; a tab is a file here and an entry in `parts`."""

from core.ui.monitor.asked import choose_origin, choose_window
from core.ui.monitor.glance import draw
from core.ui.monitor.opened import Opened
from core.ui.monitor.parts import TABS
from core.ui.monitor.seen import LOOK_EVERY_S, look

__all__ = ["LOOK_EVERY_S", "TABS", "Opened", "choose_origin", "choose_window", "draw", "look"]
