"""A support vector machine with a radial kernel, by scikit-learn's random cosines: no row is kept."""

from collections.abc import Sequence

import numpy as np

from core.domain.training import Algorithm
from core.ml.learners.learner import NUMBERS, SCORES, Always, Fitted, Learner, Setup, spread
from core.ml.learners.linear import FromView, View, all_outputs, places_among, svm
from core.ml.task import Rows
from core.predict.members import Network

ROWS_MAX = 20_000
"""Of more rows so many are drawn: the cost of a machine grows with them."""
FREQUENT = 50
"""Categories of a column that have a place of their own."""


def fit(setup: Setup, rows: Rows, held_out: Sequence[Rows], rounds: int) -> Fitted:
    """A linear SVM on cosines of random sums, which stand for a radial kernel; its margins become probabilities."""
    from sklearn.kernel_approximation import RBFSampler

    matrix, labels = some_rows(rows, setup.seed)
    present, places = places_among(labels)
    if len(present) < 2:
        return Always(int(present[0]), setup.classes)
    view = View.of(setup, matrix, rare=5, most=FREQUENT)
    wide = view.wide(matrix)
    gamma = float(setup.params["gamma"] or 1.0) / max(1, matrix.shape[1])
    cosines = RBFSampler(gamma=gamma, n_components=setup.params["components"], random_state=setup.seed).fit(wide)
    machine = svm(setup, cosines.transform(wide), places, setup.weights(labels))
    coef, intercept = all_outputs(*machine.folded, present, setup.classes)
    size = np.sqrt(2.0 / len(cosines.random_offset_))
    first = view.features.linear(cosines.random_weights_.T, cosines.random_offset_, "identity")
    link = "sigmoid" if len(intercept) == 1 else "softmax"
    return FromView(
        view,
        lambda wide: spread(machine.probabilities(cosines.transform(wide)), present, setup.classes),
        lambda: Network(first, (np.ascontiguousarray(coef.T) * size,), (intercept,), "cos", link),
    )


def some_rows(rows: Rows, seed: int, most: int = ROWS_MAX) -> Rows:
    """All rows, or so many by chance."""
    matrix, target = rows
    if len(target) <= most:
        return rows
    some = np.sort(np.random.default_rng(seed).choice(len(target), most, replace=False))
    return matrix[some], target[some]


LEARNER = Learner(
    Algorithm.SVM,
    "sklearn.svm",
    fit,
    (
        {"C": 0.1, "gamma": 0.3, "components": 400, "max_iter": 200, NUMBERS: SCORES},
        {"C": 0.02, "gamma": 0.1, "components": 400, "max_iter": 200, NUMBERS: SCORES},
    ),
    featurizer="StandardScalerWrapper",
)
