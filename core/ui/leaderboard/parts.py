"""What stands under a training job, from above."""

from core.ui.kit import notices
from core.ui.kit.parts import Part, stack
from core.ui.leaderboard import compare, head, notes, pipeline, running, trial, trials
from core.ui.leaderboard.board import Board, Looking
from core.ui.shell import failures

LIVE: tuple[Part[Board], ...] = (
    Part("Training job", head.show),
    Part("Trials that run", running.show),
    Part("Trials", trials.show, needs=("jobs.trials",)),
    Part("Make this a pipeline", pipeline.show),
)
"""Drawn again and again while the job runs."""
BELOW: tuple[Part[Board], ...] = (
    Part("One trial", trial.show, needs=("jobs.trials", "jobs.trial")),
    Part("Compare trials", compare.show, needs=("jobs.trials",)),
    Part("What to know about this data", notes.show),
)
"""Drawn once: a slider there is not taken out of the visitor's hand."""


def draw(board: Board) -> None:
    """The live parts, of the job as it was seen."""
    notices.twin(board.data)
    stack(LIVE, board)
    trial.follow(board)


def draw_below(looking: Looking) -> None:
    """What stands below them, of the job as it was seen last."""
    with failures.explained():
        stack(BELOW, looking.last)
