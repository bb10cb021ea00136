"""What a training is called in Azure's AutoML for tables, and what that does not have at all."""

from collections.abc import Iterator, Mapping

from core.domain.algorithms import Algorithm
from core.domain.errors import SpecInvalid
from core.domain.featurization import FeaturizationMode
from core.domain.training import TrainingSpec

CLASSIFICATION: Mapping[str, str] = {
    "AUC_weighted": "AUCWeighted",
    "accuracy": "Accuracy",
    "average_precision_score_weighted": "AveragePrecisionScoreWeighted",
    "norm_macro_recall": "NormMacroRecall",
    "precision_score_weighted": "PrecisionScoreWeighted",
}
REGRESSION: Mapping[str, str] = {
    "normalized_root_mean_squared_error": "NormalizedRootMeanSquaredError",
    "r2_score": "R2Score",
    "spearman_correlation": "SpearmanCorrelation",
    "normalized_mean_absolute_error": "NormalizedMeanAbsoluteError",
}
"""The metrics that both we and Azure's AutoML can optimize -> Azure's name."""
ONLY_OURS = frozenset({Algorithm.CATBOOST, Algorithm.NEURAL_NETWORK})
"""The algorithms that Azure's AutoML does not have; the names of all others are its own."""
LACKS: Mapping[str, str] = {
    "search_space": "it chooses the hyperparameters of tables itself",
    "sampling_algorithm": "it chooses the hyperparameters of tables itself",
    "class_weights": "it weighs rows by a column of the table alone",
    "cost_matrix": "it sets no threshold",
    "max_predict_ms": "it does not look at the time that a model takes for a row",
}
"""A setting that it has nothing for -> why."""


def metrics(regression: bool) -> Mapping[str, str]:
    """The metrics of a task -> Azure's names."""
    return REGRESSION if regression else CLASSIFICATION


def metric_of(name: str) -> str:
    """Our name of a primary metric of Azure's; one that we do not have keeps its own."""
    squeezed = name.replace("_", "").lower()
    known = {**CLASSIFICATION, **REGRESSION}
    return next((ours for ours, azures in known.items() if azures.lower() == squeezed), name)


def azure_algorithms(named: tuple[Algorithm, ...]) -> list[str] | None:
    """Those that Azure has, by its names; None for none."""
    return [str(name.value) for name in named if name not in ONLY_OURS] or None


def check(spec: TrainingSpec) -> None:
    """Raises SpecInvalid for what AutoML does not have: it would train something else, or the SDK fail barely."""
    for what, hint in _lacking(spec):
        raise SpecInvalid(f"AutoML on Azure {what}", hint=hint)


def _lacking(spec: TrainingSpec) -> Iterator[tuple[str, str]]:
    known = metrics(spec.regression)
    if spec.primary_metric not in known:
        yield f"cannot optimize '{spec.primary_metric}'", f"One of: {', '.join(known)}"
    for name, why in LACKS.items():
        if getattr(spec, name):
            yield f"has no {name}: {why}", "Leave it out, or train in a local workspace"
    if strange := [name for name in spec.allowed_training_algorithms if name in ONLY_OURS]:
        its = ", ".join(name for name in spec.algorithms if name not in ONLY_OURS)
        yield f"has no algorithm '{strange[0]}'", f"Allow others{f', such as {its}' if its else ''}"
    if spec.featurization.mode is FeaturizationMode.OFF and spec.exclude:
        yield (
            f"leaves no column out without its featurization, and `exclude` names '{spec.exclude[0]}'",
            "Use the featurization 'auto', or a table without these columns",
        )
