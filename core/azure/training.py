"""A training as a job of Azure's AutoML: what is asked for there."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from core.azure import sdk
from core.azure.automl_terms import azure_algorithms, check
from core.azure.context import TAG
from core.azure.kept import kept
from core.azure.names import asset_name
from core.azure.translate import ABOUT
from core.domain.compute import Compute
from core.domain.data import DataAsset
from core.domain.featurization import FeaturizationMode, Purpose
from core.domain.training import TrainingSpec
from core.domain.version import VERSION

MINUTES_MIN = 15
"""AutoML refuses less, and fractions."""
MINUTES_LARGE = 61
CELLS_LARGE = 10_000_000
"""Above so many cells AutoML refuses an hour and less."""
IMPUTER = "Imputer"
"""The transformer that fills missing cells."""


def minutes(spec: TrainingSpec, cells: int = 0) -> int:
    """The time-out as AutoML takes it."""
    return max(math.ceil(spec.timeout_s / 60), MINUTES_LARGE if cells > CELLS_LARGE else MINUTES_MIN)


def trial_minutes(spec: TrainingSpec, asked: int) -> int:
    """A trial's time-out as AutoML takes it; where none was given, the whole job's."""
    return min(math.ceil(spec.trial_timeout_s / 60) or asked, asked)


def notes(spec: TrainingSpec, asked: int) -> tuple[str, ...]:
    """What became of the wishes of a spec that Azure's AutoML cannot fulfil as they are."""
    return tuple(_notes(spec, asked))


def _notes(spec: TrainingSpec, asked: int) -> Iterator[str]:
    least = f"at least {MINUTES_MIN}"
    if asked == MINUTES_LARGE and spec.timeout_s < 60 * MINUTES_LARGE:
        least = f"at least {MINUTES_LARGE} for more than {CELLS_LARGE:,} cells"
    if asked * 60 != spec.timeout_s:
        yield (
            f"The time limit of {spec.timeout_s:g} s became {asked} minutes: AutoML on Azure takes whole minutes,"
            f" {least}"
        )
    each = trial_minutes(spec, asked)
    if spec.trial_timeout_s and each * 60 != spec.trial_timeout_s:
        shown = "1 minute" if each == 1 else f"{each} minutes"
        yield f"The time limit of {spec.trial_timeout_s:g} s for a trial became {shown}: AutoML takes whole minutes"


def automl_job(spec: TrainingSpec, asset: DataAsset, compute: Compute, judge: DataAsset | None = None) -> Any:
    """The job to submit. Its properties keep the spec, which is more than Azure has fields for.

    `judge` is the table of the spec's validation data. Raises SpecInvalid for what AutoML does not have.
    """
    check(spec)
    asked = minutes(spec, asset.rows * len(asset.columns))
    automl = sdk.module("azure.ai.ml.automl")
    job = (automl.regression if spec.regression else automl.classification)(
        training_data=_table(asset),
        validation_data=_table(judge) if judge else None,
        validation_data_size=spec.validation_share or None,
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
        trial_timeout_minutes=trial_minutes(spec, asked),
        max_trials=spec.max_trials,
        max_concurrent_trials=min(spec.max_concurrent_trials or max(compute.max_nodes, 1), spec.max_trials),
        exit_score=spec.exit_score,
        enable_early_termination=spec.enable_early_termination,
    )
    job.set_training(
        allowed_training_algorithms=azure_algorithms(spec.allowed_training_algorithms),
        blocked_training_algorithms=azure_algorithms(spec.blocked_training_algorithms),
        enable_vote_ensemble=spec.enable_vote_ensemble,
        enable_stack_ensemble=spec.enable_stack_ensemble,
    )
    if featurization := _featurization(spec, automl):
        job.set_featurization(**featurization)
    return job


def _table(asset: DataAsset) -> Any:
    path = f"azureml:{asset_name(asset.name)}:{asset.version}"
    return sdk.module("azure.ai.ml").Input(type="mltable", path=path)


def _featurization(spec: TrainingSpec, automl: Any) -> Mapping[str, Any]:
    """Nothing where Azure may do as it likes; a column is left out by taking it for one to ignore."""
    wanted = spec.featurization
    if wanted.mode is FeaturizationMode.OFF:
        return {"mode": "off"}
    kinds = {name: str(purpose) for name, purpose in wanted.column_purposes.items()}
    kinds |= dict.fromkeys(spec.exclude, str(Purpose.IGNORE))
    fills = []
    for name, how in wanted.imputations.items():
        fill = {"fill_value": wanted.constants[name]} if name in wanted.constants else {}
        fills.append(automl.ColumnTransformer(fields=[name], parameters={"strategy": str(how), **fill}))
    if not kinds and not fills:
        return {}
    return {
        "mode": "custom",
        "column_name_and_types": kinds or None,
        "transformer_params": {IMPUTER.lower(): fills} if fills else None,
    }
