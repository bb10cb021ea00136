"""Registering a model: the artifacts of one trial's run under a name and a version."""

from collections.abc import Mapping
from typing import Any

from core.azure import sdk
from core.azure.context import TAG, Context
from core.azure.kept import kept
from core.azure.leaderboard import leaderboard, trial_run
from core.azure.model_files import Files, read_files
from core.azure.model_reading import ModelAbout, read_model, versions
from core.azure.names import asset_name, named
from core.azure.storage import blobs_at
from core.azure.tables import Tables
from core.azure.translate import ABOUT
from core.domain.errors import Conflict, JobNotFound, SlipwayError
from core.domain.job import Job
from core.domain.model import Model
from core.domain.names import check_name
from core.domain.training import TrainingResult, TrainingSpec, Trial, TrialState
from core.domain.version import VERSION

ARTIFACTS = "azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.{run}/{folder}"
OUTPUT = "outputs/mlflow-model"
"""Where AutoML leaves a trial's model among its run's artifacts."""
UNFIT: Mapping[TrialState, tuple[str, str]] = {
    TrialState.RUNNING: ("is still running", "Register it once it has finished"),
    TrialState.FAILED: ("failed and did not produce a model", "Register a trial that succeeded"),
    TrialState.STOPPED: ("was cut off and did not produce a model", "Register a trial that succeeded"),
}


def register(context: Context, tables: Tables, name: str, job: Job, number: int | None = None) -> Model:
    """Register one trial's model, the best where none is named; twice gives the same version.

    Raises Conflict where the job or the trial has no model, JobNotFound for a trial that is not there.
    """
    if not isinstance(job.spec, TrainingSpec):
        raise no_model(job)
    check_name("a model", name)
    if number is None and isinstance(job.result, TrainingResult):
        number = job.result.best.number
    known = versions(context, asset_name(name))
    if number is None and not job.state.final:
        raise no_model(job)
    if number is not None and (same := _same(known, job.id, number)):
        return same
    trial = _trial(context, job, job.spec, number)
    if same := _same(known, job.id, trial.number):
        return same
    return _registered(context, tables, name, job, trial)


def no_model(job: Job) -> Conflict:
    """Nothing has come of it that could be registered."""
    return Conflict(
        f"Job '{job.id}' ({job.kind}, {job.state}) has no model to register",
        hint="Register from an AutoML job that has succeeded, or a trial that has",
    )


def _same(known: tuple[Model, ...], job_id: str, number: int) -> Model | None:
    return next((model for model in known if (model.job_id, model.trial) == (job_id, number)), None)


def _trial(context: Context, job: Job, spec: TrainingSpec, number: int | None) -> Trial:
    """A trial that has a model: the best, or the one of this number. Raises Conflict, JobNotFound."""
    board = leaderboard(context, job.id, spec.primary_metric)
    chosen = board.best if number is None else number
    trial = board.of(chosen) if chosen is not None else None
    if trial is None and number is None:
        raise no_model(job)
    if trial is None:
        raise JobNotFound(f"Job '{job.id}' has no trial {number}", hint="`job trials` shows them")
    if trial.state is not TrialState.SUCCEEDED:
        why, hint = UNFIT[trial.state]
        reason = f": {trial.error}" if trial.error else ""
        raise Conflict(f"Trial {trial.number} of job '{job.id}' {why}{reason}", hint=hint)
    return trial


def _registered(context: Context, tables: Tables, name: str, job: Job, trial: Trial) -> Model:
    assert isinstance(job.spec, TrainingSpec)
    run = trial_run(job.id, trial.number)
    files = _files(context, tables, run, job.spec)
    if not files.size_bytes:
        raise Conflict(
            f"The files of trial {trial.number} of job '{job.id}' are gone", hint="Train again and register then"
        )
    about = ModelAbout(job.id, trial.number, trial.algorithm, dict(trial.metrics) or dict(files.metrics),
                       job.spec.data, files.signature, files.size_bytes)  # fmt: skip
    sent: dict[str, Any] = {
        "name": asset_name(name),
        "path": f"azureml://jobs/{run}/outputs/artifacts/{OUTPUT}/",
        "type": "mlflow_model",
        "description": f"{trial.algorithm} of {job.spec.data}, trial {trial.number} of {job.id}",
        "tags": {TAG: VERSION, f"{TAG}.job": job.id, f"{TAG}.trial": str(trial.number), **named(name)},
        "properties": kept(ABOUT, about),
    }
    return create(context, sent)


def create(context: Context, sent: Mapping[str, Any]) -> Model:
    """The next version of a model's name; a second go where somebody took the number meanwhile."""
    made = sdk.module("azure.ai.ml.entities").Model
    for last in (False, False, True):
        try:
            with context.asking("model", str(sent["name"])) as client:
                created = read_model(context, client.models.create_or_update(made(**sent)))
        except Conflict:
            if last:
                raise
            continue
        assert created is not None
        return created
    raise AssertionError


def _files(context: Context, tables: Tables, run: str, spec: TrainingSpec) -> Files:
    """What the artifacts of a trial's run say, and the table where they do not say enough."""
    blobs = blobs_at(context, ARTIFACTS.format(run=run, folder=OUTPUT))
    if "signature.json" in blobs.sizes:
        return read_files(blobs)
    try:
        profile = tables.profile(tables.find(spec.data))
    except SlipwayError:  # the table is gone, or lies where it cannot be read from here
        profile = None
    return read_files(blobs, spec.target, profile)
