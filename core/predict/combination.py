"""How the answers of several models become one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isclose, isfinite
from typing import Any, ClassVar, Protocol

import numpy as np

from core.domain.errors import ModelUnreadable
from core.predict.arrays import Array

ABSENT = 1e-6
"""Added to a probability before its logarithm is taken, so that 0 has one and two that differ still do."""
WEIGHTS_APART = 1e-6
"""So far weights that make a mean may be from 1 together."""


class Combination(Protocol):
    """From what each model of an ensemble says to what the ensemble says."""

    kind: ClassVar[str]

    def combined(self, said: Sequence[Array]) -> Array:
        """Rows x outputs from as many of them as there are models."""

    def meta(self) -> dict[str, Any]:
        """For `model.json`."""

    def problem(self, models: int, classes: int) -> str:
        """Why it cannot combine so many models of so many classes (0: of a regression); empty when it can."""


class CombinationKind(Protocol):
    """A class of combinations, as a model folder is read."""

    def from_meta(self, meta: Mapping[str, Any]) -> Combination:
        """The combination that `meta` described. Raises ModelUnreadable."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Probabilities made sharper or flatter, and shifted between the classes (temperature scaling with a bias)."""

    slope: float
    bias: tuple[float, ...]

    def calibrated(self, said: Array) -> Array:
        """Rows x classes."""
        scores = logarithms(said)
        scores *= self.slope
        scores += self.bias
        return softmax(scores)

    def problem(self, classes: int) -> str:
        """Why it does not fit; empty when it does."""
        if not classes:
            return "it calibrates a number as if that were a probability"
        if len(self.bias) != classes:
            return f"its calibration has {len(self.bias)} classes, and there are {classes}"
        if not all(map(isfinite, (self.slope, *self.bias))) or self.slope <= 0:
            return "its calibration is not of finite numbers, with a slope above 0"
        return ""


@dataclass(frozen=True, slots=True)
class Vote:
    """The weighted mean, calibrated where that helps; of one model with weight 1 the very numbers that it gives."""

    kind: ClassVar[str] = "vote"

    weights: tuple[float, ...] = (1.0,)
    calibration: Calibration | None = None

    def combined(self, said: Sequence[Array]) -> Array:
        """See `Combination.combined`."""
        total = self.weights[0] * said[0]
        for weight, one in zip(self.weights[1:], said[1:], strict=True):
            total += weight * one
        return self.calibration.calibrated(total) if self.calibration else np.asarray(total)

    def meta(self) -> dict[str, Any]:
        """See `Combination.meta`."""
        made = self.calibration
        calibration = {"slope": made.slope, "bias": list(made.bias)} if made else None
        return {"weights": list(self.weights), "calibration": calibration}

    def problem(self, models: int, classes: int) -> str:
        """See `Combination.problem`."""
        if len(self.weights) != models:
            return "its vote has another number of weights than it has members"
        if not all(isfinite(weight) and weight >= 0 for weight in self.weights):
            return "a member's weight is no number of 0 or more"
        if not isclose(sum(self.weights), 1.0, abs_tol=WEIGHTS_APART):
            return "the weights of its members do not add up to 1"
        return self.calibration.problem(classes) if self.calibration else ""

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> "Vote":
        """The vote that `meta` described. Raises ModelUnreadable."""
        try:
            made = meta.get("calibration")
            calibration = Calibration(float(made["slope"]), _numbers(made["bias"])) if made else None
            return cls(_numbers(meta["weights"]), calibration)
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            raise _damaged("vote") from e


@dataclass(frozen=True, slots=True)
class Stack:
    """A linear model over what the models say: of a classification over the logarithms of their probabilities."""

    kind: ClassVar[str] = "stack"

    weights: tuple[float, ...]
    """One a model, none below 0."""
    bias: tuple[float, ...]
    """One a class; of a regression a single one."""

    def combined(self, said: Sequence[Array]) -> Array:
        """See `Combination.combined`."""
        plain = len(self.bias) == 1
        total = np.zeros(said[0].shape) + np.array(self.bias)
        for weight, one in zip(self.weights, said, strict=True):
            total += weight * (one if plain else logarithms(one))
        return total if plain else softmax(total)

    def meta(self) -> dict[str, Any]:
        """See `Combination.meta`."""
        return {"weights": list(self.weights), "bias": list(self.bias)}

    def problem(self, models: int, classes: int) -> str:
        """See `Combination.problem`."""
        if len(self.weights) != models:
            return "its stack has another number of weights than it has members"
        if len(self.bias) != (classes or 1):
            return f"its stack has {len(self.bias)} outputs, and there are {classes or 1}"
        if not all(map(isfinite, (*self.weights, *self.bias))) or min(self.weights) < 0:
            return "its stack is not of finite numbers, with weights of 0 or more"
        return ""

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> "Stack":
        """The stack that `meta` described. Raises ModelUnreadable."""
        try:
            return cls(_numbers(meta["weights"]), _numbers(meta["bias"]))
        except (KeyError, TypeError, ValueError) as e:
            raise _damaged("stack") from e


COMBINATIONS: Mapping[str, CombinationKind] = {Vote.kind: Vote, Stack.kind: Stack}
"""Every kind there is, by the name in `model.json`."""


def logarithms(probabilities: Array) -> Array:
    """Of probabilities, which may be 0."""
    made = probabilities + ABSENT
    return np.log(made, out=made)


def softmax(scores: Array) -> Array:
    """Rows x classes, each row summing to 1."""
    made = scores - np.maximum.reduce(scores, axis=1, keepdims=True)  # the method takes twice as long for a row
    np.exp(made, out=made)
    made /= np.add.reduce(made, axis=1, keepdims=True)
    return np.asarray(made)


def _numbers(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list):
        raise TypeError("expected a list")
    return tuple(float(value) for value in values)


def _damaged(what: str) -> ModelUnreadable:
    return ModelUnreadable(f"The numbers of the model's {what} are damaged", hint="Register the model again")
