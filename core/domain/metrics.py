"""The metrics a model is judged by: what each is called, which way is better, and which tasks it judges."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class TaskKind(StrEnum):
    """What is to be predicted: one of two classes, one of several, or a number."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


CLASSIFICATION = frozenset({TaskKind.BINARY, TaskKind.MULTICLASS})
REGRESSION = frozenset({TaskKind.REGRESSION})


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric under Azure's name."""

    name: str
    label: str
    """Its everyday name."""
    higher_is_better: bool = True
    primary: bool = False
    """Whether a job may optimize it."""
    tasks: frozenset[TaskKind] = CLASSIFICATION


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("AUC_weighted", "AUC", primary=True),
        Metric("accuracy", "Accuracy", primary=True),
        Metric("average_precision_score_weighted", "Average precision", primary=True),
        Metric("balanced_accuracy", "Balanced accuracy", primary=True),
        Metric("f1_score_weighted", "F1 score", primary=True),
        Metric("matthews_correlation", "Matthews correlation", primary=True),
        Metric("norm_macro_recall", "Normalized macro recall", primary=True),
        Metric("log_loss", "Log loss", higher_is_better=False, primary=True),
        Metric("AUC_macro", "AUC (macro)"),
        Metric("AUC_micro", "AUC (micro)"),
        Metric("average_precision_score_macro", "Average precision (macro)"),
        Metric("average_precision_score_micro", "Average precision (micro)"),
        Metric("f1_score_macro", "F1 score (macro)"),
        Metric("f1_score_micro", "F1 score (micro)"),
        Metric("precision_score_macro", "Precision (macro)"),
        Metric("precision_score_micro", "Precision (micro)"),
        Metric("precision_score_weighted", "Precision (weighted)", primary=True),
        Metric("recall_score_macro", "Recall (macro)"),
        Metric("recall_score_micro", "Recall (micro)"),
        Metric("recall_score_weighted", "Recall (weighted)"),
        Metric("weighted_accuracy", "Weighted accuracy"),
        Metric(
            "normalized_root_mean_squared_error",
            "RMSE (normalized)",
            higher_is_better=False,
            primary=True,
            tasks=REGRESSION,
        ),
        Metric("r2_score", "R2", primary=True, tasks=REGRESSION),
        Metric("spearman_correlation", "Spearman correlation", primary=True, tasks=REGRESSION),
        Metric(
            "normalized_mean_absolute_error",
            "Mean absolute error (normalized)",
            higher_is_better=False,
            primary=True,
            tasks=REGRESSION,
        ),
        Metric("explained_variance", "Explained variance", tasks=REGRESSION),
        Metric("mean_absolute_error", "Mean absolute error", higher_is_better=False, tasks=REGRESSION),
        Metric(
            "mean_absolute_percentage_error", "Mean absolute percentage error", higher_is_better=False, tasks=REGRESSION
        ),
        Metric("median_absolute_error", "Median absolute error", higher_is_better=False, tasks=REGRESSION),
        Metric(
            "normalized_median_absolute_error",
            "Median absolute error (normalized)",
            higher_is_better=False,
            tasks=REGRESSION,
        ),
        Metric(
            "normalized_root_mean_squared_log_error", "RMSLE (normalized)", higher_is_better=False, tasks=REGRESSION
        ),
        Metric("root_mean_squared_error", "RMSE", higher_is_better=False, tasks=REGRESSION),
        Metric("root_mean_squared_log_error", "RMSLE", higher_is_better=False, tasks=REGRESSION),
    )
}

PRIMARY_METRICS = tuple(m.name for m in METRICS.values() if m.primary and m.tasks is CLASSIFICATION)
"""The metrics a job of classification may optimize."""
REGRESSION_METRICS = tuple(m.name for m in METRICS.values() if m.primary and m.tasks is REGRESSION)
"""The metrics a job of regression may optimize."""


def primary_metrics(regression: bool) -> tuple[str, ...]:
    """The metrics a job of this task may optimize, the usual one first."""
    return REGRESSION_METRICS if regression else PRIMARY_METRICS


def metric_named(name: str) -> Metric:
    """The metric of that name. One that this table does not know loses its underscores, and more of it is better."""
    return METRICS.get(name) or Metric(name, name.replace("_", " ").capitalize())


def gain(name: str, value: float) -> float:
    """The value with the sign that makes more better."""
    return value if metric_named(name).higher_is_better else -value
