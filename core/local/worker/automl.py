"""The AutoML job: search, package, register. Every step finds what an earlier attempt has done of it."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from core.domain.data import DataAsset
from core.domain.training import BestTrial, ModelVersion, TrainingResult, TrainingSpec, Trial, TrialState
from core.durable import write_atomic
from core.local.continuing import why_given_up
from core.local.machine.failpoints import Failpoint, reach
from core.local.registration import register_from_job
from core.local.worker.work import Work
from core.ml.data.profile import from_json
from core.ml.search import FinishedTrial, SearchResult, read_finished

START_MAX_S = 10.0
"""The start of a worker counts as no more, whatever the clocks say."""
BEAT_S = 1.0
"""How often the time used is noted: a killed attempt loses at most this much of its count."""


def run(work: Work, spec: TrainingSpec) -> TrainingResult:
    """Raises TableUnusable, TrainingFailed, StorageFull."""
    kept = work.folder / "result.json"
    if not kept.exists():
        data = work.store.data.get(spec.data)
        seconds, found = _search(work, spec, data, _before_s(work))
        for note in found.notes:
            work.log.warning(note)
        work.tools.package(
            work.paths.job_model(work.job.id),
            found,
            spec=spec,
            data=data,
            job_id=work.job.id,
            created_at=work.clock(),
        )
        reach(Failpoint.AUTOML_PACKAGED)
        write_atomic(kept, msgspec.json.encode(_summary(work, found, seconds)))
    result = msgspec.json.decode(kept.read_bytes(), type=TrainingResult)
    if spec.model_name:
        model = register_from_job(work.store, work.paths, spec.model_name, work.job, work.clock)
        work.log.info(f"Registered {model.ref}")
        result = replace(result, model=ModelVersion(model.name, model.version))
    return result


def _before_s(work: Work) -> float:
    """What the start of this process took: it is part of the time that was asked for."""
    job = work.job
    if job.attempt != 1 or job.started_at is None:
        return 0.0  # of a later attempt it is not known, nor what the times between them were
    return min(max(0.0, work.clock() - job.started_at), START_MAX_S)


def _search(work: Work, spec: TrainingSpec, data: DataAsset, before_s: float) -> tuple[float, SearchResult]:
    """What the engine found, and the seconds that all attempts have spent on it."""
    executor = work.tools.executors(work.compute(), spec)  # first, since it loads the learners beside us
    profile = from_json(msgspec.json.decode(work.paths.profile(data.name, data.content_id).read_bytes()))
    folder = work.paths.trials(work.job.id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    finished = read_finished(folder)
    _agree(work, finished)
    engine = work.tools.engines(spec.engine)
    with _time_used(work.folder / "seconds", work.clock, before_s) as used_s:
        if finished:
            work.log.info(f"Continuing from {len(finished)} trials after {used_s():.0f} s")
        found = engine(
            work.paths.table(data.name, data.content_id),
            spec,
            profile,
            folder=folder,
            executor=executor,
            finished=finished,
            clock=work.clock,
            on_trial=lambda trial: _keep(work, spec, trial),
            should_stop=lambda: False,  # who cancels ends the process, as whoever pulls the plug does
            time_used_s=used_s(),
            validation=_validation(work, spec),
            given_up=partial(why_given_up, folder),
        )
        return used_s(), found


def _validation(work: Work, spec: TrainingSpec) -> Path | None:
    """The Parquet file of the table that the trials are judged on, where there is one."""
    if spec.validation_data is None:
        return None
    data = work.store.data.get(spec.validation_data)
    return work.paths.table(data.name, data.content_id)


def _agree(work: Work, finished: list[FinishedTrial]) -> None:
    """The store as the folder has it: some ended unheard, a moment before their worker; the rest were cut off."""
    for earlier in finished:
        work.store.trials.put(work.job.id, earlier.trial)
    there = {earlier.trial.number for earlier in finished}
    for trial in work.store.trials.list(work.job.id):
        # An ensemble may have been cut off just while a newer one took its place.
        if trial.state is TrialState.RUNNING or (trial.state is TrialState.SUCCEEDED and trial.number not in there):
            work.store.trials.put(work.job.id, replace(trial, state=TrialState.STOPPED))


def _keep(work: Work, spec: TrainingSpec, trial: Trial) -> None:
    work.store.trials.put(work.job.id, trial)
    if trial.state is TrialState.RUNNING and trial.fold_scores:
        return  # one more fold is done, which the store shows; in a log it would be noise
    said = f"Trial {trial.number}: {trial.algorithm} {trial.state}"
    if trial.state is TrialState.SUCCEEDED:
        metric = trial.metrics.get(spec.primary_metric)
        said += f", {spec.primary_metric} {metric:.5f}" if metric is not None else ""
    if trial.state is not TrialState.RUNNING:
        said += f" after {trial.duration_s:.1f} s"
    if trial.error:
        said += f": {trial.error}"
    (work.log.warning if trial.state is TrialState.FAILED else work.log.info)(said)


def _summary(work: Work, found: SearchResult, seconds: float) -> TrainingResult:
    return TrainingResult(
        BestTrial(found.best.number, found.best.algorithm, found.best.metrics),
        found.members,
        found.notes,
        found.guardrails,
        len(work.store.trials.list(work.job.id)),
        seconds,
        threshold=found.signature.threshold,
    )


def _noted_s(path: Path) -> float:
    """The sum that an earlier worker has noted; 0 where it died before the first one was whole."""
    try:
        return float(path.read_text())
    except (FileNotFoundError, ValueError):
        return 0.0


@contextmanager
def _time_used(path: Path, clock: Callable[[], float], more_s: float) -> Iterator[Callable[[], float]]:
    """Counts the seconds inside the block on top of those in `path` and of `more_s`, and notes the sum each second."""
    before_s, began = more_s + _noted_s(path), clock()
    ended = threading.Event()

    def used_s() -> float:
        return before_s + clock() - began

    def note() -> None:
        while not ended.wait(BEAT_S):
            # Written over in place, not renamed, which a full disk seldom refuses; the next beat has the whole sum.
            with suppress(OSError):
                os.pwrite(descriptor, f"{used_s():020.3f}\n".encode(), 0)

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.pwrite(descriptor, f"{before_s:020.3f}\n".encode(), 0)
    thread = threading.Thread(target=note, name="time used", daemon=True)
    thread.start()
    try:
        yield used_s
    finally:
        ended.set()
        thread.join()
        os.close(descriptor)
