"""Home: what is live, what runs, and the way to the first live model; a part is a file here and an entry in `parts`."""

from core.ui.home.overview import look, pace
from core.ui.home.parts import draw

__all__ = ["draw", "look", "pace"]
