"""The weights of a stack and the numbers of a calibration: one linear model over logarithms of probabilities.

Both are drawn to where nothing changes (a calibration) or to the vote (a stack), since few rows would lead them astray.
"""

from dataclasses import dataclass

import numpy as np

from core.ml.task import Labels, Target
from core.predict.combination import Calibration, Stack, logarithms, softmax
from core.predict.members import Array

CALIBRATION_STRENGTH = 50.0
"""What a deviation of 1 costs, squared, in rows' log losses."""
STACK_STRENGTH = 100.0
SLOPES = (0.4, 2.5)
BIAS_MAX = 5.0
STEPS_MAX = 20
HALVINGS = 6
ENOUGH = 1e-9
"""A step that gains less, in log loss a row, is the last."""
SMALLEST = 1e-300


def calibration_of(said: Array, labels: Labels) -> Calibration:
    """What makes these probabilities (rows x classes) fit the labels best."""
    slopes, bias = _fit(logarithms(said)[None], labels, np.ones(1), CALIBRATION_STRENGTH, SLOPES)
    return Calibration(float(slopes[0]), tuple(map(float, bias)))


def stack_of(said: Array, labels: Labels, vote: Array) -> Stack:
    """The stack of models x rows x classes, drawn to the vote with these weights."""
    found, bias = _fit(logarithms(said), labels, vote, STACK_STRENGTH, (0.0, 3.0))
    return Stack(tuple(map(float, found)), tuple(map(float, bias)))


def ridge_of(said: Array, target: Target, vote: Array) -> Stack:
    """The stack of models x rows of numbers, drawn to the vote with these weights."""
    from scipy.optimize import nnls

    center = target.mean()
    scale = target.std() or 1.0
    columns = (said - said.mean(axis=1, keepdims=True)).T / scale
    pull = np.sqrt(STACK_STRENGTH) * np.eye(len(vote))
    found, _ = nnls(np.vstack((columns, pull)), np.append((target - center) / scale, pull @ vote))
    return Stack(tuple(map(float, found)), (float(center - found @ said.mean(axis=1)),))


def _fit(
    logs: Array, labels: Labels, start: Array, strength: float, bounds: tuple[float, float]
) -> tuple[Array, Array]:
    """Weights (one a model) and bias (one a class) of the lowest log loss, plus the cost of their deviation.

    By Newton's method, within the bounds of the weights; what is to be lowest is strictly convex.
    """
    models, rows, classes = logs.shape
    problem = _Pool(logs, np.eye(classes)[labels], np.append(start, np.zeros(classes)), strength)
    low = np.append(np.full(models, bounds[0]), np.full(classes, -BIAS_MAX))
    high = np.append(np.full(models, bounds[1]), np.full(classes, BIAS_MAX))
    values, cost = problem.start, problem.cost(problem.start)
    for _ in range(STEPS_MAX):
        slope, bend = problem.derivatives(values)
        stuck = ((values <= low) & (slope > 0)) | ((values >= high) & (slope < 0))
        free = ~stuck
        step = np.zeros_like(values)
        step[free] = np.linalg.solve(bend[np.ix_(free, free)], slope[free])
        after = [np.clip(values - step / 2**halved, low, high) for halved in range(HALVINGS)]
        better = next(((v, c) for v in after if (c := problem.cost(v)) < cost), None)
        if better is None or cost - better[1] < ENOUGH * rows:
            break
        values, cost = better
    return values[:models], values[models:]


@dataclass(frozen=True, slots=True)
class _Pool:
    """The cost of weights and bias, drawn to where they start."""

    logs: Array
    true: Array
    start: Array
    strength: float

    def said(self, values: Array) -> Array:
        models = len(self.logs)
        return softmax(np.tensordot(values[:models], self.logs, 1) + values[models:])

    def cost(self, values: Array) -> float:
        own = (self.said(values) * self.true).sum(axis=1)
        off = values - self.start
        return float(-np.log(np.maximum(own, SMALLEST)).sum() + self.strength / 2 * (off @ off))

    def derivatives(self, values: Array) -> tuple[Array, Array]:
        """The first and the second ones."""
        said, models = self.said(values), len(self.logs)
        wrong = said - self.true
        slope = np.append((wrong * self.logs).sum(axis=(1, 2)), wrong.sum(axis=0))
        mean = (said * self.logs).sum(axis=2)
        apart = said * (self.logs - mean[:, :, None])
        bend = np.empty((len(values), len(values)))
        bend[:models, :models] = np.tensordot(apart, self.logs, ((1, 2), (1, 2)))
        bend[:models, models:] = apart.sum(axis=1)
        bend[models:, :models] = bend[:models, models:].T
        bend[models:, models:] = np.diag(said.sum(axis=0)) - said.T @ said
        return slope + self.strength * (values - self.start), bend + self.strength * np.eye(len(values))
