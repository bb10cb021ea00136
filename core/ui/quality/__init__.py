"""Quality: gates as they run, and the reports they leave; a part is a file here and an entry in `parts`."""

from core.ui.quality.form import run_form
from core.ui.quality.gates import look, pace
from core.ui.quality.loads import draw_loads
from core.ui.quality.parts import draw

__all__ = ["draw", "draw_loads", "look", "pace", "run_form"]
