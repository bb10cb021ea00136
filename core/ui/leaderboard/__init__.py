"""Leaderboard: training, and its trials as they land; a part is a file here and an entry in `parts`."""

from core.ui.leaderboard.board import Looking, choose, pace, pace_of_charts
from core.ui.leaderboard.news import watch
from core.ui.leaderboard.parts import draw, draw_below, draw_charts, draw_opened
from core.ui.leaderboard.train import train_form

__all__ = [
    "Looking",
    "choose",
    "draw",
    "draw_below",
    "draw_charts",
    "draw_opened",
    "pace",
    "pace_of_charts",
    "train_form",
    "watch",
]
