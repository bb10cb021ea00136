"""Ensembles of finished trials, each judged on rows that decided neither its members nor its weights.

For each block of rows everything is decided by the other blocks and said of this one; what is kept in the end is
decided by all rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.domain.metrics import TaskKind, gain
from core.ml.data.folds import Places
from core.ml.ensembles.pooling import calibration_of, ridge_of, stack_of
from core.ml.ensembles.weighing import ROWS_MAX, evidence, loss_of, weights
from core.ml.metrics import score
from core.ml.task import Target
from core.predict.combination import Calibration, Combination, Stack, Vote
from core.predict.members import Array

SURE = 1.64
"""A stack must beat the vote by so many standard errors of the difference of their losses, and a calibration that is
worse than none by as many is not kept."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The rows that judge: what is right of them, and the blocks that are decided by each other."""

    kind: TaskKind
    metric: str
    target: Target
    blocks: Places
    seed: int
    class_weights: tuple[float, ...] = ()
    """What a row of each class weighs; empty: alike."""

    @property
    def weighed(self) -> Array | None:
        """What each row counts; None where all count alike."""
        return np.array(self.class_weights)[self.target] if self.class_weights else None

    def rows(self, block: int) -> tuple[Places, Places]:
        """The rows of all other blocks, which decide, and those of this one."""
        return np.flatnonzero(self.blocks != block), np.flatnonzero(self.blocks == block)

    def by_block(self, said: Array) -> Array:
        """The metric of each block, with the sign that makes more better; NaN where the block does not define it."""
        parts = (self.blocks == block for block in np.unique(self.blocks))
        return np.array([gain(self.metric, score(self.metric, self.target[p], said[p])) for p in parts])

    def losses(self, said: Array) -> Array:
        """The loss of each row."""
        own = evidence(self.kind, self.metric, self.target, said[None])[0]
        return loss_of(self.kind, self.metric)(own.astype(np.float64))


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Which of the models, made one in which way, and what it says of rows that had no part in that."""

    members: tuple[int, ...]
    """Places among the models that were given."""
    combination: Combination
    said: Array

    @property
    def weights(self) -> tuple[float, ...]:
        assert isinstance(self.combination, Vote | Stack)
        return self.combination.weights


def vote_of(judged: Judged, said: Array, kinds: Sequence[str] = ()) -> tuple[Ensemble, list[Array]] | None:
    """The weighted mean of models x rows x outputs, and the weights for each block; None where one model is best.

    `kinds` are the models' algorithms; empty: all different.
    """
    own, loss = evidence(judged.kind, judged.metric, judged.target, said), loss_of(judged.kind, judged.metric)

    def weighed(rows: Places) -> Array:
        return weights(own, loss, rows, judged.blocks, judged.seed, judged.weighed, kinds)

    final = weighed(np.arange(len(judged.target)))
    members = np.flatnonzero(final)
    if len(members) < 2:
        return None
    crossed, by_block = np.empty(said.shape[1:]), []
    for block in np.unique(judged.blocks):
        deciding, its = judged.rows(block)
        by_block.append(weighed(deciding) if len(deciding) else final)
        crossed[its] = np.tensordot(by_block[-1], said[:, its], 1)
    return Ensemble(tuple(members.tolist()), Vote(tuple(final[members].tolist())), crossed), by_block


def calibrated(judged: Judged, vote: Ensemble, *, always: bool = False) -> Ensemble:
    """The vote with a calibration, unless that surely has a higher log loss on rows that did not decide it.

    What is served is the mean of the folds' models and less sure of itself than each of them, so that it gains more by
    being sharpened than rows can show that one of them answers. With `always` it stays in any case. Probabilities that
    class weights have moved on purpose are not moved back.
    """
    if judged.kind is TaskKind.REGRESSION or judged.class_weights:
        return vote
    crossed = np.empty_like(vote.said)
    for block in np.unique(judged.blocks):
        deciding, its = judged.rows(block)
        found = calibration_of(*_some(judged, vote.said, deciding)) if len(deciding) else _none(vote)
        crossed[its] = found.calibrated(vote.said[its])
    lost = judged.losses(crossed) - judged.losses(vote.said)
    if not always and lost.mean() > SURE * lost.std() / np.sqrt(len(lost)):
        return vote
    every = np.arange(len(judged.target))
    return Ensemble(vote.members, Vote(vote.weights, calibration_of(*_some(judged, vote.said, every))), crossed)


def stacked(
    judged: Judged, said: Array, vote: Ensemble, by_block: Sequence[Array], *, sure: float = SURE
) -> Ensemble | None:
    """The linear model over the vote's members, where it surely beats the vote on rows that did not decide it.

    By `sure` standard errors of the difference.
    """
    if judged.class_weights:
        return None
    crossed = np.empty_like(vote.said)
    for weighed, block in zip(by_block, np.unique(judged.blocks), strict=True):
        deciding, its = judged.rows(block)
        if not len(deciding):
            return None
        at = np.flatnonzero(weighed)
        crossed[its] = _stack(judged, said[at], deciding, weighed[at]).combined(list(said[at][:, its]))
    gained = judged.losses(vote.said) - judged.losses(crossed)
    if gained.mean() <= sure * gained.std() / np.sqrt(len(gained)):
        return None
    made = _stack(judged, said[list(vote.members)], np.arange(len(judged.target)), np.array(vote.weights))
    return Ensemble(vote.members, made, crossed)


def chosen(judged: Judged, said: Sequence[Array], scores: Array | None = None) -> tuple[int, Array]:
    """Which of these is the best, and what is said of each block by the one that is best on the others.

    The earlier one among equals. So the figures of the winner do not tell of the luck that made it win.
    `scores` are what `by_block` gives of each, where they are known.
    """
    blocks = np.unique(judged.blocks)
    sizes = np.array([(judged.blocks == block).sum() for block in blocks], dtype=np.float64)
    scores = np.array([judged.by_block(one) for one in said]) if scores is None else scores
    crossed = np.empty_like(said[0])
    for at, block in enumerate(blocks):
        others = np.where(np.arange(len(blocks)) == at, 0.0, sizes) if len(blocks) > 1 else sizes
        its = judged.blocks == block
        crossed[its] = said[_best(scores, others)][its]
    return _best(scores, sizes), crossed


def _best(scores: Array, sizes: Array) -> int:
    """The row with the highest mean over the blocks of those sizes; a block without a metric does not count."""
    known = ~np.isnan(scores) & (sizes > 0)
    shares = np.where(known, sizes, 0.0)
    sums = (np.where(known, scores, 0.0) * shares).sum(axis=1)
    means = np.divide(sums, shares.sum(axis=1), out=np.full(len(scores), -np.inf), where=shares.any(axis=1))
    return int(means.argmax())


def _stack(judged: Judged, said: Array, rows: Places, vote: Array) -> Stack:
    rows = _drawn(judged, rows)
    if judged.kind is TaskKind.REGRESSION:
        return ridge_of(said[:, rows, 0], judged.target[rows], vote)
    return stack_of(said[:, rows], judged.target[rows], vote)


def _some(judged: Judged, said: Array, rows: Places) -> tuple[Array, Any]:
    rows = _drawn(judged, rows)
    return said[rows], judged.target[rows]


def _drawn(judged: Judged, rows: Places) -> Places:
    if len(rows) <= ROWS_MAX:
        return rows
    return np.random.default_rng(judged.seed).choice(rows, ROWS_MAX, replace=False)


def _none(vote: Ensemble) -> Calibration:
    return Calibration(1.0, (0.0,) * vote.said.shape[1])
