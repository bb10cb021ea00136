"""The folds of the cross-validation: how many, and which row is in which."""

import numpy as np
import numpy.typing as npt

from core.ml.task import Labels


def folds_for(rows: int, wanted: int = 0) -> int:
    """How many; 0 leaves the choice to us. Many folds cost little on few rows and leave more of them to learn from."""
    return max(2, min(wanted or (3 if rows >= 20_000 else 5 if rows >= 1_000 else 10), rows))


def split(labels: Labels, folds: int, seed: int) -> npt.NDArray[np.int64]:
    """The fold of each row: every class is dealt round, on from where the last one stopped, in a shuffled order."""
    random = np.random.default_rng(seed)
    order = np.concatenate([random.permutation(np.flatnonzero(labels == c)) for c in np.unique(labels)])
    fold = np.empty(len(labels), dtype=np.int64)
    fold[order] = np.arange(len(labels)) % folds
    return fold
