"""Whether a trial is worth its remaining folds. Forgiving: to drop one early by a small margin is often wrong.

What is behind by less than that waits: its other folds are trained when there is nothing better to do.
"""

from collections.abc import Sequence

import numpy as np

FOLDS_MIN = 1
MARGIN_SHARE = 0.25
"""A trial is hopeless when its mean gain lies this share of the best one's below it..."""
MARGIN_SPREADS = 4.0
"""...and by so many standard deviations of the best one's folds."""

WAIT_SPREADS = 2.0
"""A trial waits when its mean gain is so many standard deviations of the best one's folds below it."""


def may_wait(scores: Sequence[float], rival: Sequence[float]) -> bool:
    """Whether other trials are to have the time before the rest of the folds. More is better in both."""
    done = len(scores)
    if not FOLDS_MIN <= done < len(rival):
        return False
    return float(np.mean(rival[:done]) - np.mean(scores)) > WAIT_SPREADS * float(np.std(rival))


def why_hopeless(scores: Sequence[float], rival: Sequence[float]) -> str:
    """Why the rest of the folds would be wasted; empty where they are not. More is better in both."""
    done = len(scores)
    if done < FOLDS_MIN or len(rival) <= done:
        return ""
    behind = float(np.mean(rival[:done]) - np.mean(scores))
    spread = float(np.std(rival))
    if behind > MARGIN_SPREADS * spread and behind > MARGIN_SHARE * abs(float(np.mean(rival))):
        return f"Dropped after {done} of {len(rival)} folds: far below the best trial"
    return ""
