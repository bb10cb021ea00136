"""Azure's metrics and algorithms of the tasks that the emulation trains, and ours for them."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.training import Algorithm
from core.emulator.jobs.refusals import user_error

METRICS: Mapping[str, Mapping[str, str]] = {
    "Classification": {
        "aucweighted": "AUC_weighted",
        "accuracy": "accuracy",
        "normmacrorecall": "norm_macro_recall",
        "averageprecisionscoreweighted": "average_precision_score_weighted",
        "precisionscoreweighted": "precision_score_weighted",
    },
    "Regression": {
        "spearmancorrelation": "spearman_correlation",
        "normalizedrootmeansquarederror": "normalized_root_mean_squared_error",
        "r2score": "r2_score",
        "normalizedmeanabsoluteerror": "normalized_mean_absolute_error",
    },
}
"""A task -> Azure's metrics, without case and underscores -> the name under which runs log them."""
MODELS: Mapping[str, tuple[str, ...]] = {
    "Classification": (
        "LogisticRegression", "SGD", "MultinomialNaiveBayes", "BernoulliNaiveBayes", "SVM", "LinearSVM", "KNN",
        "DecisionTree", "RandomForest", "ExtremeRandomTrees", "LightGBM", "GradientBoosting", "XGBoostClassifier",
    ),
    "Regression": (
        "ElasticNet", "GradientBoosting", "DecisionTree", "KNN", "LassoLars", "SGD", "RandomForest",
        "ExtremeRandomTrees", "LightGBM", "XGBoostRegressor",
    ),
}  # fmt: skip
"""All algorithms that Azure has for a task."""
NOT_AZURES = (Algorithm.CATBOOST, Algorithm.NEURAL_NETWORK)
"""The engine's own, which no job of Azure's would train."""


def metric(task: str, name: str) -> str:
    """Our name of a metric. Raises AzureError 400 for one that the task does not have."""
    known = METRICS[task].get(squeezed(name))
    if known is None:
        raise user_error(
            f"primaryMetric: a {task.lower()} has no metric '{name}'. It has {', '.join(METRICS[task].values())}."
        )
    return known


def trained(task: str) -> Mapping[str, Algorithm]:
    """The algorithms of a task that the engine has, too, by their squeezed names."""
    return {squeezed(name): Algorithm(name) for name in MODELS[task] if name in tuple(Algorithm)}


def algorithms(task: str, training: Mapping[str, Any]) -> tuple[tuple[Algorithm, ...], tuple[Algorithm, ...]]:
    """Those that are allowed (all, where none is named) and those that are blocked, as far as the engine has them.

    Raises AzureError 400 for one that Azure does not have.
    """
    allowed, blocked = (training.get(f"{which}TrainingAlgorithms") or [] for which in ("allowed", "blocked"))
    known = {squeezed(name) for name in MODELS[task]}
    for name in (*allowed, *blocked):
        if squeezed(name) not in known:
            raise user_error(f"{task} has no algorithm '{name}'. It has {', '.join(MODELS[task])}.")
    return _ours(task, allowed), _ours(task, blocked)


def _ours(task: str, named: Sequence[str]) -> tuple[Algorithm, ...]:
    wanted = {squeezed(name) for name in named}
    return tuple(algorithm for name, algorithm in trained(task).items() if name in wanted)


def squeezed(name: Any) -> str:
    """A name without case and underscores."""
    return str(name).lower().replace("_", "")
