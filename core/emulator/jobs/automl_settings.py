"""What an AutoML job asks for: Azure's settings, checked as Azure checks them, as the training that they mean here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.training import Algorithm
from core.emulator.jobs import automl_tasks
from core.emulator.jobs.refusals import NOT_TRAINED, user_error
from core.emulator.messages import Document

METRICS = {
    "aucweighted": "AUC_weighted",
    "accuracy": "accuracy",
    "normmacrorecall": "norm_macro_recall",
    "averageprecisionscoreweighted": "average_precision_score_weighted",
    "precisionscoreweighted": "precision_score_weighted",
}
"""Azure's metrics of classification, without case and underscores -> the name under which runs log them."""
SEARCHED = {"precision_score_weighted": "f1_score_weighted"}
"""What the search goes by where it cannot go by the metric itself; the best child is chosen by the metric."""
MODELS = (
    "LogisticRegression", "SGD", "MultinomialNaiveBayes", "BernoulliNaiveBayes", "SVM", "LinearSVM", "KNN",
    "DecisionTree", "RandomForest", "ExtremeRandomTrees", "LightGBM", "GradientBoosting", "XGBoostClassifier",
)  # fmt: skip
"""All algorithms that Azure has for classification."""
TRAINED = {name.lower(): Algorithm(name) for name in MODELS if name in tuple(Algorithm)}
TIMEOUT_LEAST_S = 15 * 60
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
    """A classification as it is to be trained here; of another task, what its run is described by."""

    data: str
    target: str
    metric: str
    timeout_s: float
    """Emulated seconds."""
    max_trials: int
    max_concurrent: int
    algorithms: tuple[Algorithm, ...]
    folds: int
    exclude: tuple[str, ...]
    featurized: bool
    exit_score: float | None
    early_termination: bool
    task: str = "Classification"
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
        "featurizationSettings": _featurization(task.get("featurizationSettings")),
        "limitSettings": {**DEFAULT_LIMITS, **limits},
        "trainingSettings": {**DEFAULT_TRAINING, **training},
        "taskType": "Classification",
        "primaryMetric": task.get("primaryMetric") or "AUCWeighted",
        **(automl_tasks.shown(task, other) if other else {}),
        **common,
    }


def read(task: Mapping[str, Any]) -> AutoML:
    """The training that shown `taskDetails` mean. Raises AzureError 400."""
    if task["taskType"] != "Classification":
        return _described(task)
    limits, training = task["limitSettings"], task["trainingSettings"]
    timeout_s = seconds(limits["timeout"])
    if timeout_s < TIMEOUT_LEAST_S:
        raise user_error(f"The experiment's timeout is {limits['timeout']}, and must be at least 15 minutes.")
    featurization = task.get("featurizationSettings") or {}
    algorithms = _algorithms(training)
    return AutoML(
        data=str(task["trainingData"]["uri"]),
        target=str(task["targetColumnName"]),
        metric=_metric(str(task["primaryMetric"])),
        timeout_s=timeout_s,
        max_trials=_whole("maxTrials", limits["maxTrials"], 1),
        max_concurrent=_whole("maxConcurrentTrials", limits["maxConcurrentTrials"], 1),
        algorithms=algorithms,
        folds=_folds(task.get("nCrossValidations")),
        exclude=_excluded(task),
        featurized=str(featurization.get("mode", "auto")).lower() != "off",
        exit_score=None if limits["exitScore"] is None else float(limits["exitScore"]),
        early_termination=bool(limits["enableEarlyTermination"]),
        refused=_refused(task, algorithms),
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
        algorithms=(),
        folds=_folds(task.get("nCrossValidations")),
        exclude=(),
        featurized=True,
        exit_score=None,
        early_termination=True,
        task=str(task["taskType"]),
        refused=f"AutoML's task is '{task['taskType']}': {NOT_TRAINED}.",
    )


def _refused(task: Mapping[str, Any], algorithms: tuple[Algorithm, ...]) -> str:
    """Why a classification that Azure would train cannot be trained here."""
    if task.get("weightColumnName"):
        return (
            f"This is an emulation of Azure ML: it cannot weigh rows by the column '{task['weightColumnName']}', and"
            " what it would train without the weights is another model."
        )
    if not algorithms:
        return (
            "This is an emulation of Azure ML: of the algorithms of classification it trains"
            f" {', '.join(TRAINED.values())}, and the settings allow none of these."
        )
    return ""


def unused(task: Mapping[str, Any]) -> list[str]:
    """What a classification asks for and is not looked at here, each in a sentence."""
    limits = task.get("limitSettings") or {}
    found = [
        f"{name} is not used: trials are judged by cross-validation on the training data."
        for name in ("validationData", "validationDataSize", "testData", "testDataSize")
        if task.get(name)
    ]
    if (limits.get("maxConcurrentTrials") or 1) > 1:
        found.append("maxConcurrentTrials is not used: this machine trains one trial after the other.")
    if limits.get("trialTimeout") not in (None, DEFAULT_LIMITS["trialTimeout"]):
        found.append("trialTimeout is not used: the timeout of the whole job ends its trials.")
    return found


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
    if not task.get("targetColumnName") and not other:
        raise user_error("targetColumnName: a classification needs the name of the column to predict.")
    if not (task.get("trainingData") or {}).get("uri"):
        raise user_error("trainingData: a classification needs the address of its training data.")
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


def _featurization(given: Mapping[str, Any] | None) -> Document | None:
    """As it is shown: with Azure's spelling of its mode, and all that was not said."""
    if not given:
        return None
    nothing: Document = dict.fromkeys(
        ("datasetLanguage", "blockedTransformers", "columnNameAndTypes", "transformerParams")
    )
    mode = str(given.get("mode") or "Auto").capitalize()
    return nothing | {"enableDnnFeaturization": False} | dict(given) | {"mode": mode}


def _metric(name: str) -> str:
    known = METRICS.get(name.lower().replace("_", ""))
    if known is None:
        raise user_error(
            f"primaryMetric: a classification has no metric '{name}'. It has {', '.join(METRICS.values())}."
        )
    return known


def _algorithms(training: Mapping[str, Any]) -> tuple[Algorithm, ...]:
    allowed, blocked = (training.get(f"{which}TrainingAlgorithms") or [] for which in ("allowed", "blocked"))
    for name in (*allowed, *blocked):
        if _plain(name) not in {_plain(known) for known in MODELS}:
            raise user_error(f"Classification has no algorithm '{name}'. It has {', '.join(MODELS)}.")
    wanted = {_plain(name) for name in allowed} or set(TRAINED)
    chosen = [TRAINED[name] for name in TRAINED if name in wanted - {_plain(name) for name in blocked}]
    if not chosen:
        return ()
    return (*chosen, *([Algorithm.VOTING_ENSEMBLE] if training.get("enableVoteEnsemble", True) else []))


def _folds(given: Any) -> int:
    if not given or str(given.get("mode", "auto")).lower() == "auto":
        return 0
    return min(_whole("nCrossValidations", given.get("value"), 2), 20)


def _excluded(task: Mapping[str, Any]) -> tuple[str, ...]:
    """What is no feature: columns that say how to weigh or split rows, and those that featurization drops."""
    featurization = task.get("featurizationSettings") or {}
    types = featurization.get("columnNameAndTypes") or {}
    ignored = [name for name, kind in types.items() if str(kind).lower() == "ignore"]
    named = [task.get("weightColumnName"), *(task.get("cvSplitColumnNames") or [])]
    return tuple(
        dict.fromkeys(str(name) for name in (*named, *ignored, *(featurization.get("dropColumns") or [])) if name)
    )


def _whole(name: str, value: Any, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise user_error(f"{name} is {value!r}, and must be a whole number of at least {least}.")
    return value


def _plain(name: Any) -> str:
    return str(name).lower().replace("_", "")
