"""The plan: the learners' strong configurations in a good order; then variations of the boosters by seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from core.domain.training import Algorithm, TrainingSpec
from core.ml.learners.learner import Draw, Vary
from core.ml.learners.registry import LEARNERS
from core.ml.task import Params


@dataclass(frozen=True, slots=True)
class Config:
    """One configuration to try."""

    algorithm: Algorithm
    params: Params


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


def _in_turn() -> Iterator[Config]:
    waiting = {algorithm: iter(learner.configs) for algorithm, learner in LEARNERS.items()}
    for algorithm in TURNS:
        yield Config(algorithm, next(waiting[algorithm]))
    for algorithm, left in waiting.items():
        yield from (Config(algorithm, params) for params in left)


PORTFOLIO = tuple(_in_turn())


def plan(spec: TrainingSpec) -> Iterator[Config]:
    """Configurations without end, the same for the same seed, of the algorithms that the spec allows."""
    allowed = set(spec.algorithms)
    yield from (config for config in PORTFOLIO if config.algorithm in allowed)
    varied = [(name, vary) for name in sorted(allowed & set(LEARNERS)) if (vary := LEARNERS[name].vary)]
    yield from _variations(varied, Random(spec.seed))  # noqa: S311 - no secret


def _variations(boosters: Sequence[tuple[Algorithm, Vary]], random: Random) -> Iterator[Config]:
    while boosters:
        rate = round(0.02 * 5 ** random.random(), 4)
        columns, rows = round(random.uniform(0.3, 0.9), 2), round(random.uniform(0.6, 0.95), 2)
        l2 = round(10 ** random.uniform(-1, 1.7), 2)
        algorithm, vary = random.choice(boosters)
        yield Config(algorithm, vary(Draw(rate, columns, rows, l2), random))
