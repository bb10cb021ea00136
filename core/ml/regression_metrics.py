"""Azure's scalar metrics of a regression, from what was right and what was said, in numpy.

The normalized ones are divided by the range of the target, as Azure's documentation says.
"""

from collections.abc import Callable, Mapping

import numpy as np

from core.predict.members import Array

Scorer = Callable[[Array, Array], float]


def ranks(values: Array) -> Array:
    """From 1 up, equal values sharing the mean of their ranks."""
    order = np.argsort(values, kind="stable")
    found = values[order]
    last = np.flatnonzero(np.append(found[1:] != found[:-1], True))
    first = np.append(0, last[:-1] + 1)
    made = np.empty(len(values))
    made[order] = np.repeat((first + last) / 2 + 1, last - first + 1)
    return made


def _range(target: Array) -> float:
    wide = float(np.ptp(target)) if len(target) else 0.0
    return wide or float("nan")


def _rmse(target: Array, said: Array) -> float:
    return float(np.sqrt(np.mean((target - said) ** 2)))


def _rmsle(target: Array, said: Array) -> float:
    if target.min(initial=0.0) <= -1:
        return float("nan")
    return float(np.sqrt(np.mean((np.log1p(target) - np.log1p(np.maximum(said, 0.0))) ** 2)))


def _explained(target: Array, said: Array) -> float:
    spread = float(np.var(target))
    return 1 - float(np.var(target - said)) / spread if spread else float("nan")


def _r2(target: Array, said: Array) -> float:
    total = float(np.sum((target - target.mean()) ** 2))
    return 1 - float(np.sum((target - said) ** 2)) / total if total else float("nan")


def _spearman(target: Array, said: Array) -> float:
    one, other = ranks(target), ranks(said)
    spread = float(one.std() * other.std())
    return float(((one - one.mean()) * (other - other.mean())).mean()) / spread if spread else 0.0


def _mae(target: Array, said: Array) -> float:
    return float(np.abs(target - said).mean())


def _median_error(target: Array, said: Array) -> float:
    return float(np.median(np.abs(target - said)))


def _percentage(target: Array, said: Array) -> float:
    known = target != 0
    return float(100 * np.abs((target[known] - said[known]) / target[known]).mean()) if known.any() else float("nan")


def _normalized(scorer: Scorer) -> Scorer:
    return lambda target, said: scorer(target, said) / _range(target)


REGRESSION_SCORERS: Mapping[str, Scorer] = {
    "explained_variance": _explained,
    "mean_absolute_error": _mae,
    "mean_absolute_percentage_error": _percentage,
    "median_absolute_error": _median_error,
    "normalized_mean_absolute_error": _normalized(_mae),
    "normalized_median_absolute_error": _normalized(_median_error),
    "normalized_root_mean_squared_error": _normalized(_rmse),
    "normalized_root_mean_squared_log_error": _normalized(_rmsle),
    "r2_score": _r2,
    "root_mean_squared_error": _rmse,
    "root_mean_squared_log_error": _rmsle,
    "spearman_correlation": _spearman,
}
"""How each metric of a regression in `core.domain.metrics` is computed."""
