"""A small neural network by scikit-learn, trained epoch by epoch; what answers is the running mean of its weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from core.domain.training import Algorithm
from core.ml.learners.learner import NUMBERS, SCORES, Always, Curves, Draw, Fitted, Learner, Setup, spread
from core.ml.learners.linear import View, all_outputs
from core.ml.task import Labels, Param, Params, Rows, Target, TrialStopped
from core.predict.members import AnyArray, Array, Member, Network
from core.predict.steps import Step

EPOCHS_MAX = 60
PATIENCE = 8
"""Epochs without a better loss on the held-out rows after which training stops."""
KEPT = 0.7
"""Of the running mean, from epoch to epoch; the mean of several epochs' weights answers better than any of them."""
FREQUENT = 60
"""Categories of a column that have a place of their own."""
TINY = 1e-12
"""No probability is taken as smaller when the loss is counted."""

Weights = tuple[list[Array], list[Array]]


@dataclass(frozen=True, slots=True)
class Scale:
    """A target of unit size; of classes, as it is."""

    mean: float = 0.0
    size: float = 1.0


@dataclass(frozen=True, slots=True)
class _Network:
    model: Any
    view: View
    epochs: list[Weights]
    setup: Setup
    present: Labels
    scale: Scale
    curves: tuple[Array, ...] = ()

    @property
    def rounds(self) -> int:
        return len(self.epochs)

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.view.steps

    def probabilities(self, matrix: Array, rounds: int = 0) -> Array:
        said = _said(self.model, self._weights(rounds), self.view.wide(matrix))
        if self.setup.classes:
            return spread(said, self.present, self.setup.classes)
        return np.asarray(said * self.scale.size + self.scale.mean)

    def member(self, rounds: int = 0) -> Member:
        coefs, intercepts = self._weights(rounds)
        first = self.view.features.linear(coefs[0].T, intercepts[0], "identity")
        last, bias = coefs[-1].T.astype(np.float64), intercepts[-1].astype(np.float64)
        link = "value"
        if self.setup.classes:
            last, bias = all_outputs(last, bias, self.present, self.setup.classes)
            link = "sigmoid" if len(bias) == 1 else "softmax"
        else:
            last, bias = last * self.scale.size, bias * self.scale.size + self.scale.mean
        weights = (*(w.astype(np.float64) for w in coefs[1:-1]), np.ascontiguousarray(last.T))
        return Network(first, weights, (*(b.astype(np.float64) for b in intercepts[1:-1]), bias), "relu", link)

    def native(self, rounds: int = 0) -> tuple[str, bytes]:
        return "", b""

    def _weights(self, rounds: int) -> Weights:
        return self.epochs[min(rounds or self.rounds, self.rounds) - 1]


def fit(setup: Setup, rows: Rows, held_out: Sequence[Rows], rounds: int) -> Fitted:
    """Rectified layers, trained by Adam on scores of numbers and one-hot text."""
    matrix, target = rows
    present = np.unique(target) if setup.classes else np.zeros(0, dtype=np.int64)
    if len(present) == 1:
        return Always(int(present[0]), setup.classes)
    scale = Scale() if setup.classes else Scale(float(target.mean()), float(target.std()) or 1.0)
    view = View.of(setup, matrix, rare=5, most=FREQUENT)
    wide = view.wide(matrix).astype(np.float32).toarray()
    parts = [_Held(view.wide(held), *_goal(scale, present, their)) for held, their in held_out]
    goal, _ = _goal(scale, present, target)
    seen, epochs, model = Curves(len(parts), PATIENCE), list[Weights](), _model(setup, len(target))
    for _ in range(rounds or EPOCHS_MAX):
        _epoch(model, wide, goal, present, setup.weights(target))
        epochs.append(_mean(epochs[-1] if epochs else None, model))
        if setup.stop():
            raise TrialStopped
        if seen.add([part.loss(model, epochs[-1]) for part in parts]) or setup.late():
            break
    return _Network(model, view, epochs, setup, present, scale, seen.arrays())


@dataclass(frozen=True, slots=True)
class _Held:
    """Rows that are not trained on."""

    wide: Any
    goal: Target
    known: AnyArray
    """Whether the training rows had the row's class."""

    def loss(self, model: Any, weights: Weights) -> float:
        """The mean log loss, or squared error, of the rows whose class is known."""
        said = _said(model, weights, self.wide)[self.known]
        if self.goal.dtype.kind == "f":
            return float(((said[:, 0] - self.goal) ** 2).mean()) if len(said) else 0.0
        right = said[np.arange(len(said)), self.goal[self.known]]
        return float(-np.log(np.maximum(right, TINY)).mean()) if len(said) else 0.0


def _goal(scale: Scale, present: Labels, target: Target) -> tuple[Target, AnyArray]:
    """What is to be learned: places among the present classes, or numbers of unit size; and which rows have one."""
    if not len(present):
        return (target - scale.mean) / scale.size, np.ones(len(target), dtype=bool)
    return np.searchsorted(present, target), np.isin(target, present)


def _model(setup: Setup, rows: int) -> Any:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    params = setup.params
    layers = tuple(int(params[name] or 1) for name in ("width", "second_width") if params.get(name))
    return (MLPClassifier if setup.classes else MLPRegressor)(
        hidden_layer_sizes=layers,
        alpha=params["alpha"],
        batch_size=max(1, min(int(params["batch_size"] or 1), rows // 10)),
        learning_rate_init=params["learning_rate"],
        random_state=setup.seed,
    )


def _epoch(model: Any, wide: Array, goal: Target, present: Labels, weights: Array | None) -> None:
    if len(present):
        model.partial_fit(wide, goal, weights, np.arange(len(present)))
    else:
        model.partial_fit(wide, goal, weights)


def _mean(before: Weights | None, model: Any) -> Weights:
    """The running mean of the weights; the first epochs, from which nothing good is carried on, fade out soon."""
    now = model.coefs_, model.intercepts_
    if before is None:
        return [w.copy() for w in now[0]], [b.copy() for b in now[1]]
    coefs, intercepts = (
        [np.asarray(KEPT * old + (1 - KEPT) * new, dtype=new.dtype) for old, new in zip(was, own, strict=True)]
        for was, own in zip(before, now, strict=True)
    )
    return coefs, intercepts


def _said(model: Any, weights: Weights, wide: Any) -> Array:
    """What the library says with these weights in place of the model's own."""
    own = model.coefs_, model.intercepts_
    model.coefs_, model.intercepts_ = weights
    try:
        said = model.predict_proba(wide) if hasattr(model, "classes_") else model.predict(wide).reshape(-1, 1)
    finally:
        model.coefs_, model.intercepts_ = own
    return np.asarray(said, dtype=np.float64)


def _config(width: int, second: int, rate: float, alpha: float, batch: int) -> dict[str, Param]:
    return {
        "width": width,
        "second_width": second,
        "learning_rate": rate,
        "alpha": alpha,
        "batch_size": batch,
        NUMBERS: SCORES,
    }


def _vary(draw: Draw, random: Random) -> Params:
    width, second = random.choice((16, 32, 64, 96)), random.choice((0, 16, 32))
    rate, alpha = round(10 ** random.uniform(-3.3, -2), 5), round(10 ** random.uniform(-4, 0.5), 5)
    return _config(width, second, rate, alpha, random.choice((64, 128, 256)))


LEARNER = Learner(
    Algorithm.NEURAL_NETWORK,
    "sklearn.neural_network",
    fit,
    (_config(64, 32, 0.002, 0.01, 256), _config(32, 16, 0.003, 0.3, 128), _config(96, 0, 0.001, 1.0, 128)),
    featurizer="StandardScalerWrapper",
    vary=_vary,
)
