"""Explore: the registered tables, column by column; a view is a file here and an entry in `parts`."""

from core.ui.explore.facts import draw_facts
from core.ui.explore.parts import VIEWS
from core.ui.explore.reading import draw_notes
from core.ui.explore.register import register_form
from core.ui.explore.table import choose_target, explore, train_link

__all__ = ["VIEWS", "choose_target", "draw_facts", "draw_notes", "explore", "register_form", "train_link"]
