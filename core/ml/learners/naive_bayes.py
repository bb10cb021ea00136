"""Bernoulli naive Bayes by scikit-learn, on ranges of numbers and levels of text."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.domain.training import Algorithm
from core.ml.features import Features
from core.ml.learners.learner import Always, Fitted, Learner, Setup, spread
from core.ml.learners.linear import FromView, Margins, View, all_outputs, calibrated, places_among
from core.ml.task import Rows
from core.predict.members import AnyArray, Array
from core.predict.steps import Lookup


def fit(setup: Setup, rows: Rows, held_out: Sequence[Rows], rounds: int) -> Fitted:
    """Each range and each level is there or not; what is told of a class by all of them is added up."""
    from sklearn.naive_bayes import BernoulliNB

    matrix, labels = rows
    present, places = places_among(labels)
    if len(present) < 2:
        return Always(int(present[0]), setup.classes)
    view = _view(setup, matrix)
    wide, weights = view.wide(matrix), setup.weights(labels)

    def fitted(some: AnyArray) -> Margins:
        model = BernoulliNB(alpha=setup.params["alpha"])
        return _Told(model.fit(wide[some], places[some], None if weights is None else weights[some]))

    told = calibrated(fitted, wide, places, weights)
    coef, intercept = all_outputs(*told.folded, present, setup.classes)
    return FromView(
        view,
        lambda wide: spread(told.probabilities(wide), present, setup.classes),
        lambda: view.features.linear(coef, intercept),
    )


class _Told:
    """What naive Bayes is told by all ranges and levels: sums, as a linear model's.

    They are far too sure, since what tells the same is counted twice; calibration holds them back.
    """

    def __init__(self, model: Any) -> None:
        never = np.log1p(-np.exp(model.feature_log_prob_))
        coef, start = model.feature_log_prob_ - never, model.class_log_prior_ + never.sum(axis=1)
        two = len(start) == 2
        self.coef_: Array = coef[1:] - coef[:1] if two else coef
        self.intercept_: Array = start[1:] - start[:1] if two else start

    def decision_function(self, wide: Any) -> Array:
        """See `Margins`."""
        return np.asarray(wide @ self.coef_.T + self.intercept_)


def _view(setup: Setup, matrix: Array) -> View:
    """Text as it is, and a code for the range of each number."""
    text = setup.text
    numeric = [at for at in range(matrix.shape[1]) if at not in set(text)]
    levels = [len(setup.codes[at].levels) for at in text]
    if not numeric:
        return View((), Features.of(matrix, text, levels, []))
    ranges = int(setup.params["ranges"] or 2)
    step = _ranges(matrix, numeric, ranges)
    columns = [*text, *range(matrix.shape[1], matrix.shape[1] + len(numeric))]
    seen = np.hstack((matrix, step.added(matrix)))
    return View((step,), Features.of(seen, columns, [*levels, *([ranges] * len(numeric))], []))


def _ranges(matrix: Array, numeric: Sequence[int], ranges: int) -> Lookup:
    """A number for the range of ranks in which each value lies, and one after them for a missing value."""
    edges = np.full((len(numeric), ranges - 1), np.inf)
    for at, column in enumerate(numeric):
        known = matrix[~np.isnan(matrix[:, column]), column]
        if len(known):
            cuts = np.unique(np.quantile(known, np.linspace(0, 1, ranges + 1)[1:-1], method="lower"))
            edges[at, : len(cuts)] = cuts
    parts = np.arange(len(numeric))
    return Lookup(
        np.array(numeric), np.full(len(numeric), ranges), edges, np.ones(len(numeric), dtype=bool), parts,
        np.zeros(len(numeric), dtype=np.int64), np.arange(ranges + 1, dtype=np.float64)[:, None],
    )  # fmt: skip


LEARNER = Learner(
    Algorithm.BERNOULLI_NAIVE_BAYES,
    "sklearn.naive_bayes",
    fit,
    ({"alpha": 1.0, "ranges": 12}, {"alpha": 10.0, "ranges": 5}),
    featurizer="KBinsDiscretizer",
)
