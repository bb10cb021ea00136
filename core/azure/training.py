"""A training as a job of Azure's AutoML: what is asked for there, and what an AutoML job has asked for."""

import math
import re
from collections.abc import Mapping
from typing import Any

from core.azure import sdk
from core.azure.context import TAG
from core.azure.kept import found, kept
from core.azure.names import asset_name, own_name
from core.azure.translate import ABOUT
from core.domain.data import DataAsset, DataRef
from core.domain.errors import SlipwayError, SpecInvalid
from core.domain.training import Algorithm, Compute, TrainingSpec
from core.domain.version import VERSION

MINUTES_MIN = 15
"""AutoML refuses less, and fractions."""
MINUTES_LARGE = 61
CELLS_LARGE = 10_000_000
"""Above so many cells AutoML refuses an hour and less."""
METRICS: Mapping[str, str] = {
    "AUC_weighted": "AUCWeighted",
    "accuracy": "Accuracy",
    "average_precision_score_weighted": "AveragePrecisionScoreWeighted",
    "norm_macro_recall": "NormMacroRecall",
}
"""The metrics that both we and Azure's AutoML can optimize -> Azure's name."""
DATA = re.compile(r"(?:azureml:|.*/data/)(?P<name>[^/:]+)(?::|/versions/)(?P<version>[^/:]+)/?", re.IGNORECASE)
IGNORED = "Ignore"
"""The column type with which AutoML leaves a column out; the SDK has nothing else for it."""


def minutes(spec: TrainingSpec, cells: int = 0) -> int:
    """The time-out as AutoML takes it."""
    return max(math.ceil(spec.timeout_s / 60), MINUTES_LARGE if cells > CELLS_LARGE else MINUTES_MIN)


def notes(spec: TrainingSpec, asked: int) -> tuple[str, ...]:
    """What became of the wishes of a spec that Azure's AutoML cannot fulfil as they are."""
    if asked * 60 == spec.timeout_s:
        return ()
    least = f"at least {MINUTES_MIN}"
    if asked == MINUTES_LARGE and spec.timeout_s < 60 * MINUTES_LARGE:
        least = f"at least {MINUTES_LARGE} for more than {CELLS_LARGE:,} cells"
    return (
        f"The time limit of {spec.timeout_s:g} s became {asked} minutes: AutoML on Azure takes whole minutes, {least}",
    )


def check_metric(spec: TrainingSpec) -> None:
    """Raises SpecInvalid for a metric that AutoML cannot optimize: the SDK would raise a bare KeyError."""
    if spec.primary_metric not in METRICS:
        raise SpecInvalid(
            f"AutoML on Azure cannot optimize '{spec.primary_metric}'", hint=f"One of: {', '.join(METRICS)}"
        )


def automl_job(spec: TrainingSpec, asset: DataAsset, compute: Compute) -> Any:
    """The job to submit. Its properties keep the spec, which is more than Azure has fields for."""
    asked = minutes(spec, asset.rows * len(asset.columns))
    automl, inputs = sdk.module("azure.ai.ml.automl"), sdk.module("azure.ai.ml")
    data = f"azureml:{asset_name(asset.name)}:{asset.version}"
    job = automl.classification(
        training_data=inputs.Input(type="mltable", path=data),
        target_column_name=spec.target,
        primary_metric=spec.primary_metric,
        n_cross_validations=spec.n_cross_validations or None,
        compute=compute.name,
        experiment_name=asset_name(spec.experiment_name),
        display_name=f"{spec.target} of {asset.ref}",
        tags={TAG: VERSION},
        properties=kept(ABOUT, spec),
    )
    job.set_limits(
        timeout_minutes=asked,
        trial_timeout_minutes=asked,
        max_trials=spec.max_trials,
        max_concurrent_trials=min(max(compute.max_nodes, 1), spec.max_trials),
        enable_early_termination=True,
    )
    job.set_training(
        allowed_training_algorithms=[str(name.value) for name in spec.allowed_training_algorithms] or None,
        blocked_training_algorithms=[str(name.value) for name in spec.blocked_training_algorithms] or None,
        enable_vote_ensemble=spec.enable_vote_ensemble,
        enable_stack_ensemble=spec.enable_stack_ensemble,
    )
    if spec.exclude:
        job.set_featurization(mode="custom", column_name_and_types=dict.fromkeys(spec.exclude, IGNORED))
    return job


def spec_of(job: Any) -> TrainingSpec | None:
    """What an AutoML job of classification has asked for; None for another task.

    One that was submitted elsewhere may ask for what our specs refuse; what it asks for is told as it is.
    """
    if spec := found(ABOUT, job.properties, TrainingSpec):
        return spec
    if str(getattr(job, "task_type", "")).rpartition(".")[2].lower() != "classification":
        return None
    training, limits = getattr(job, "training", None), getattr(job, "limits", None)
    allowed = [_plain(name) for name in getattr(training, "allowed_training_algorithms", None) or ()]
    kinds = getattr(getattr(job, "featurization", None), "column_name_and_types", None) or {}
    folds = getattr(job, "n_cross_validations", None)
    asked: dict[str, Any] = {
        "data": data_of(job),
        "target": str(job.target_column_name or "?"),
        "timeout_s": 60.0 * (getattr(limits, "timeout_minutes", None) or 360),
        "primary_metric": _metric(_plain(job.primary_metric)),
        "exclude": tuple(name for name, kind in kinds.items() if str(kind).lower() == IGNORED.lower()),
        "allowed_training_algorithms": tuple(known for known in Algorithm if str(known.value) in allowed),
        "max_trials": getattr(limits, "max_trials", None) or 1000,
        "n_cross_validations": folds if isinstance(folds, int) else 0,
        "experiment_name": str(job.experiment_name or "Default"),
        "compute": str(job.compute or "serverless").rpartition("/")[2],
    }
    try:
        return TrainingSpec(**asked)
    except SlipwayError:
        plain = TrainingSpec(asked["data"], asked["target"])
        for name, value in asked.items():
            object.__setattr__(plain, name, value)
        return plain


def data_of(job: Any) -> DataRef:
    """The data asset that a job trains on; by its address where it is none."""
    path = str(getattr(getattr(job, "training_data", None), "path", "") or "?")
    known = DATA.fullmatch(path)
    if known and known["version"].isdecimal():
        return DataRef(own_name(known["name"], None), int(known["version"]))
    return DataRef(path)


def _plain(value: Any) -> str:
    return str(getattr(value, "value", value) or "")


def _metric(name: str) -> str:
    """Our name of a primary metric."""
    squeezed = name.replace("_", "").lower()
    return next((ours for ours, azures in METRICS.items() if azures.lower() == squeezed), name or "AUC_weighted")
