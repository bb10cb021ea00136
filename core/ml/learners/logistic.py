"""Logistic regression by scikit-learn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.domain.data import ColumnKind
from core.domain.training import Algorithm
from core.ml.features import Features
from core.ml.learners.learner import Always, Fitted, Learner, Setup, spread
from core.ml.task import Rows
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
        return self.features.linear(self.model.coef_, self.model.intercept_)

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


LEARNER = Learner(
    Algorithm.LOGISTIC_REGRESSION,
    "sklearn.linear_model",
    fit,
    ({"C": 1.0, "max_iter": 200}, {"C": 0.05, "max_iter": 200}),
    featurizer="StandardScalerWrapper",
)
