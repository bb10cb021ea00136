"""What an AutoML job has asked for, whoever has submitted it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.azure.automl_terms import metric_of
from core.azure.kept import found
from core.azure.names import own_name
from core.azure.training import IMPUTER
from core.azure.translate import ABOUT
from core.domain.algorithms import Algorithm
from core.domain.data import DataRef
from core.domain.earlier import training_with_azure_names
from core.domain.errors import SlipwayError
from core.domain.featurization import Featurization, FeaturizationMode, Imputation, Purpose
from core.domain.metrics import primary_metrics
from core.domain.training import Task, TrainingSpec

DATA = re.compile(r"(?:azureml:|.*/data/)(?P<name>[^/:]+)(?::|/versions/)(?P<version>[^/:]+)/?", re.IGNORECASE)


def spec_of(job: Any) -> TrainingSpec | None:
    """What an AutoML job of a classification or a regression has asked for; None for another task.

    One that was submitted elsewhere may ask for what our specs refuse; what it asks for is told as it is.
    """
    if spec := found(ABOUT, job.properties, TrainingSpec, training_with_azure_names):
        return spec
    task = str(getattr(job, "task_type", "")).rpartition(".")[2].lower()
    if task not in tuple(Task):
        return None
    asked = {"task": Task(task), **_data(job), **_limits(job), **_training(job), **_featurization(job)}
    metric = metric_of(_plain(job.primary_metric)) or primary_metrics(asked["task"] is Task.REGRESSION)[0]
    asked |= {
        "primary_metric": metric,
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


def data_of(given: Any) -> DataRef | None:
    """The data asset of an input; by its address where it is none."""
    path = str(getattr(given, "path", "") or "")
    known = DATA.fullmatch(path)
    if known and known["version"].isdecimal():
        return DataRef(own_name(known["name"], None), int(known["version"]))
    return DataRef(path) if path else None


def _data(job: Any) -> dict[str, Any]:
    folds = getattr(job, "n_cross_validations", None)
    share = getattr(job, "validation_data_size", None)
    return {
        "data": data_of(getattr(job, "training_data", None)) or DataRef("?"),
        "target": str(job.target_column_name or "?"),
        "n_cross_validations": folds if isinstance(folds, int) else 0,
        "validation_share": float(share) if isinstance(share, int | float) else 0.0,
        "validation_data": data_of(getattr(job, "validation_data", None)),
    }


def _limits(job: Any) -> dict[str, Any]:
    limits = getattr(job, "limits", None)
    early = getattr(limits, "enable_early_termination", None)
    return {
        "timeout_s": 60.0 * (getattr(limits, "timeout_minutes", None) or 360),
        "trial_timeout_s": 60.0 * (getattr(limits, "trial_timeout_minutes", None) or 0),
        "max_trials": getattr(limits, "max_trials", None) or 1000,
        "max_concurrent_trials": getattr(limits, "max_concurrent_trials", None) or 0,
        "exit_score": getattr(limits, "exit_score", None),
        "enable_early_termination": early is not False,
    }


def _training(job: Any) -> dict[str, Any]:
    training = getattr(job, "training", None)
    return {
        "allowed_training_algorithms": _algorithms(getattr(training, "allowed_training_algorithms", None)),
        "blocked_training_algorithms": _algorithms(getattr(training, "blocked_training_algorithms", None)),
        "enable_vote_ensemble": getattr(training, "enable_vote_ensemble", None) is not False,
        "enable_stack_ensemble": getattr(training, "enable_stack_ensemble", None) is not False,
    }


def _algorithms(named: Any) -> tuple[Algorithm, ...]:
    """Those that we have, too."""
    names = {_plain(name) for name in named or ()}
    return tuple(known for known in Algorithm if str(known.value) in names)


def _featurization(job: Any) -> dict[str, Any]:
    """Columns to ignore are excluded ones."""
    said = getattr(job, "featurization", None)
    kinds = {str(name): _purpose(kind) for name, kind in (getattr(said, "column_name_and_types", None) or {}).items()}
    ignored = tuple(name for name, purpose in kinds.items() if purpose is Purpose.IGNORE)
    purposes = {name: kind for name, kind in kinds.items() if kind and kind is not Purpose.IGNORE}
    fills = dict(_fills(getattr(said, "transformer_params", None) or {}))
    imputations = {name: how for name, (how, _) in fills.items()}
    constants = {name: value for name, (how, value) in fills.items() if how is Imputation.CONSTANT}
    off = _plain(getattr(said, "mode", "")).lower() == FeaturizationMode.OFF
    mode = FeaturizationMode.CUSTOM if purposes or fills else FeaturizationMode.OFF if off else FeaturizationMode.AUTO
    return {"exclude": ignored, "featurization": Featurization(mode, purposes, imputations, constants)}


def _purpose(kind: Any) -> Purpose | None:
    squeezed = _plain(kind).lower()
    return next((known for known in Purpose if known.value.lower() == squeezed), None)


def _fills(said: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Imputation, Any]]]:
    """Column -> what stands for its missing cells, with the constant; what cannot be read is left out."""
    for each in next((each for name, each in said.items() if name.lower() == IMPUTER.lower()), None) or ():
        given = getattr(each, "parameters", None) or {}
        how = str(given.get("strategy", ""))
        value = given.get("fill_value", "")
        if how in tuple(Imputation) and isinstance(value, str | int | float):
            yield from ((str(name), (Imputation(how), value)) for name in getattr(each, "fields", None) or ())


def _plain(value: Any) -> str:
    return str(getattr(value, "value", value) or "")
