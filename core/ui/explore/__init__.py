"""Explore: the registered tables, column by column; a view is a file here and an entry in `parts`."""

from core.ui.explore.facts import draw_facts, draw_origin, draw_runs
from core.ui.explore.parts import VIEWS
from core.ui.explore.reading import draw_notes
from core.ui.explore.register import register_part, samples
from core.ui.explore.remove import draw_delete
from core.ui.explore.table import choose_target, explore, train_link

__all__ = [
    "VIEWS",
    "choose_target",
    "draw_delete",
    "draw_facts",
    "draw_notes",
    "draw_origin",
    "draw_runs",
    "explore",
    "register_part",
    "samples",
    "train_link",
]
