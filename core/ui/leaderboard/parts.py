"""What stands under a training job, from above."""

from collections.abc import Callable

from core.ui.kit import notices
from core.ui.leaderboard import head, notes, trial, trials
from core.ui.leaderboard.board import Board

PARTS: tuple[Callable[[Board], None], ...] = (head.show, trials.show, trial.show, notes.show)


def draw(board: Board) -> None:
    """Every part, of the job as it was seen."""
    notices.twin(board.data)
    for part in PARTS:
        part(board)
