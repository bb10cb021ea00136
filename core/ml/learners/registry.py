"""All learners, one line each."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec

from core.domain.training import Algorithm
from core.ml.learners import catboost, lightgbm, linear, naive_bayes, neighbors, network, svm, trees, xgboost
from core.ml.learners.learner import Learner

LEARNERS: Mapping[Algorithm, Learner] = {
    learner.algorithm: learner
    for learner in (
        lightgbm.LEARNER,
        catboost.LEARNER,
        xgboost.LEARNER,
        xgboost.REGRESSOR,
        network.LEARNER,
        linear.LOGISTIC_REGRESSION,
        linear.ELASTIC_NET,
        trees.EXTRA_TREES,
        trees.RANDOM_FOREST,
        linear.LINEAR_SVM,
        svm.LEARNER,
        naive_bayes.LEARNER,
        neighbors.LEARNER,
    )
    if find_spec(learner.library.split(".", 1)[0])
}
"""Of those whose library is installed: CatBoost is larger than all the others together."""


def libraries(algorithms: Iterable[Algorithm]) -> tuple[str, ...]:
    """The modules that training these needs; of none in particular, those of all."""
    return tuple(LEARNERS[name].library for name in tuple(algorithms) or LEARNERS if name in LEARNERS)
