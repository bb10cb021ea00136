"""What an AutoML job asks for: Azure's settings, checked as Azure checks them, as the training that they mean here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.domain.featurization import Featurization
from core.domain.training import Algorithm
from core.emulator.jobs import automl_featurization, automl_tasks, automl_words
from core.emulator.jobs.automl_tasks import TRAINED
from core.emulator.jobs.refusals import NOT_TRAINED, user_error
from core.emulator.messages import Document

TIMEOUT_LEAST_S = 15 * 60
TESTS = ("testData", "testDataSize")
DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
DEFAULT_LIMITS: Mapping[str, Any] = {
    "maxTrials": 1000, "trialTimeout": "PT30M", "timeout": "PT6H", "maxConcurrentTrials": 1, "maxCoresPerTrial": -1,
    "exitScore": None, "enableEarlyTermination": True,
}  # fmt: skip
DEFAULT_TRAINING: Mapping[str, Any] = {
    "enableOnnxCompatibleModels": False, "stackEnsembleSettings": None, "enableStackEnsemble": True,
    "enableVoteEnsemble": True, "ensembleModelDownloadTimeout": "PT5M", "enableModelExplainability": True,
    "enableDnnTraining": False, "allowedTrainingAlgorithms": None, "blockedTrainingAlgorithms": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AutoML:
    """A classification or regression as it is to be trained here; of another task, what its run is described by."""

    data: str
    target: str
    metric: str
    timeout_s: float
    """Emulated seconds."""
    max_trials: int
    max_concurrent: int
    folds: int
    task: str
    trial_timeout_s: float = 0.0
    """Emulated seconds; 0 where Azure's own was left."""
    allowed: tuple[Algorithm, ...] = ()
    """All, where there are none."""
    blocked: tuple[Algorithm, ...] = ()
    vote: bool = True
    stack: bool = True
    exclude: tuple[str, ...] = ()
    featurization: Featurization = field(default_factory=Featurization)
    validation: str = ""
    """The address of the table that trials are judged on."""
    validation_share: float = 0.0
    exit_score: float | None = None
    early_termination: bool = True
    refused: str = ""
    """Why no training can be begun here."""


def shown(task: Mapping[str, Any]) -> Document:
    """`taskDetails` as Azure shows it: what was sent, and its defaults. Raises AzureError 400."""
    _check_task(task)
    limits, training = task.get("limitSettings") or {}, task.get("trainingSettings") or {}
    other = automl_tasks.task_name(task.get("taskType"))
    common = {
        "logVerbosity": task.get("logVerbosity") or "Info",
        "trainingData": _data(task["trainingData"]),
        **{name: _data(task[name]) for name in ("validationData", "testData") if task.get(name)},
        "targetColumnName": task.get("targetColumnName"),
    }
    if other and other not in automl_tasks.TABULAR.values():
        return automl_tasks.shown(task, other) | common
    optional = (
        "nCrossValidations", "cvSplitColumnNames", "weightColumnName", "validationData", "testData",
        "validationDataSize", "testDataSize", "positiveLabel", "fixedParameters",
        "sweepSettings", "searchSpace",
    )  # fmt: skip
    return {
        **{name: task.get(name) for name in optional[:8] if name != "positiveLabel" or not other},
        **{name: task[name] for name in optional[8:] if task.get(name) is not None},
        "featurizationSettings": automl_featurization.shown(task.get("featurizationSettings")),
        "limitSettings": {**DEFAULT_LIMITS, **limits},
        "trainingSettings": {**DEFAULT_TRAINING, **training},
        "taskType": "Classification",
        "primaryMetric": task.get("primaryMetric") or "AUCWeighted",
        **(automl_tasks.shown(task, other) if other else {}),
        **common,
    }


def read(task: Mapping[str, Any]) -> AutoML:
    """The training that shown `taskDetails` mean. Raises AzureError 400."""
    if task["taskType"] not in TRAINED:
        return _described(task)
    name, limits, training = str(task["taskType"]), task["limitSettings"], task["trainingSettings"]
    timeout_s = seconds(limits["timeout"])
    if timeout_s < TIMEOUT_LEAST_S:
        raise user_error(f"The experiment's timeout is {limits['timeout']}, and must be at least 15 minutes.")
    allowed, blocked = automl_words.algorithms(name, training)
    return AutoML(
        data=str(task["trainingData"]["uri"]),
        target=str(task["targetColumnName"]),
        metric=automl_words.metric(name, str(task["primaryMetric"])),
        timeout_s=timeout_s,
        max_trials=_whole("maxTrials", limits["maxTrials"], 1),
        max_concurrent=_whole("maxConcurrentTrials", limits["maxConcurrentTrials"], 1),
        folds=_folds(task.get("nCrossValidations")),
        task=name,
        trial_timeout_s=_trial_timeout_s(limits),
        allowed=allowed,
        blocked=blocked,
        vote=training.get("enableVoteEnsemble") is not False,
        stack=training.get("enableStackEnsemble") is not False,
        exclude=automl_featurization.excluded(task),
        featurization=automl_featurization.read(task.get("featurizationSettings") or {}),
        validation=str((task.get("validationData") or {}).get("uri") or ""),
        validation_share=float(task.get("validationDataSize") or 0),
        exit_score=None if limits["exitScore"] is None else float(limits["exitScore"]),
        early_termination=bool(limits["enableEarlyTermination"]),
        refused=_refused(task, name, allowed, blocked),
    )


def _described(task: Mapping[str, Any]) -> AutoML:
    """A task that is accepted, and cannot be trained."""
    limits = task["limitSettings"]
    return AutoML(
        data=str(task["trainingData"]["uri"]),
        target=str(task["targetColumnName"] or ""),
        metric=str(task["primaryMetric"]),
        timeout_s=seconds(limits["timeout"]),
        max_trials=_whole("maxTrials", limits["maxTrials"], 1),
        max_concurrent=_whole("maxConcurrentTrials", limits["maxConcurrentTrials"], 1),
        folds=_folds(task.get("nCrossValidations")),
        task=str(task["taskType"]),
        refused=f"AutoML's task is '{task['taskType']}': {NOT_TRAINED}.",
    )


def _trial_timeout_s(limits: Mapping[str, Any]) -> float:
    given = limits["trialTimeout"]
    return 0.0 if given in (None, DEFAULT_LIMITS["trialTimeout"]) else seconds(given)


def _refused(task: Mapping[str, Any], name: str, allowed: tuple[Algorithm, ...], blocked: tuple[Algorithm, ...]) -> str:
    """Why what Azure would train cannot be trained here."""
    if task.get("weightColumnName"):
        return (
            f"This is an emulation of Azure ML: it cannot weigh rows by the column '{task['weightColumnName']}', and"
            " what it would train without the weights is another model."
        )
    known = automl_words.trained(name).values()
    named = task["trainingSettings"].get("allowedTrainingAlgorithms")
    if not set(allowed if named else known) - set(blocked):
        return (
            f"This is an emulation of Azure ML: of the algorithms of {name.lower()} it trains {', '.join(known)}, and"
            " the settings allow none of these."
        )
    return ""


def unused(task: Mapping[str, Any]) -> list[str]:
    """What a job asks for and is not looked at here, each in a sentence."""
    found = [f"{name} is not used: the best model is not tested." for name in TESTS if task.get(name)]
    if task.get("cvSplitColumnNames"):
        found.append("cvSplitColumnNames is not used: rows are split by chance.")
    return [*found, *automl_featurization.unused(task.get("featurizationSettings") or {})]


def seconds(duration: str) -> float:
    """An ISO 8601 duration, such as PT10M. Raises AzureError 400."""
    found = DURATION.fullmatch(str(duration))
    if not found or not any(found.groups()):
        raise user_error(f"'{duration}' is no duration; Azure writes 15 minutes as PT15M.")
    days, hours, minutes, rest = (float(part or 0) for part in found.groups())
    return days * 86_400 + hours * 3_600 + minutes * 60 + rest


def _check_task(task: Mapping[str, Any]) -> None:
    other = automl_tasks.task_name(task.get("taskType"))
    if not other and str(task.get("taskType", "")).lower() != "classification":
        raise user_error(f"taskType: AutoML has no task '{task.get('taskType')}'.")
    if not task.get("targetColumnName") and (not other or other in TRAINED):
        what = (other or "Classification").lower()
        raise user_error(f"targetColumnName: a {what} needs the name of the column to predict.")
    if not (task.get("trainingData") or {}).get("uri"):
        raise user_error("trainingData: a job needs the address of its training data.")
    for name in ("trainingData", "validationData", "testData"):
        given = task.get(name)
        if given and str(given.get("jobInputType", "mltable")).lower() != "mltable":
            raise user_error(f"{name}: AutoML takes data of the type mltable only, got {given['jobInputType']}.")


def _data(given: Mapping[str, Any]) -> Document:
    return {
        "description": given.get("description"),
        "uri": given["uri"],
        "mode": given.get("mode") or "ReadOnlyMount",
        "jobInputType": "mltable",
    }


def _folds(given: Any) -> int:
    if not given or str(given.get("mode", "auto")).lower() == "auto":
        return 0
    return min(_whole("nCrossValidations", given.get("value"), 2), 20)


def _whole(name: str, value: Any, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise user_error(f"{name} is {value!r}, and must be a whole number of at least {least}.")
    return value
