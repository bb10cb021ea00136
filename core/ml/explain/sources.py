"""From which columns of the encoded matrix a step's new columns are made."""

from collections.abc import Sequence

import numpy as np

from core.predict.arrays import Array
from core.predict.steps import Step


def sources_of(steps: Sequence[Step], width: int) -> Array:
    """Columns that a member reads x columns of the encoded matrix: what share of each falls to which; rows sum to 1.

    A column that was made from several is shared out evenly among them.
    """
    shares = np.eye(width)
    for step in steps:
        made = [shares[list(places)].mean(axis=0) for places in step.sources]
        shares = np.vstack((shares, *made))
    return shares
