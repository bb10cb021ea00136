"""AutoML's tasks besides classification: shown as Azure shows them. Of these the emulation trains regression alone."""

from collections.abc import Mapping
from typing import Any

from core.emulator.messages import Document

TRAINED = ("Classification", "Regression")
"""What the emulation trains; jobs of the others are accepted, and fail."""
TABULAR = {"regression": "Regression", "forecasting": "Forecasting"}
IMAGES = {
    name.lower(): name
    for name in (
        "ImageClassification", "ImageClassificationMultilabel", "ImageInstanceSegmentation", "ImageObjectDetection",
    )
}  # fmt: skip
TEXTS = {name.lower(): name for name in ("TextClassification", "TextClassificationMultilabel", "TextNER")}
OTHERS: Mapping[str, str] = {**TABULAR, **IMAGES, **TEXTS}
"""A task in small letters without underscores -> as Azure writes it."""
METRICS = {
    "Regression": "NormalizedRootMeanSquaredError",
    "Forecasting": "NormalizedRootMeanSquaredError",
    "ImageClassification": "Accuracy",
    "ImageClassificationMultilabel": "IOU",
    "ImageInstanceSegmentation": "MeanAveragePrecision",
    "ImageObjectDetection": "MeanAveragePrecision",
    "TextClassification": "Accuracy",
    "TextClassificationMultilabel": "Accuracy",
    "TextNER": "Accuracy",
}
"""What Azure goes by where nothing is said."""
ONE_TRIAL: Mapping[str, Any] = {"maxConcurrentTrials": 1, "maxTrials": 1, "timeout": "P7D"}
FORECAST: Mapping[str, Any] = {
    "countryOrRegionForHolidays": None, "cvStepSize": None, "featureLags": "None",
    "forecastHorizon": {"mode": "Custom", "value": 1}, "frequency": None, "seasonality": {"mode": "Auto"},
    "shortSeriesHandlingConfig": "Auto", "targetAggregateFunction": "None", "targetLags": None,
    "targetRollingWindowSize": None, "timeColumnName": None, "timeSeriesIdColumnNames": None, "useStl": "None",
}  # fmt: skip


def task_name(given: Any) -> str:
    """A task that is no classification, as Azure writes it; empty for what AutoML does not have."""
    return OTHERS.get(str(given).lower().replace("_", ""), "")


def shown(task: Mapping[str, Any], name: str) -> Document:
    """What is particular to a task: its limits, settings and metric with their defaults."""
    common = {
        "primaryMetric": task.get("primaryMetric") or METRICS[name],
        "validationData": task.get("validationData"),
        "taskType": name,
    }
    if name in TEXTS.values():
        limits = {**ONE_TRIAL, "maxNodes": 1, "trialTimeout": None, **_said(task.get("limitSettings"))}
        return common | {
            "limitSettings": limits,
            "featurizationSettings": task.get("featurizationSettings"),
            **_optional(task, "fixedParameters", "searchSpace", "sweepSettings"),
        }
    if name in IMAGES.values():
        return common | {
            "limitSettings": {**ONE_TRIAL, **_said(task.get("limitSettings"))},
            "validationDataSize": task.get("validationDataSize"),
            "modelSettings": task.get("modelSettings"),
            "searchSpace": task.get("searchSpace"),
            "sweepSettings": task.get("sweepSettings"),
        }
    if name == "Forecasting":
        common["forecastingSettings"] = {**FORECAST, **_said(task.get("forecastingSettings"))}
    return common


def _said(given: Mapping[str, Any] | None) -> Document:
    return {name: value for name, value in (given or {}).items() if value is not None}


def _optional(task: Mapping[str, Any], *names: str) -> Document:
    return {name: task[name] for name in names if task.get(name) is not None}
