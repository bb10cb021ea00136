"""The plan: configurations that are strong on most tables, best first; then variations of the boosters by seed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from core.domain.training import Algorithm, TrainingSpec
from core.ml.task import Param


@dataclass(frozen=True, slots=True)
class Config:
    """One configuration to try."""

    algorithm: Algorithm
    params: Mapping[str, Param]


def _lightgbm(leaves: int, rate: float, leaf_rows: int, columns: float, l2: float, bagging: float = 1.0) -> Config:
    params: dict[str, Param] = {
        "num_leaves": leaves,
        "learning_rate": rate,
        "min_data_in_leaf": leaf_rows,
        "feature_fraction": columns,
        "lambda_l2": l2,
        **({"bagging_fraction": bagging, "bagging_freq": 1} if bagging < 1 else {}),
    }
    return Config(Algorithm.LIGHTGBM, params)


def _xgboost(depth: int, rate: float, weight: float, columns: float, rows: float, l2: float) -> Config:
    params: dict[str, Param] = {
        "max_depth": depth,
        "eta": rate,
        "min_child_weight": weight,
        "colsample_bytree": columns,
        "subsample": rows,
        "reg_lambda": l2,
    }
    return Config(Algorithm.XGBOOST, params)


def _logistic(c: float) -> Config:
    return Config(Algorithm.LOGISTIC_REGRESSION, {"C": c, "max_iter": 200})


def _extra_trees(leaf_rows: int, features: float, trees: int, depth: int) -> Config:
    return Config(
        Algorithm.EXTRA_TREES,
        {"n_estimators": trees, "min_samples_leaf": leaf_rows, "max_features": features, "max_depth": depth},
    )


PORTFOLIO = (
    _lightgbm(16, 0.1, 20, 0.8, 1.0),
    _logistic(1.0),
    _xgboost(5, 0.08, 2.0, 0.9, 0.9, 1.0),
    _lightgbm(8, 0.12, 40, 0.6, 5.0, 0.8),
    _extra_trees(10, 0.8, 50, 12),
    _xgboost(4, 0.1, 2.0, 0.8, 0.8, 5.0),
    _lightgbm(24, 0.06, 40, 0.6, 5.0, 0.8),
    _lightgbm(4, 0.15, 20, 0.5, 1.0, 0.8),
    _xgboost(7, 0.08, 30.0, 0.6, 0.8, 10.0),
    _logistic(0.05),
    _lightgbm(16, 0.05, 20, 0.9, 1.0),
    _lightgbm(31, 0.1, 40, 0.6, 5.0, 0.8),
    _xgboost(3, 0.12, 5.0, 0.6, 0.8, 1.0),
    _extra_trees(5, 0.5, 80, 14),
)
"""The order is what a short job sees: the first three make a vote of three different learners."""


def plan(spec: TrainingSpec) -> Iterator[Config]:
    """Configurations without end, the same for the same seed, of the algorithms that the spec allows."""
    allowed = set(spec.algorithms or Algorithm) - {Algorithm.VOTING_ENSEMBLE}
    yield from (config for config in PORTFOLIO if config.algorithm in allowed)
    yield from _variations(allowed & {Algorithm.LIGHTGBM, Algorithm.XGBOOST}, Random(spec.seed))  # noqa: S311 - no secret


def _variations(boosters: set[Algorithm], random: Random) -> Iterator[Config]:
    names = sorted(boosters)
    while names:
        rate = round(0.02 * 5 ** random.random(), 4)
        columns, rows = round(random.uniform(0.3, 0.9), 2), round(random.uniform(0.6, 0.95), 2)
        l2 = round(10 ** random.uniform(-1, 1.7), 2)
        if random.choice(names) is Algorithm.LIGHTGBM:
            yield _lightgbm(
                random.choice((4, 8, 12, 16, 24, 32, 48)), rate, random.choice((10, 20, 40, 80, 160)), columns, l2, rows
            )
        else:
            yield _xgboost(random.randint(2, 8), rate, round(10 ** random.uniform(0, 1.7), 1), columns, rows, l2)
