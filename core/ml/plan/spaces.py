"""Where the engine looks around a learner's own configurations: which numbers matter, and within which bounds."""

from collections.abc import Mapping

from core.domain.algorithms import Algorithm
from core.domain.search_space import Distribution, DistributionKind
from core.ml.plan.drawing import Space


def _log(low: float, high: float) -> Distribution:
    return Distribution(DistributionKind.LOG_UNIFORM, low=low, high=high)


def _share(low: float, high: float) -> Distribution:
    return Distribution(DistributionKind.UNIFORM, low=low, high=high)


def _whole(low: float, high: float) -> Distribution:
    return Distribution(DistributionKind.Q_LOG_UNIFORM, low=low, high=high, step=1)


_XGBOOST: Space = {
    "max_depth": _whole(2, 9),
    "eta": _log(0.02, 0.2),
    "min_child_weight": _log(1, 60),
    "colsample_bytree": _share(0.3, 1),
    "subsample": _share(0.5, 1),
    "reg_lambda": _log(0.3, 50),
}

SPACES: Mapping[Algorithm, Space] = {
    Algorithm.LIGHTGBM: {
        "num_leaves": _whole(4, 96),
        "learning_rate": _log(0.02, 0.2),
        "min_data_in_leaf": _whole(5, 200),
        "feature_fraction": _share(0.3, 1),
        "bagging_fraction": _share(0.5, 1),
        "bagging_freq": Distribution(DistributionKind.CHOICE, (1,)),
        "lambda_l2": _log(0.1, 50),
    },
    Algorithm.XGBOOST: _XGBOOST,
    Algorithm.XGBOOST_REGRESSOR: _XGBOOST,
    Algorithm.CATBOOST: {
        "depth": _whole(3, 8),
        "learning_rate": _log(0.03, 0.15),
        "l2_leaf_reg": _log(1, 60),
        "rsm": _share(0.4, 1),
    },
    Algorithm.NEURAL_NETWORK: {"learning_rate": _log(0.0005, 0.005), "alpha": _log(0.003, 3), "width": _whole(16, 128)},
    Algorithm.LOGISTIC_REGRESSION: {"C": _log(0.001, 30)},
    Algorithm.LINEAR_SVM: {"C": _log(0.001, 30)},
    Algorithm.EXTRA_TREES: {
        "min_samples_leaf": _whole(1, 50),
        "max_features": _share(0.2, 1),
        "max_depth": _whole(6, 24),
    },
    Algorithm.RANDOM_FOREST: {
        "min_samples_leaf": _whole(1, 50),
        "max_features": _share(0.1, 0.9),
        "max_depth": _whole(6, 24),
    },
}
"""A learner that is not here gains little by more configurations than its own."""
