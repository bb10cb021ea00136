"""AutoML jobs: a classification or regression that the workspace really trains, whose trials are the job's children."""

import hashlib
import logging
from dataclasses import replace
from typing import Any

from core.domain.data import DataAsset, DataRef, Reading
from core.domain.errors import SlipwayError
from core.domain.featurization import FeaturizationMode
from core.domain.job import Job
from core.domain.job_state import JobState
from core.domain.metrics import gain
from core.domain.names import slug
from core.domain.training import Task, TrainingSpec, Trial, TrialState
from core.emulator.assets import open_data
from core.emulator.emulation import Emulation
from core.emulator.jobs import automl_log, automl_settings, automl_tags, measured, outputs, refusals, runs
from core.emulator.jobs.automl_settings import AutoML
from core.emulator.jobs.automl_words import NOT_AZURES
from core.emulator.jobs.runs import Run
from core.emulator.messages import AzureError, Document

log = logging.getLogger(__name__)
TRIAL_STATUS = {
    TrialState.RUNNING: "Running",
    TrialState.SUCCEEDED: "Completed",
    TrialState.FAILED: "Failed",
    TrialState.STOPPED: "Canceled",
}
LEAST_S = 5.0


def begin(emulation: Emulation, run: Run, task: Document) -> Run:
    """Read the data, and queue the training; what is wrong with either makes the job fail, as it does on Azure."""
    asked = automl_settings.read(task)
    if asked.refused:
        return failed_in_setup(emulation, run, "UserError", asked.refused) if refusals.due(emulation, run) else run
    try:
        asset = _registered(emulation, run, asked.data, asked.target)
        judge = _registered(emulation, run, asked.validation, asked.target).ref if asked.validation else None
        if asked.featurization.mode is FeaturizationMode.OFF:
            _check_featurized(emulation, asset.ref, asked)
        job = emulation.workspace.jobs.submit(_training(emulation, run, asked, asset.ref, judge))
    except SlipwayError as e:
        return failed_in_setup(emulation, run, "UserError", " ".join(filter(None, (e.message + ".", e.hint))))
    except AzureError as e:
        return failed_in_setup(emulation, run, "UserError", e.message)
    now = emulation.clock.now()
    properties = {**run.properties, "ProblemInfoJsonString": automl_tags.problem(asset)}
    with emulation.state.lock:
        if runs.get(emulation, run.id).final:
            emulation.workspace.jobs.cancel(job.id)
            return run
        run = runs.change(
            emulation,
            run.id,
            status="Queued",
            started_at=now,
            local={**run.local, "job": job.id},
            properties=properties,
        )
        for phase in ("setup", "featurize"):
            automl_tags.phase(emulation, run, phase, "Completed")
    return run


def failed_in_setup(emulation: Emulation, run: Run, code: str, message: str) -> Run:
    """A job that could not begin: Azure tells why in the run's error, and in its properties."""
    automl_tags.phase(emulation, run, "setup", "Failed")
    automl_log.told(emulation, run, "error", message)
    return runs.ended(
        emulation,
        run.id,
        "Failed",
        {"code": code, "message": message},
        properties={**run.properties, "errors": f"Setup iteration failed: {message}"},
    )


def advance(emulation: Emulation, run: Run) -> Run:
    """A run with what its training has come to; the children with it. Quick, and safe to be called at any time."""
    if run.final or "job" not in run.local:
        return run
    with emulation.state.lock:
        run = runs.get(emulation, run.id)
        if run.final:
            return run
        job = emulation.workspace.jobs.get(run.local["job"])
        trials = emulation.workspace.jobs.trials(job.id)
        _keep_children(emulation, run, trials)
        asked = settings(emulation, run)
        return _after(emulation, run, job, trials, asked)


def finish(emulation: Emulation, run: Run) -> Run:
    """Give the best child its model and end the run; it takes a while, so the ticks do it."""
    job = emulation.workspace.jobs.get(run.local["job"])
    trials = emulation.workspace.jobs.trials(job.id)
    best = best_trial(settings(emulation, run), trials)
    if best is None:
        return runs.ended(emulation, run.id, "Failed", {"code": "UserError", "message": "No child run has succeeded."})
    for kept in (run, *runs.children(emulation, run.id)):
        automl_log.refresh(emulation, kept)
    child = f"{run.id}_{best.number}"
    outputs.ensure(emulation, child)
    tags = _tags(run, trials, settings(emulation, run)) | {
        "automl_best_child_run_id": child,
        "model_explain_best_run_child_id": child,
    }
    measured.put(emulation, run.id, best.metrics, emulation.clock.now())
    return runs.ended(
        emulation,
        run.id,
        "Completed",
        tags=tags,
        outputs={"best_model": outputs.model_uri(emulation, child)},
        output_types={"best_model": "mlflow_model"},
    )


def cancel(emulation: Emulation, run: Run) -> Run:
    """Ask the training to end."""
    if "job" in run.local:
        emulation.workspace.jobs.cancel(run.local["job"])
        return advance(emulation, runs.change(emulation, run.id, status="CancelRequested"))
    return runs.ended(emulation, run.id, "Canceled")


def best_trial(asked: AutoML, trials: tuple[Trial, ...]) -> Trial | None:
    """The one with the best primary metric; of equals the first."""
    done = [trial for trial in trials if trial.state is TrialState.SUCCEEDED and asked.metric in trial.metrics]
    return max(done, key=lambda trial: (gain(asked.metric, trial.metrics[asked.metric]), -trial.number), default=None)


def settings(emulation: Emulation, run: Run) -> AutoML:
    """What an AutoML job has asked for."""
    return automl_settings.read(run.local["task"])


def _training(emulation: Emulation, run: Run, asked: AutoML, data: DataRef, judge: DataRef | None) -> TrainingSpec:
    timeout_s = max(LEAST_S, emulation.clock.real_s(asked.timeout_s))
    trial_s = max(LEAST_S, emulation.clock.real_s(asked.trial_timeout_s)) if asked.trial_timeout_s else 0.0
    return TrainingSpec(
        data=data,
        target=asked.target,
        task=Task(asked.task.lower()),
        timeout_s=timeout_s,
        trial_timeout_s=trial_s if trial_s < timeout_s else 0.0,
        primary_metric=asked.metric,
        exclude=asked.exclude,
        allowed_training_algorithms=asked.allowed,
        blocked_training_algorithms=asked.blocked if asked.allowed else (*asked.blocked, *NOT_AZURES),
        enable_vote_ensemble=asked.vote,
        enable_stack_ensemble=asked.stack,
        enable_early_termination=asked.early_termination,
        exit_score=asked.exit_score,
        max_trials=asked.max_trials,
        # Azure's 1 is what nobody has asked for: the engine may then do as the machine allows.
        max_concurrent_trials=asked.max_concurrent if asked.max_concurrent > 1 else 0,
        n_cross_validations=asked.folds,
        validation_share=asked.validation_share,
        validation_data=judge,
        featurization=asked.featurization,
        experiment_name=run.experiment,
    )


def _registered(emulation: Emulation, run: Run, uri: str, target: str) -> DataAsset:
    """The table of an address, as the workspace's own. Raises AzureError, SlipwayError."""
    name = f"azureml-{slug(run.experiment)}-{hashlib.sha256(uri.encode()).hexdigest()[:8]}"
    return emulation.workspace.data.register(name, str(open_data(emulation, uri)), Reading(target=target))


def _check_featurized(emulation: Emulation, data: DataRef, asked: AutoML) -> None:
    profile = emulation.workspace.data.profile(data)
    texts = [
        column.name
        for column in profile.columns
        if column.kind == "string" and column.name not in (asked.target, *asked.exclude)
    ]
    if texts:
        raise AzureError(
            400,
            "UserError",
            "The training data contains features of type string, that can't automatically be processed. Please turn on"
            " featurization by setting it as 'auto' or giving custom featurization settings. What requires"
            f" featurization: [{', '.join(texts)}]",
        )


def _keep_children(emulation: Emulation, run: Run, trials: tuple[Trial, ...]) -> None:
    for trial in trials:
        child_id = f"{run.id}_{trial.number}"
        kept = runs.find(emulation, child_id)
        if kept is not None and (kept.final or kept.status == TRIAL_STATUS[trial.state]):
            continue
        child = automl_tags.child(emulation, run, trial, TRIAL_STATUS[trial.state], settings(emulation, run).metric)
        if kept is not None:
            child = replace(child, tags={**child.tags, **kept.tags})
        if trial.state is TrialState.SUCCEEDED:
            measured.put(emulation, child_id, trial.metrics, child.ended_at or child.created_at)
        runs.keep(emulation, child)
        runs.child_document(emulation, child)


def _after(emulation: Emulation, run: Run, job: Job, trials: tuple[Trial, ...], asked: AutoML) -> Run:
    changed: dict[str, Any] = {}
    if job.state.final:
        automl_log.refresh(emulation, run)
        if job.state is JobState.FAILED:
            message = " ".join(filter(None, (job.message, job.hint)))
            return runs.ended(emulation, run.id, "Failed", {"code": "UserError", "message": message})
        if job.state is JobState.CANCELED:
            return runs.ended(emulation, run.id, "Canceled", tags=_tags(run, trials, asked))
        changed["status"] = "Finalizing"
    elif run.status != "CancelRequested":
        changed["status"] = "Queued" if job.state is JobState.QUEUED else "Running"
    if (tags := _tags(run, trials, asked)) != run.tags:
        changed["tags"] = tags
    changed = {name: value for name, value in changed.items() if getattr(run, name) != value}
    return runs.change(emulation, run.id, **changed) if changed else run


def _tags(run: Run, trials: tuple[Trial, ...], asked: AutoML) -> dict[str, str]:
    return automl_tags.listing(run.tags, trials, asked.metric)
