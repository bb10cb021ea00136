"""Runs and experiments as MLflow's REST interface shows them."""

from typing import Any

from core.emulator.arm.resources import WHO
from core.emulator.emulation import Emulation
from core.emulator.jobs import experiments, measured
from core.emulator.jobs.measured import Point
from core.emulator.jobs.runs import Run
from core.emulator.messages import Document

STATUSES = {"Completed": "FINISHED", "Failed": "FAILED", "Canceled": "KILLED", "CancelRequested": "RUNNING",
            "Running": "RUNNING", "Finalizing": "RUNNING"}  # fmt: skip
"""Everything else is SCHEDULED."""


def run(emulation: Emulation, shown: Run) -> Document:
    """A run with its info and its data."""
    latest = measured.latest(emulation, shown.id)
    return {
        "info": info(emulation, shown),
        "data": {
            "metrics": [metric(name, point) for name, point in latest.items()],
            "params": [{"key": name, "value": value} for name, value in shown.params.items()],
            "tags": [{"key": name, "value": value} for name, value in tags(shown).items()],
        },
        "inputs": {},
    }


def info(emulation: Emulation, shown: Run) -> Document:
    """What a run is called, and where it stands."""
    found: Document = {
        "run_id": shown.id,
        "run_uuid": shown.id,
        "run_name": shown.display_name,
        "experiment_id": experiments.number(emulation, shown.experiment),
        "user_id": emulation.names.client,
        "status": STATUSES.get(shown.status, "SCHEDULED"),
        "start_time": int((shown.started_at or shown.created_at) * 1000),
        "artifact_uri": artifact_uri(emulation, shown),
        "lifecycle_stage": "deleted" if shown.archived else "active",
    }
    return found | ({"end_time": int(shown.ended_at * 1000)} if shown.ended_at else {})


def metric(name: str, point: Point) -> Document:
    """One value of a metric; what JSON cannot say is a text, as MLflow has it."""
    value: float | str = point.value
    if point.value != point.value or abs(point.value) == float("inf"):
        value = {"inf": "Infinity", "-inf": "-Infinity"}.get(str(point.value), "NaN")
    return {"key": name, "value": value, "timestamp": point.at_ms, "step": point.step}


def tags(shown: Run) -> dict[str, str]:
    """A run's own tags, and those that MLflow gives every run."""
    source = {"automl": "AutoML", "trial": "automl_driver.py"}.get(shown.kind, "")
    given = {name: str(value) for name, value in shown.properties.items() if name.startswith("mlflow.") and value}
    made = {
        "mlflow.runName": shown.display_name,
        "mlflow.user": WHO,
        "mlflow.rootRunId": shown.root or shown.id,
        "mlflow.source.type": "JOB",
    }
    if shown.parent:
        made["mlflow.parentRunId"] = shown.parent
    if source:
        made["mlflow.source.name"] = source
    return {**made, **given, **shown.tags}


def fields(emulation: Emulation, shown: Run) -> dict[str, dict[str, Any]]:
    """What a search can ask of a run."""
    about = info(emulation, shown)
    return {
        "metrics": {name: point.value for name, point in measured.latest(emulation, shown.id).items()},
        "params": dict(shown.params),
        "tags": tags(shown),
        "attributes": about,
    }


def artifact_uri(emulation: Emulation, shown: Run) -> str:
    """Where the files of a run lie, as Azure names it."""
    names = emulation.names
    number = experiments.number(emulation, shown.experiment)
    return (
        f"azureml://{names.api_host}/mlflow/v2.0{names.workspace_path}/experiments/{number}/runs/{shown.id}/artifacts"
    )


def experiment(found: Document) -> Document:
    """An experiment."""
    return {
        "experiment_id": found["id"],
        "name": found["name"],
        "artifact_location": "",
        "lifecycle_stage": "active" if found["active"] else "deleted",
        "creation_time": int(found["created_at"] * 1000),
        "last_update_time": int(found["created_at"] * 1000),
        "tags": [{"key": name, "value": value} for name, value in found["tags"].items()],
    }
