"""Linear models by scikit-learn: logistic regression, a linear SVM, elastic net."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from core.domain.training import Algorithm
from core.ml.features import Features, scores_of
from core.ml.learners.learner import IMPOSSIBLE, NUMBERS, PLAIN, SCORES, Always, Fitted, Learner, Setup, spread
from core.ml.task import Labels, Rows, Target
from core.predict.members import AnyArray, Array, Member
from core.predict.steps import Step, widened

FEW = 3
"""A category with fewer rows is taken as unseen."""
PARTS = 3
"""In so many parts margins are found by models that did not see the rows, before they become probabilities."""


@dataclass(frozen=True, slots=True)
class View:
    """What a model sees of the encoded matrix: the steps' columns, scaled and one-hot."""

    steps: tuple[Step, ...]
    features: Features

    @classmethod
    def of(cls, setup: Setup, matrix: Array, rare: int = FEW, most: int = 1 << 20) -> "View":
        """Learned on the training rows."""
        text = setup.text
        numeric = [at for at in range(matrix.shape[1]) if at not in set(text)]
        steps: tuple[Step, ...] = ()
        if setup.params.get(NUMBERS, SCORES) == SCORES and numeric:
            steps = (scores_of(matrix, numeric),)
            numeric = list(range(matrix.shape[1], matrix.shape[1] + len(numeric)))
        levels = [len(setup.codes[at].levels) for at in text]
        return cls(steps, Features.of(widened(matrix, steps), text, levels, numeric, rare, most))

    def wide(self, matrix: Array) -> Any:
        """Rows x columns, sparse."""
        return self.features.wide(widened(matrix, self.steps))


@dataclass(frozen=True, slots=True)
class FromView:
    """A fitted model whose answers come from its view: what every model of this kind shares."""

    view: View
    said: Callable[[Any], Array]
    """From the wide matrix to rows x outputs, by the library itself."""
    arrays: Callable[[], Member]
    rounds: int = 0
    curves: tuple[Array, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.view.steps

    def probabilities(self, matrix: Array, rounds: int = 0) -> Array:
        return self.said(self.view.wide(matrix))

    def member(self, rounds: int = 0) -> Member:
        return self.arrays()

    def native(self, rounds: int = 0) -> tuple[str, bytes]:
        return "", b""


def places_among(target: Target) -> tuple[Labels, Labels]:
    """The classes that are there, and the place of each row's among them."""
    present, places = np.unique(target, return_inverse=True)
    return present, places.astype(np.int64)


def all_outputs(coef: Array, intercept: Array, present: Labels, classes: int) -> tuple[Array, Array]:
    """Coefficients (outputs x columns) and intercepts for every class, where the training rows had only some."""
    if len(present) == classes:
        return coef, intercept
    if len(present) == 2:
        coef, intercept = np.vstack((np.zeros_like(coef), coef)), np.append(0.0, intercept)
    full, start = np.zeros((classes, coef.shape[1])), np.full(classes, IMPOSSIBLE)
    full[present], start[present] = coef, intercept
    return full, start


def fit_logistic(setup: Setup, rows: Rows, held_out: Sequence[Rows], rounds: int) -> Fitted:
    """Logistic regression by scikit-learn."""
    from sklearn.linear_model import LogisticRegression

    matrix, labels = rows
    present, places = places_among(labels)
    if len(present) < 2:
        return Always(int(present[0]), setup.classes)
    view = View.of(setup, matrix)
    model = LogisticRegression(C=setup.params["C"], max_iter=setup.params["max_iter"], random_state=setup.seed)
    quietly(lambda: model.fit(view.wide(matrix), places, setup.weights(labels)))
    coef, intercept = all_outputs(model.coef_, model.intercept_, present, setup.classes)
    return FromView(
        view,
        lambda wide: spread(model.predict_proba(wide), present, setup.classes),
        lambda: view.features.linear(coef, intercept),
    )


def fit_linear_svm(setup: Setup, rows: Rows, held_out: Sequence[Rows], rounds: int) -> Fitted:
    """A linear SVM by scikit-learn, whose margins on rows that it did not see are made probabilities."""
    matrix, labels = rows
    present, places = places_among(labels)
    if len(present) < 2:
        return Always(int(present[0]), setup.classes)
    view = View.of(setup, matrix)
    machine = svm(setup, view.wide(matrix), places, setup.weights(labels))
    coef, intercept = all_outputs(*machine.folded, present, setup.classes)
    return FromView(
        view,
        lambda wide: spread(machine.probabilities(wide), present, setup.classes),
        lambda: view.features.linear(coef, intercept),
    )


class Margins(Protocol):
    """A fitted linear model whose sums are no probabilities yet."""

    coef_: Array
    intercept_: Array

    def decision_function(self, wide: Any) -> Array:
        """Rows x outputs; of two classes the second's alone."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A linear model and the logistic regression on its margins."""

    model: Margins
    calibration: Any
    size: float
    """Of the margins, by which they are divided first."""

    def probabilities(self, wide: Any) -> Array:
        """Rows x classes."""
        return np.asarray(self.calibration.predict_proba(_margins(self.model, wide) / self.size))

    @property
    def folded(self) -> tuple[Array, Array]:
        """Both as one: coefficients (outputs x columns) and intercepts."""
        weights = self.calibration.coef_ / self.size
        return weights @ self.model.coef_, weights @ self.model.intercept_ + self.calibration.intercept_


def svm(setup: Setup, wide: Any, places: Labels, weights: Array | None) -> Calibrated:
    """A linear SVM whose margins became probabilities."""
    from sklearn.svm import LinearSVC

    def fitted(some: AnyArray) -> Margins:
        model = LinearSVC(C=setup.params["C"], max_iter=setup.params["max_iter"], random_state=setup.seed)
        quietly(lambda: model.fit(wide[some], places[some], None if weights is None else weights[some]))
        found: Margins = model
        return found

    return calibrated(fitted, wide, places, weights)


def calibrated(fitted: Callable[[AnyArray], Margins], wide: Any, places: Labels, weights: Array | None) -> Calibrated:
    """The model of all rows, and its calibration on the margins of parts that were left out in turn."""
    from sklearn.linear_model import LogisticRegression

    classes = int(places.max()) + 1
    margins = np.zeros((len(places), 1 if classes == 2 else classes))
    part = np.empty(len(places), dtype=np.int64)
    part[np.argsort(places, kind="stable")] = np.arange(len(places)) % PARTS
    for at in range(PARTS):
        inside = np.flatnonzero(part != at)
        if len(np.unique(places[inside])) == classes:
            margins[part == at] = _margins(fitted(inside), wide[part == at])
    calibration, size = LogisticRegression(C=1.0, max_iter=200), float(margins.std()) or 1.0
    quietly(lambda: calibration.fit(margins / size, places, weights))
    return Calibrated(fitted(np.arange(len(places))), calibration, size)


def _margins(model: Margins, wide: Any) -> Array:
    margins = np.asarray(model.decision_function(wide), dtype=np.float64)
    return margins[:, None] if margins.ndim == 1 else margins


def fit_elastic_net(setup: Setup, rows: Rows, held_out: Sequence[Rows], rounds: int) -> Fitted:
    """Linear regression with both penalties by scikit-learn, on a target of unit size."""
    from sklearn.linear_model import ElasticNet

    matrix, target = rows
    view, mean, size = View.of(setup, matrix), float(target.mean()), float(target.std()) or 1.0
    model = ElasticNet(
        alpha=setup.params["alpha"],
        l1_ratio=setup.params["l1_ratio"],
        max_iter=setup.params["max_iter"],
        random_state=setup.seed,
    )
    quietly(lambda: model.fit(view.wide(matrix), (target - mean) / size))
    coef, intercept = np.atleast_2d(model.coef_) * size, np.atleast_1d(model.intercept_) * size + mean
    return FromView(
        view,
        lambda wide: np.asarray(model.predict(wide).reshape(-1, 1) * size + mean),
        lambda: view.features.linear(coef, intercept, "value"),
    )


def quietly(work: Callable[[], Any]) -> Any:
    """Without the library's warnings: a fit that ends before it is done is judged by its score, as any other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return work()


LOGISTIC_REGRESSION = Learner(
    Algorithm.LOGISTIC_REGRESSION,
    "sklearn.linear_model",
    fit_logistic,
    (
        {"C": 1.0, "max_iter": 200, NUMBERS: SCORES},
        {"C": 0.05, "max_iter": 200, NUMBERS: SCORES},
        {"C": 0.3, "max_iter": 200, NUMBERS: PLAIN},
    ),
    featurizer="StandardScalerWrapper",
)
LINEAR_SVM = Learner(
    Algorithm.LINEAR_SVM,
    "sklearn.svm",
    fit_linear_svm,
    ({"C": 0.1, "max_iter": 300, NUMBERS: SCORES}, {"C": 0.005, "max_iter": 300, NUMBERS: SCORES}),
    featurizer="StandardScalerWrapper",
)
ELASTIC_NET = Learner(
    Algorithm.ELASTIC_NET,
    "sklearn.linear_model",
    fit_elastic_net,
    (
        {"alpha": 0.001, "l1_ratio": 0.5, "max_iter": 500, NUMBERS: SCORES},
        {"alpha": 0.01, "l1_ratio": 0.5, "max_iter": 500, NUMBERS: PLAIN},
        {"alpha": 0.02, "l1_ratio": 0.1, "max_iter": 500, NUMBERS: SCORES},
    ),
    featurizer="StandardScalerWrapper",
)
