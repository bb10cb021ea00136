"""Which rows judge a trial: the folds of the cross-validation, or rows that are held out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.domain.metrics import TaskKind
from core.ml.task import LearningProblem, Target

BLOCKS = 5
"""Held-out rows are so many blocks: what is decided for one of them is decided by the others."""
QUANTILES = 10
"""The rows of a regression are dealt out by so many ranges of their target, as those of a classification by class."""

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Folds:
    """The part that each row plays, in table order; rows of a validation table stand after those of the table."""

    fold: Places
    """Which of the `count` models answers for the row, having been trained on the others; -1: none does."""
    block: Places
    """Rows of one block are judged by what the other blocks decided (rounds, weights, calibration); -1: not judged."""
    count: int

    @property
    def judged(self) -> npt.NDArray[np.bool_]:
        """The rows that have an answer of a model that never saw them."""
        return np.asarray(self.fold >= 0)


COLUMNS_MANY = 1_000
"""From so many columns on a fit takes long, and few trials would end with more folds."""


def folds_for(rows: int, wanted: int = 0, columns: int = 1, rarer: int = 0) -> int:
    """How many; 0 leaves the choice to us. Many folds cost little on few rows and leave more of them to learn from.

    `rarer` are the rows of the rarer one of two classes, of which each fold needs one to be judged by; 0: no such.
    """
    few = rows >= 20_000 or columns >= COLUMNS_MANY
    usual = 3 if few else 5 if rows >= 1_000 else 10
    return max(2, min(wanted or min(usual, rarer or usual), rows))


LONG_ROWS, LONG_CLASS_ROWS = 1_000_000, 5_000
"""A table of so many rows, and of each class so many, is long..."""
LONG_SHARE = 0.1
"""...and this share of it judges the trials, which is sure enough: a trial by folds would take three times as long."""


def share_for(rows: Sequence[int]) -> float:
    """The share of the rows that is held out to judge by, given those of each class; 0 for folds."""
    return LONG_SHARE if sum(rows) >= LONG_ROWS and min(rows) >= LONG_CLASS_ROWS else 0.0


def folds_of(problem: LearningProblem, target: Target, validation: int = 0, *, repeat: int = 0) -> Folds:
    """The folds of these rows, of which the last `validation` ones come from the validation table.

    A repeat of a cross-validation has other folds; rows that are held out are the same ones each time.
    """
    if validation:
        held = np.arange(len(target)) >= len(target) - validation
    elif problem.validation_share:
        held = _held_out(_strata(problem, target), problem)
    else:
        fold = split(_strata(problem, target), problem.folds, problem.seed + repeat)
        return Folds(fold, fold, problem.folds)
    block = np.full(len(target), -1)
    block[held] = split(_strata(problem, target[held]), min(BLOCKS, max(2, int(held.sum()))), problem.seed)
    return Folds(np.where(held, 0, -1), block, 1)


def _strata(problem: LearningProblem, target: Target) -> Places:
    if problem.kind is not TaskKind.REGRESSION:
        return target
    ranks = np.argsort(np.argsort(target, kind="stable"), kind="stable")
    return np.asarray(ranks * QUANTILES // max(1, len(target)), dtype=np.int64)


def _held_out(strata: Places, problem: LearningProblem) -> npt.NDArray[np.bool_]:
    """The share of the rows that judges, dealt out as folds are; of a class that has two rows one is learned from."""
    order, share = _dealt(strata, problem.seed), problem.held_out
    ends = np.arange(-1, len(strata)) * share.numerator // share.denominator
    held = np.empty(len(strata), dtype=bool)
    held[order] = ends[1:] > ends[:-1]
    held[order[0]] = True
    if problem.kind is not TaskKind.REGRESSION:
        rows, theirs = np.bincount(strata), np.bincount(strata, held)
        for lost in np.flatnonzero((rows > 1) & (rows == theirs)):
            held[order[np.argmax(strata[order] == lost)]] = False
    return held


def split(strata: Places, folds: int, seed: int) -> Places:
    """The fold of each row: every class is dealt round, on from where the last one stopped, in a shuffled order."""
    fold = np.empty(len(strata), dtype=np.int64)
    fold[_dealt(strata, seed)] = np.arange(len(strata)) % folds
    return fold


def _dealt(strata: Places, seed: int) -> Places:
    """The rows in a shuffled order, one class after the other."""
    random = np.random.default_rng(seed)
    return np.concatenate([random.permutation(np.flatnonzero(strata == c)) for c in np.unique(strata)])
