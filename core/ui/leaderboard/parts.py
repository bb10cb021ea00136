"""What stands under a training job, from above."""

from core.ui.kit import notices
from core.ui.kit.parts import Part, stack
from core.ui.leaderboard import head, notes, pipeline, trial, trials
from core.ui.leaderboard.board import Board

PARTS: tuple[Part[Board], ...] = (
    Part("Training job", head.show),
    Part("Make this a pipeline", pipeline.show),
    Part("Trials", trials.show, needs=("jobs.trials",)),
    Part("One trial", trial.show, needs=("jobs.trials", "jobs.trial")),
    Part("What to know about this data", notes.show),
)


def draw(board: Board) -> None:
    """Every part, of the job as it was seen."""
    notices.twin(board.data)
    stack(PARTS, board)
