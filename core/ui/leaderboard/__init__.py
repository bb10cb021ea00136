"""Leaderboard: training, and its trials as they land; a part is a file here and an entry in `parts`."""

from core.ui.leaderboard.board import choose, look, pace
from core.ui.leaderboard.news import watch
from core.ui.leaderboard.parts import draw
from core.ui.leaderboard.train import train_form

__all__ = ["choose", "draw", "look", "pace", "train_form", "watch"]
