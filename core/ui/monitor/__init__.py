"""Monitor: what the endpoints were asked, and how they answered; a part is a file here and an entry in `parts`."""

from core.ui.monitor.asked import choose_origin, choose_window
from core.ui.monitor.parts import draw
from core.ui.monitor.traffic import LOOK_EVERY_S, look

__all__ = ["LOOK_EVERY_S", "choose_origin", "choose_window", "draw", "look"]
