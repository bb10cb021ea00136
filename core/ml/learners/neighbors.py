"""K nearest neighbors. A library's answer hangs on the order of rows that are equally far; here all of them count."""

from collections.abc import Sequence

import numpy as np

from core.domain.training import Algorithm
from core.ml.learners.learner import NUMBERS, SCORES, Fitted, Learner, Setup
from core.ml.learners.linear import FromView, View
from core.ml.learners.svm import FREQUENT, some_rows
from core.ml.task import Rows
from core.predict.members import Array, Neighbors

PLACES_MAX = 200
"""Coordinates; more columns are thrown on so many directions by chance, which keeps distances nearly as they are."""


def fit(setup: Setup, rows: Rows, held_out: Sequence[Rows], rounds: int) -> Fitted:
    """Keep some of the rows, where they lie."""
    matrix, target = some_rows(rows, setup.seed)
    view = View.of(setup, matrix, rare=5, most=FREQUENT)
    turned = _directions(view.features.width, setup.seed)
    place = view.features.linear(turned, np.zeros(len(turned)), "identity")
    lying = np.asarray(view.wide(matrix) @ turned.T)
    answers = np.eye(setup.classes)[target] if setup.classes else target[:, None].astype(np.float64)
    weights = setup.weights(target)
    counts = np.ones(len(target)) if weights is None else weights
    member = Neighbors(place, lying, answers, counts, min(int(setup.params["n_neighbors"] or 1), len(target)))
    return FromView(view, lambda wide: member.of_places(np.asarray(wide @ turned.T)), lambda: member)


def _directions(width: int, seed: int) -> Array:
    if width <= PLACES_MAX:
        return np.eye(width)
    return np.random.default_rng(seed).normal(0, PLACES_MAX**-0.5, (PLACES_MAX, width))


LEARNER = Learner(
    Algorithm.KNN,
    "sklearn.utils",
    fit,
    ({"n_neighbors": 30, NUMBERS: SCORES}, {"n_neighbors": 100, NUMBERS: SCORES}),
    featurizer="StandardScalerWrapper",
)
