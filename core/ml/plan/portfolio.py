"""The portfolio: the learners' strong configurations in a good order."""

from collections.abc import Iterator

from core.domain.training import Algorithm, TrainingSpec
from core.ml.learners.registry import LEARNERS
from core.ml.plan.config import Config

TURNS = (
    Algorithm.LIGHTGBM,
    Algorithm.LOGISTIC_REGRESSION,
    Algorithm.XGBOOST,
    Algorithm.LIGHTGBM,
    Algorithm.EXTRA_TREES,
    Algorithm.XGBOOST,
    Algorithm.LIGHTGBM,
    Algorithm.LIGHTGBM,
    Algorithm.XGBOOST,
    Algorithm.LOGISTIC_REGRESSION,
    Algorithm.LIGHTGBM,
    Algorithm.LIGHTGBM,
    Algorithm.XGBOOST,
    Algorithm.EXTRA_TREES,
)
"""Whose next configuration it is; what is left of them then follows, learner by learner.

The order is what a short job sees: the first three make a vote of three different learners.
"""

ALIKE = {Algorithm.XGBOOST: (Algorithm.XGBOOST, Algorithm.XGBOOST_REGRESSOR)}
"""Of these a job allows one: the same turn for classes and for numbers."""


def _in_turn() -> Iterator[Config]:
    waiting = {algorithm: iter(learner.configs) for algorithm, learner in LEARNERS.items()}
    for algorithm in TURNS:
        for alike in ALIKE.get(algorithm, (algorithm,)):
            if params := next(waiting.get(alike, iter(())), None):
                yield Config(alike, params)
    for algorithm, left in waiting.items():
        yield from (Config(algorithm, params) for params in left)


PORTFOLIO = tuple(_in_turn())


def portfolio(spec: TrainingSpec) -> Iterator[Config]:
    """That of the algorithms that the spec allows."""
    allowed = set(spec.algorithms)
    return (config for config in PORTFOLIO if config.algorithm in allowed)
