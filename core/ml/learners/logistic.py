"""Logistic regression by scikit-learn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.domain.data import ColumnKind
from core.domain.training import Algorithm
from core.ml.features import Features
from core.ml.learners.learner import IMPOSSIBLE, Always, Fitted, Learner, Setup, spread
from core.ml.task import Labels, Rows
from core.predict.members import Array, Member


@dataclass(frozen=True, slots=True)
class _Logistic:
    model: Any
    features: Features
    classes: int
    rounds: int = 0
    curves: tuple[Array, ...] = ()

    def probabilities(self, matrix: Array, rounds: int = 0) -> Array:
        return spread(self.model.predict_proba(self.features.wide(matrix)), self.model.classes_, self.classes)

    def member(self, rounds: int = 0) -> Member:
        coef, intercept = all_outputs(self.model.coef_, self.model.intercept_, self.model.classes_, self.classes)
        return self.features.linear(coef, intercept)

    def native(self, rounds: int = 0) -> tuple[str, bytes]:
        return "", b""


def fit(setup: Setup, rows: Rows, held_out: Sequence[Rows], rounds: int) -> Fitted:
    """Logistic regression on scaled numbers and one-hot text."""
    from sklearn.linear_model import LogisticRegression

    matrix, labels = rows
    if len(found := np.unique(labels)) < 2:
        return Always(int(found[0]), setup.classes)
    text = [at for at, code in enumerate(setup.codes) if code.kind is ColumnKind.STRING]
    features = Features.of(matrix, text, [len(setup.codes[at].levels) for at in text])
    model = LogisticRegression(C=setup.params["C"], max_iter=setup.params["max_iter"], random_state=setup.seed)
    model.fit(features.wide(matrix), labels, setup.weights(labels))
    return _Logistic(model, features, setup.classes)


def all_outputs(coef: Array, intercept: Array, present: Labels, classes: int) -> tuple[Array, Array]:
    """Coefficients (outputs x columns) and intercepts for every class, where the training rows had only some."""
    if len(present) == classes:
        return coef, intercept
    if len(present) == 2:
        coef, intercept = np.vstack((np.zeros_like(coef), coef)), np.append(0.0, intercept)
    full, start = np.zeros((classes, coef.shape[1])), np.full(classes, IMPOSSIBLE)
    full[present], start[present] = coef, intercept
    return full, start


LEARNER = Learner(
    Algorithm.LOGISTIC_REGRESSION,
    "sklearn.linear_model",
    fit,
    ({"C": 1.0, "max_iter": 200}, {"C": 0.05, "max_iter": 200}),
    featurizer="StandardScalerWrapper",
)
