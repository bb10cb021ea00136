"""What hyperparameters are called elsewhere: aliases of their own library, and names of the same thing in others."""

from collections.abc import Mapping

from core.domain.training import Algorithm

_LIGHTGBM = {
    "learning_rate": ("eta", "shrinkage_rate"),
    "num_leaves": ("num_leaf", "max_leaf", "max_leaves", "max_leaf_nodes"),
    "min_data_in_leaf": ("min_data", "min_data_per_leaf", "min_child_samples", "min_samples_leaf"),
    "min_sum_hessian_in_leaf": ("min_sum_hessian_per_leaf", "min_sum_hessian", "min_hessian", "min_child_weight"),
    "min_gain_to_split": ("min_split_gain", "min_split_loss", "gamma"),
    "lambda_l1": ("reg_alpha", "l1_regularization"),
    "lambda_l2": ("reg_lambda", "lambda", "l2_regularization", "l2_leaf_reg"),
    "feature_fraction": ("colsample_bytree", "sub_feature"),
    "feature_fraction_bynode": ("colsample_bynode", "sub_feature_bynode", "max_features"),
    "bagging_fraction": ("subsample", "sub_row", "bagging"),
    "bagging_freq": ("subsample_freq",),
    "max_bin": ("max_bins", "border_count"),
    "max_depth": ("depth",),
    "extra_trees": ("extra_tree",),
    "is_unbalance": ("unbalance", "unbalanced_sets"),
}
_XGBOOST = {
    "eta": ("learning_rate", "shrinkage_rate"),
    "max_depth": ("depth",),
    "max_leaves": ("num_leaves", "max_leaf_nodes"),
    "min_child_weight": ("min_sum_hessian_in_leaf",),
    "gamma": ("min_split_loss", "min_gain_to_split", "min_split_gain"),
    "reg_alpha": ("alpha", "lambda_l1"),
    "reg_lambda": ("lambda", "lambda_l2", "l2_leaf_reg"),
    "colsample_bytree": ("feature_fraction",),
    "colsample_bynode": ("feature_fraction_bynode", "max_features"),
    "subsample": ("bagging_fraction",),
    "max_bin": ("max_bins", "border_count"),
}
_CATBOOST = {
    "learning_rate": ("eta",),
    "depth": ("max_depth",),
    "l2_leaf_reg": ("reg_lambda", "lambda_l2", "lambda"),
    "rsm": ("colsample_bylevel",),
    "subsample": ("bagging_fraction",),
    "border_count": ("max_bin",),
}
_FORESTS = {
    "n_estimators": ("num_trees", "n_trees", "iterations", "num_iterations"),
    "max_depth": ("depth",),
    "min_samples_leaf": ("min_data_in_leaf", "min_child_samples"),
    "max_leaf_nodes": ("num_leaves", "max_leaves"),
    "max_features": ("feature_fraction_bynode", "colsample_bynode"),
}
OTHER_NAMES: Mapping[Algorithm, Mapping[str, tuple[str, ...]]] = {
    Algorithm.LIGHTGBM: _LIGHTGBM,
    Algorithm.XGBOOST: _XGBOOST,
    Algorithm.XGBOOST_REGRESSOR: _XGBOOST,
    Algorithm.CATBOOST: _CATBOOST,
    Algorithm.EXTRA_TREES: _FORESTS,
    Algorithm.RANDOM_FOREST: _FORESTS,
    Algorithm.NEURAL_NETWORK: {"learning_rate": ("eta", "learning_rate_init")},
    Algorithm.KNN: {"n_neighbors": ("k", "neighbors")},
}
"""By algorithm: its own name of a hyperparameter -> what else that is called."""
TREES = ("n_estimators", "num_trees", "n_trees", "num_boost_round", "num_iterations", "num_round", "iterations")
BOOSTERS = (Algorithm.LIGHTGBM, Algorithm.XGBOOST, Algorithm.XGBOOST_REGRESSOR, Algorithm.CATBOOST)


def told(algorithm: Algorithm, name: str) -> str:
    """What somebody means who asks an algorithm for a hyperparameter by another name, in a sentence; empty: unknown."""
    for own, others in OTHER_NAMES.get(algorithm, {}).items():
        if name in others:
            return f"{name} is {own} here"
    if algorithm in BOOSTERS and name in TREES:
        return "How many trees it grows is decided by early stopping"
    return ""
