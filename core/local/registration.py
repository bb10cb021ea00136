"""Registering a model: the one path from a training job's trial to a name and a version."""

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.contract.signature import from_json
from core.domain.errors import Conflict, JobNotFound
from core.domain.job import Job
from core.domain.metrics import gain
from core.domain.model import Model
from core.domain.names import check_name
from core.domain.training import TrainingSpec, Trial, TrialState
from core.durable import copy_folder, make_folder, place, storage_error
from core.local.machine.failpoints import Failpoint, reach
from core.local.paths import Paths, new_id
from core.local.store import Store

UNFIT = {
    TrialState.RUNNING: ("is still running", "Register it once it has finished"),
    TrialState.FAILED: ("failed and did not produce a model", "Register a trial that succeeded"),
    TrialState.STOPPED: ("was cut off and did not produce a model", "Register a trial that succeeded"),
}


def register_from_job(
    store: Store, paths: Paths, name: str, job: Job, clock: Callable[[], float], trial: int | None = None
) -> Model:
    """Register one trial's model, the best where none is named; twice gives the same version.

    Raises Conflict where the job or the trial did not produce a model, JobNotFound for a trial that is not there,
    SpecInvalid for a name that is none, StorageFull.
    """
    if not isinstance(job.spec, TrainingSpec):
        raise _no_model(job)
    check_name("a model", name)
    best = _packaged(paths, job)
    number = trial if trial is not None else best if best is not None else _best_finished(store, job)
    if known := store.models.of_trial(name, job.id, number):
        return known
    folder = paths.new_model(name, job.id, number)
    if not folder.exists():
        if number == best:
            copy_folder(paths.job_model(job.id), folder, paths.incoming / new_id(clock))
        else:
            _package(store, paths, job, _fit(store, job, number), folder, clock)
    reach(Failpoint.MODEL_COPIED)
    return store.models.add(_described(name, job.id, job.spec, folder, clock()))


def _packaged(paths: Paths, job: Job) -> int | None:
    """The trial whose model lies complete in the job's folder: its best, once the job has come so far."""
    card = paths.job_model(job.id) / "card.json"
    if not card.exists():
        return None
    number: int = msgspec.json.decode(card.read_bytes())["trial"]
    return number


def _best_finished(store: Store, job: Job) -> int:
    """The best of the trials that an ended job has finished. Raises Conflict where there is none."""
    assert isinstance(job.spec, TrainingSpec)
    metric = job.spec.primary_metric
    scored = [trial for trial in store.trials.list(job.id) if metric in trial.metrics] if job.state.final else []
    if not scored:
        raise _no_model(job)
    return max(scored, key=lambda trial: gain(metric, trial.metrics[metric])).number


def _no_model(job: Job) -> Conflict:
    return Conflict(
        f"Job '{job.id}' ({job.kind}, {job.state}) has no model to register",
        hint="Register from an AutoML job that has succeeded, or a trial that has",
    )


def _fit(store: Store, job: Job, number: int) -> Trial:
    """A trial that can be registered. Raises JobNotFound, Conflict."""
    trial = next((trial for trial in store.trials.list(job.id) if trial.number == number), None)
    if trial is None:
        raise JobNotFound(f"Job '{job.id}' has no trial {number}", hint="`job trials` shows them")
    if trial.state is not TrialState.SUCCEEDED:
        why, hint = UNFIT[trial.state]
        reason = f": {trial.error}" if trial.error else ""
        raise Conflict(f"Trial {number} of job '{job.id}' {why}{reason}", hint=hint)
    return trial


def _package(store: Store, paths: Paths, job: Job, trial: Trial, folder: Path, clock: Callable[[], float]) -> None:
    """Write the model folder of a trial that its job has not packaged, proven by the same parity as the best.

    What the trials share (signature, guardrails, notes) is computed anew from the table: a job that was stopped has
    kept none of it.
    """
    # Imported when used: an app that registers nothing needs no packaging.
    from core.ml.data.prepare import prepare
    from core.ml.data.profile import from_json as read_profile
    from core.ml.final import decided, served
    from core.ml.finished import fingerprint, read_trial
    from core.ml.result import SearchResult
    from core.packaging.write import write_model

    assert isinstance(job.spec, TrainingSpec)
    data = store.data.get(job.spec.data)
    profile = read_profile(msgspec.json.decode(paths.profile(data.name, data.content_id).read_bytes()))
    prepared = prepare(paths.table(data.name, data.content_id), job.spec, profile, _validation(store, paths, job.spec))
    try:
        finished = read_trial(paths.trials(job.id) / str(trial.number))
    except FileNotFoundError as e:
        raise Conflict(
            f"The files of trial {trial.number} of job '{job.id}' are gone", hint="Train again and register then"
        ) from e
    if finished.problem != fingerprint(prepared.problem):
        raise Conflict(
            f"Trial {trial.number} of job '{job.id}' was trained by another version of Slipway, on other codes",
            hint="Train again and register then",
        )
    members = tuple(zip(trial.members or (trial.number,), finished.weights or (1.0,), strict=True))
    signature, notes = decided(job.spec, prepared, finished.oof())
    trials = [read_trial(paths.trials(job.id) / str(member)) for member, _ in members]
    result = SearchResult(
        finished.trial,
        members,
        signature,
        prepared.guardrails,
        (*prepared.notes, *notes),
        paths.trials(job.id),
        finished.combination,
        served(trials, paths.trials(job.id), job.spec),
        prepared.problem.table,
    )
    staged = paths.incoming / new_id(clock)
    try:
        make_folder(staged.parent)
        write_model(staged, result, spec=job.spec, data=data, job_id=job.id, created_at=clock())
        place(staged, folder)
    except OSError as e:
        raise storage_error(e, f"keep the model of trial {trial.number}") from e
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _validation(store: Store, paths: Paths, spec: TrainingSpec) -> Path | None:
    """The table that alone judged the trials, where there was one."""
    if spec.validation_data is None:
        return None
    data = store.data.get(spec.validation_data)
    return paths.table(data.name, data.content_id)


def _described(name: str, job_id: str, spec: TrainingSpec, folder: Path, now: float) -> Model:
    """The model in a complete folder; its version comes from the store."""
    card = msgspec.json.decode((folder / "card.json").read_bytes())
    return Model(
        name=name,
        version=0,
        job_id=job_id,
        trial=card["trial"],
        algorithm=card["algorithm"],
        metrics=card["metrics"],
        data=spec.data,
        signature=from_json(msgspec.json.decode((folder / "signature.json").read_bytes())),
        size_bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        created_at=now,
    )
