"""What is said of a search in which nothing succeeded, and when it is clear that nothing will."""

from core.domain.errors import TrainingFailed
from core.domain.training import TrainingSpec, TrialState
from core.ml.leaderboard import Leaderboard

FAILED_MAX = 20
"""While none has succeeded, after so many trials no further ones are begun: they would fail alike."""
LIMIT = "longer than its limit"
"""So says a trial that was stopped by `trial_timeout_s`."""
OF_MEMORY = "Choose a compute with more memory, or fewer trials at once, or a table with fewer rows or columns"


def all_fail(board: Leaderboard) -> bool:
    """So many trials have failed, and none has succeeded, that no more are worth their time."""
    return not board.ranked and len(board.singles) >= FAILED_MAX


def nothing(spec: TrainingSpec, board: Leaderboard) -> TrainingFailed:
    """No trial succeeded, and why."""
    failed = [f.trial for f in board.trials if f.trial.state is TrialState.FAILED]
    told = [f.trial.error for f in board.trials if f.trial.error]
    if not failed and any(LIMIT in error for error in told):
        return TrainingFailed(
            f"No trial ended within its own limit of {spec.trial_timeout_s:g} s",
            hint="Give each trial more time, or leave its limit to the engine",
        )
    if not failed and told:
        return TrainingFailed(
            f"No trial succeeded; the first of {len(told)} was stopped: {told[0]}", hint="Train again, or continue it"
        )
    if not failed:
        return TrainingFailed(f"No trial ended within {spec.timeout_s:g} s", hint="Give the job more time")
    return TrainingFailed(
        f"No trial succeeded; the first of {len(failed)} failed with: {failed[0].error}",
        hint=OF_MEMORY if "memory" in failed[0].error else "Look at the errors of the trials",
    )
