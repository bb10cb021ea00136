"""The algorithms that a search may train, and what they are called."""

from collections.abc import Mapping
from enum import StrEnum

from core.domain.metrics import CLASSIFICATION, TaskKind


class Algorithm(StrEnum):
    """Named as Azure's AutoML names them, where it has the same; each with its everyday name."""

    label: str

    def __new__(cls, name: str, label: str = "") -> "Algorithm":
        """A member is equal to its name."""
        made = str.__new__(cls, name)
        made._value_ = name
        made.label = label
        return made

    LOGISTIC_REGRESSION = "LogisticRegression", "Logistic regression"
    LINEAR_SVM = "LinearSVM", "Linear SVM"
    SVM = "SVM", "SVM"
    KNN = "KNN", "K nearest neighbors"
    BERNOULLI_NAIVE_BAYES = "BernoulliNaiveBayes", "Naive Bayes"
    RANDOM_FOREST = "RandomForest", "Random forest"
    EXTRA_TREES = "ExtremeRandomTrees", "Extra trees"
    LIGHTGBM = "LightGBM", "LightGBM"
    XGBOOST = "XGBoostClassifier", "XGBoost"
    XGBOOST_REGRESSOR = "XGBoostRegressor", "XGBoost"
    CATBOOST = "CatBoost", "CatBoost"
    NEURAL_NETWORK = "NeuralNetwork", "Neural network"
    ELASTIC_NET = "ElasticNet", "Elastic net"
    VOTING_ENSEMBLE = "VotingEnsemble", "Voting ensemble"
    STACK_ENSEMBLE = "StackEnsemble", "Stack ensemble"


ENSEMBLES = (Algorithm.VOTING_ENSEMBLE, Algorithm.STACK_ENSEMBLE)
"""Made of the other trials; asked for by `enable_vote_ensemble` and `enable_stack_ensemble`."""

_REGRESSION = frozenset({TaskKind.REGRESSION})
_BOTH = CLASSIFICATION | _REGRESSION

TASKS: Mapping[Algorithm, frozenset[TaskKind]] = {
    Algorithm.LOGISTIC_REGRESSION: CLASSIFICATION,
    Algorithm.LINEAR_SVM: CLASSIFICATION,
    Algorithm.SVM: CLASSIFICATION,
    Algorithm.KNN: _BOTH,
    Algorithm.BERNOULLI_NAIVE_BAYES: CLASSIFICATION,
    Algorithm.RANDOM_FOREST: _BOTH,
    Algorithm.EXTRA_TREES: _BOTH,
    Algorithm.LIGHTGBM: _BOTH,
    Algorithm.XGBOOST: CLASSIFICATION,
    Algorithm.XGBOOST_REGRESSOR: _REGRESSION,
    Algorithm.CATBOOST: _BOTH,
    Algorithm.NEURAL_NETWORK: _BOTH,
    Algorithm.ELASTIC_NET: _REGRESSION,
    Algorithm.VOTING_ENSEMBLE: _BOTH,
    Algorithm.STACK_ENSEMBLE: _BOTH,
}
"""What each can predict."""


def algorithms_of(regression: bool) -> tuple[Algorithm, ...]:
    """Those that a task may be learned with, ensembles aside."""
    kinds = {TaskKind.REGRESSION} if regression else CLASSIFICATION
    return tuple(a for a in Algorithm if a not in ENSEMBLES and TASKS[a] & kinds)


def algorithm_label(name: str) -> str:
    """An algorithm's everyday name; one of another engine keeps its own."""
    return next((known.label for known in Algorithm if known == name), name)
