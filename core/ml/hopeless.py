"""Whether a trial is worth its remaining folds. Forgiving: what is dropped early by a small margin is often wrong."""

from collections.abc import Sequence

import numpy as np

FOLDS_MIN = 1
MARGIN_SHARE = 0.25
"""A trial is hopeless when its mean gain lies this share of the best one's below it..."""
MARGIN_SPREADS = 4.0
"""...and by so many standard deviations of the best one's folds."""


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
