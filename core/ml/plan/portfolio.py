"""The portfolio: the learners' strong configurations in a good order."""

from collections.abc import Iterator, Sequence

from core.domain.algorithms import Algorithm
from core.domain.training import TrainingSpec
from core.ml.featurize import FEATURES
from core.ml.learners.registry import LEARNERS
from core.ml.plan.config import Config
from core.ml.task import Params

JOINED = "+"
"""Between the sets of added columns that a trial asks for."""

LEAD = (
    (Algorithm.LIGHTGBM, 0, ""),
    (Algorithm.LOGISTIC_REGRESSION, 0, ""),
    (Algorithm.XGBOOST, 3, ""),
    (Algorithm.LIGHTGBM, 1, "target+counts"),
    (Algorithm.LIGHTGBM, 4, ""),
    (Algorithm.CATBOOST, 0, ""),
    (Algorithm.LIGHTGBM, 9, ""),
    (Algorithm.LOGISTIC_REGRESSION, 0, "target+cross+arithmetic"),
    (Algorithm.EXTRA_TREES, 0, ""),
    (Algorithm.XGBOOST, 4, ""),
    (Algorithm.LIGHTGBM, 7, ""),
    (Algorithm.CATBOOST, 1, ""),
    (Algorithm.NEURAL_NETWORK, 2, ""),
    (Algorithm.LIGHTGBM, 8, ""),
    (Algorithm.XGBOOST, 0, "target+counts"),
    (Algorithm.LIGHTGBM, 2, "target+counts+arithmetic"),
    (Algorithm.LINEAR_SVM, 0, ""),
    (Algorithm.XGBOOST, 5, ""),
)
"""What a short job sees: the first three make a vote of three different learners; strong regularization comes early.

The algorithm, which of its configurations, and the sets of added columns; what is left of all configurations follows.
"""
ALIKE = {
    Algorithm.XGBOOST: (Algorithm.XGBOOST, Algorithm.XGBOOST_REGRESSOR),
    Algorithm.LOGISTIC_REGRESSION: (Algorithm.LOGISTIC_REGRESSION, Algorithm.ELASTIC_NET),
}
"""Of these a job allows one: the same turn for classes and for numbers."""
ASKED_FOR = frozenset({Algorithm.KNN})
"""Without a fast path, so that it is tried only where it is asked for by name."""


def tried_by_itself(spec: TrainingSpec) -> tuple[Algorithm, ...]:
    """The algorithms that a job tries."""
    named = spec.allowed_training_algorithms
    return tuple(a for a in spec.algorithms if a in LEARNERS and (a not in ASKED_FOR or a in named))


def portfolio(spec: TrainingSpec, sets: Sequence[str] = ()) -> Iterator[Config]:
    """Of the algorithms that the spec allows, with those added columns that this table has; a configuration once."""
    allowed, seen = set(tried_by_itself(spec)), set()
    for config in _all(sets):
        if config.algorithm in allowed and config.key not in seen:
            seen.add(config.key)
            yield config


def _all(sets: Sequence[str]) -> Iterator[Config]:
    for algorithm, place, features in LEAD:
        for name in ALIKE.get(algorithm, (algorithm,)):
            configs = LEARNERS[name].configs if name in LEARNERS else ()
            if place < len(configs):
                yield Config(name, with_features(configs[place], features.split(JOINED), sets))
    longest = max(len(learner.configs) for learner in LEARNERS.values())
    for place in range(longest):
        for name, learner in LEARNERS.items():
            if place < len(learner.configs):
                yield Config(name, learner.configs[place])


def with_features(params: Params, wanted: Sequence[str], sets: Sequence[str]) -> Params:
    """The parameters, asking for those sets of columns that this table has."""
    found = [name for name in sets if name in wanted]
    rest = {name: value for name, value in params.items() if name != FEATURES}
    return {**rest, FEATURES: JOINED.join(found)} if found else rest
