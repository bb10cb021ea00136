"""What stands under a training job, from above."""

from core.ui.kit import notices
from core.ui.kit.parts import Part, stack
from core.ui.leaderboard import charted, compare, head, notes, pipeline, running, trial, trials
from core.ui.leaderboard.board import Board, Looking
from core.ui.shell import failures

LIVE: tuple[Part[Board], ...] = (
    Part("Training job", head.show),
    Part("Trials that run", running.show),
    Part("Trials", trials.show, needs=("jobs.trials",)),
)
"""Drawn again and again while the job runs."""
OPENED: tuple[Part[Board], ...] = (Part("One trial", trial.show, needs=("jobs.trials", "jobs.trial")),)
"""Below the table that it was opened from. Drawn once: a slider there is not taken out of the visitor's hand."""
CHARTS: tuple[Part[Board], ...] = (Part("Charts of the trials", charted.show, needs=("jobs.trials",)),)
"""Drawn again while the job runs, less often than the table."""
BELOW: tuple[Part[Board], ...] = (
    Part("Make this a pipeline", pipeline.show),
    Part("Compare trials", compare.show, needs=("jobs.trials",)),
    Part("What to know about this data", notes.show),
)
"""Drawn once."""


def draw(board: Board) -> None:
    """The live parts, of the job as it was seen."""
    notices.twin(board.data)
    stack(LIVE, board)
    trial.follow(board)
    charted.follow(board)


def draw_opened(looking: Looking) -> None:
    """The trial that is open, of the job as it was seen last."""
    with failures.explained():
        stack(OPENED, looking.last)


def draw_charts(board: Board) -> None:
    """All trials as a chart."""
    stack(CHARTS, board)


def draw_below(looking: Looking) -> None:
    """What stands below them, of the job as it was seen last."""
    with failures.explained():
        stack(BELOW, looking.last)
