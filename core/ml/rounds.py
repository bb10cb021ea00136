"""After how many rounds a booster is best, decided by the loss on rows that it is not judged on.

A trial that stops early on the very rows that score it promises too much: on 1,000 rows the AUC by 0.005 and more.
"""

from collections.abc import Sequence

import numpy as np

from core.predict.members import Array

Curves = Sequence[Array]
"""The loss after each round, one curve for each block of held-out rows."""


def rounds_of_all(curves: Curves) -> int:
    """The number with the lowest mean loss; 0 where there are no rounds to choose from."""
    if not curves:
        return 0
    shortest = min(len(curve) for curve in curves)
    return int(np.mean([curve[:shortest] for curve in curves], axis=0).argmin()) + 1 if shortest else 0


def rounds_by_block(models: Sequence[Curves], model: int, block: int) -> int:
    """The rounds of a model for the rows of a block, by the curves of all other blocks.

    Of a cross-validation each model has one curve, that of the block of its own number; of held-out rows the only model
    has a curve for each block. A number beyond the model's own rounds is cut by the learner.
    """
    if len(models) == 1:
        return rounds_of_all([curve for at, curve in enumerate(models[0]) if at != block])
    others = [curves[0] for k, curves in enumerate(models) if k != block and curves]
    own = len(models[model][0]) if models[model] else 0
    return min(rounds_of_all(others) or own, own)
