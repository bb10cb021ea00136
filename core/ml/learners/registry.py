"""All learners, one line each."""

from collections.abc import Iterable, Mapping

from core.domain.training import Algorithm
from core.ml.learners import lightgbm, logistic, trees, xgboost
from core.ml.learners.learner import Learner

LEARNERS: Mapping[Algorithm, Learner] = {
    learner.algorithm: learner
    for learner in (
        lightgbm.LEARNER,
        xgboost.LEARNER,
        xgboost.REGRESSOR,
        logistic.LEARNER,
        trees.EXTRA_TREES,
        trees.RANDOM_FOREST,
    )
}


def libraries(algorithms: Iterable[Algorithm]) -> tuple[str, ...]:
    """The modules that training these needs; of none in particular, those of all."""
    return tuple(LEARNERS[name].library for name in tuple(algorithms) or LEARNERS if name in LEARNERS)
