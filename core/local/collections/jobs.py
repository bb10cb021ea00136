"""Jobs and trials."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from core.domain.batch import BatchSpec
from core.domain.data import ColumnKind, DataRef
from core.domain.errors import Conflict, JobNotFound, SpecInvalid
from core.domain.explanation import (
    Explanation,
    Fairness,
    Importance,
    MetricSpread,
    PairedDifference,
    PartialDependence,
    ThresholdTable,
    TrialCurves,
    Winner,
)
from core.domain.job import Job, JobKind, JobSpec, LogLine, kind_of
from core.domain.proof import GateSpec, LoadSpec
from core.domain.rules import check_limit
from core.domain.run import PipelineRunSpec
from core.domain.signature import Scalar, Signature
from core.domain.training import Comparison, TrainingSpec, Trial, TrialDetail, TrialState
from core.durable import make_folder, place, storage_error
from core.local.context import LOCAL_COMPUTE, PROOF_COMPUTE, Context
from core.local.continuing import ask_to_end, longer_spec, take_trials
from core.local.deleted import files
from core.local.explaining import Explaining
from core.local.machine.logs import job_log
from core.local.queue import check_compute, check_training_compute, new_job
from core.ml.asked import check_validation, checked
from core.sources import Source, ingest, resolve
from core.sources.incoming import own_name, receive, uploaded
from core.work.columns import check_columns
from core.workspace.data import DataAssets
from core.workspace.jobs import Jobs

QUEUED_BY: Mapping[type[JobSpec], str] = {GateSpec: "proofs.run_gate", PipelineRunSpec: "pipelines.trigger"}
"""Jobs that are queued together with what else belongs to them, and the verbs that do."""


class LocalJobs(Jobs):
    """Jobs in the store; their logs and outputs in their folders."""

    def __init__(self, context: Context, data: DataAssets) -> None:
        self._context, self._data = context, data
        self._explaining = Explaining(context)

    def submit(self, spec: JobSpec, *, parent_id: str = "") -> Job:
        if verb := QUEUED_BY.get(type(spec)):
            raise SpecInvalid(f"A {kind_of(spec)} cannot be submitted directly", hint=f"`{verb}` queues one")
        return self._add(self._queued(spec, parent_id))

    def submit_file(self, spec: BatchSpec, stream: BinaryIO) -> Job:
        name = own_name(spec.source)
        self._check_batch(spec)
        with self._staged(replace(spec, source=name)) as (job, folder):
            path = folder / "source"
            receive(stream, path, name, self._context.settings)
            self._take(job, uploaded(name, name, path, self._context.settings), folder)
        return self._add(job)

    def _add(self, job: Job) -> Job:
        """Queue a job whose data versions are there at that moment: none is deleted under it. Raises DataNotFound."""
        with self._context.store.write() as tx:
            for ref in _reads(job.spec):
                tx.data.get(ref)
            return tx.jobs.add(job)

    def _queued(self, spec: JobSpec, parent_id: str) -> Job:
        """The job of a spec that was looked at as its kind needs; not stored yet."""
        match spec:
            case TrainingSpec():
                return self._training_job(spec, parent_id)
            case BatchSpec():
                return self._batch_job(spec, parent_id)
            case LoadSpec():
                return self._load_job(spec, parent_id)
            case _:
                return new_job(self._context, spec, str(kind_of(spec)), LOCAL_COMPUTE, parent_id)

    def _training_job(self, spec: TrainingSpec, parent_id: str) -> Job:
        """Raises DataNotFound, TableUnusable, SpecInvalid for an unknown compute."""
        with files(self._context.store, spec.data) as asset:
            table = self._context.paths.table(asset.name, asset.content_id)
            profile = self._data.profile(asset.ref)
            spec = checked(spec, asset, profile, table)
            if spec.validation_data is not None:
                with files(self._context.store, spec.validation_data) as other:
                    spec = replace(spec, validation_data=other.ref)
                    judge = self._context.paths.table(other.name, other.content_id)
                    check_validation(spec, table, profile, judge, other)
        check_training_compute(self._context, spec.compute)
        return new_job(self._context, spec, spec.experiment_name, spec.compute, parent_id)

    def _batch_job(self, spec: BatchSpec, parent_id: str) -> Job:
        """Raises DataNotFound, EndpointNotFound, SpecInvalid for an unknown compute."""
        self._check_batch(spec)
        if spec.source:
            return self._batch_of_source(spec, parent_id)
        asset = self._context.store.data.get(DataRef(spec.data, spec.data_version))
        self._check_table(spec, asset.name, asset.columns)
        spec = replace(spec, data_version=asset.ref.version)
        return new_job(self._context, spec, spec.experiment_name, spec.compute, parent_id)

    def _batch_of_source(self, spec: BatchSpec, parent_id: str) -> Job:
        """A batch job with a copy of its table, as it is now, in its folder; no data asset comes of it.

        Raises SourceUnreadable, TableUnusable.
        """
        context = self._context
        found = resolve(spec.source, context.settings, context.announce, confined=context.confined)
        with self._staged(replace(spec, source=found.origin), parent_id) as (job, folder):
            self._take(job, found, folder)
        return job

    def _check_batch(self, spec: BatchSpec) -> None:
        """Raises EndpointNotFound, SpecInvalid for an unknown compute."""
        self._context.store.endpoints.get(spec.endpoint)
        check_compute(self._context, spec.compute)

    @contextmanager
    def _staged(self, spec: BatchSpec, parent_id: str = "") -> Iterator[tuple[Job, Path]]:
        """A batch job, and a folder for its table that becomes the job's; nothing of one that fails stays."""
        job = new_job(self._context, spec, spec.experiment_name, spec.compute, parent_id)
        incoming = self._context.paths.incoming / job.id
        try:
            make_folder(incoming)
            yield job, incoming
            place(incoming, self._context.paths.job(job.id))
        except OSError as e:
            raise storage_error(e, f"keep '{spec.source}' for its job") from e
        finally:
            shutil.rmtree(incoming, ignore_errors=True)

    def _take(self, job: Job, found: Source, folder: Path) -> None:
        """The job's own copy of a table, and nothing else, in its folder. Raises TableUnusable for missing columns."""
        assert isinstance(job.spec, BatchSpec)
        table = folder / self._context.paths.job_table(job.id).name
        got = ingest(found, table, texts=self._texts(job.spec))
        if found.path is not None and found.path.parent == folder:
            found.path.unlink()
        self._check_table(job.spec, Path(found.origin).name, got.columns)

    def _texts(self, spec: BatchSpec) -> frozenset[str]:
        """The columns that are text to the model that will most likely score: 712 is a code where 00712 was learned."""
        signature = self._signature(spec)
        return frozenset(c.name for c in signature.used if c.kind is ColumnKind.STRING) if signature else frozenset()

    def _check_table(self, spec: BatchSpec, name: str, columns: Sequence[str]) -> None:
        if signature := self._signature(spec):
            check_columns(signature, columns, name)

    def _signature(self, spec: BatchSpec) -> Signature | None:
        """What the deployment reads that will most likely score; None where none has traffic yet."""
        found = self._context.store.endpoints.get(spec.endpoint).chosen(spec.deployment)
        return self._context.store.models.get(found.model, found.model_version).signature if found else None

    def open_output(self, job_id: str) -> BinaryIO:
        job = self._context.store.jobs.get(job_id)
        try:
            return self._context.paths.job_output(job_id).open("rb")
        except FileNotFoundError as e:
            raise Conflict(
                f"Job '{job_id}' ({job.kind}, {job.state}) has no file", hint="A batch job that succeeded has"
            ) from e

    def _load_job(self, spec: LoadSpec, parent_id: str) -> Job:
        """The key stays out of the store: the worker takes it from the endpoint that listens at the address."""
        endpoint = next((e for e in self._context.store.endpoints.list() if e.listens_at(spec.target.url)), None)
        if endpoint is None:
            raise SpecInvalid(
                f"No endpoint of this workspace has the address {spec.target.url}",
                hint="To load-test another server, run `python -m core loadtest URL`",
            )
        target = replace(spec.target, url=endpoint.scoring_uri.removesuffix("/score"))
        spec = replace(spec, target=target, endpoint=endpoint.name).keyless
        return new_job(self._context, spec, "loadtest", PROOF_COMPUTE, parent_id)

    def get(self, job_id: str) -> Job:
        return self._context.store.jobs.get(job_id)

    def list(
        self,
        kind: JobKind | None = None,
        limit: int = 100,
        *,
        endpoint: str = "",
        experiment_name: str = "",
        data: DataRef | None = None,
    ) -> tuple[Job, ...]:
        return self._context.store.jobs.list(
            kind, check_limit(limit), endpoint=endpoint, experiment_name=experiment_name, data=data
        )

    def cancel(self, job_id: str) -> Job:
        return self._context.store.jobs.cancel(job_id, self._context.clock())

    def extend(self, job_id: str, timeout_s: float) -> Job:
        paths = self._context.paths
        earlier = self._context.store.jobs.get(job_id)
        job = self._training_job(longer_spec(paths, earlier, timeout_s), "")
        try:
            take_trials(paths, earlier.id, job.id)
        except OSError as e:
            raise storage_error(e, f"continue job '{job_id}'") from e
        return self._add(job)

    def cancel_trial(self, job_id: str, number: int) -> Trial:
        trial = self._trial(job_id, number)
        if trial.state is TrialState.RUNNING:
            ask_to_end(self._context.paths, job_id, number)
        return trial

    def trials(self, job_id: str) -> tuple[Trial, ...]:
        self._context.store.jobs.get(job_id)
        return self._context.store.trials.list(job_id)

    def trial(self, job_id: str, number: int) -> TrialDetail:
        trial = self._trial(job_id, number)
        marker = f"trial {number}:"
        lines = (line.text for line in job_log(self._context.paths.job_log(job_id)))
        return TrialDetail(trial, job_id, tuple(text for text in lines if text.lower().startswith(marker)))

    def compare(self, picks: Sequence[tuple[str, int]]) -> Comparison:
        trials = tuple(self._trial(job_id, number) for job_id, number in picks)
        metrics = tuple(sorted({name for trial in trials for name in trial.metrics}))
        rows = tuple(tuple(trial.metrics.get(name) for name in metrics) for trial in trials)
        return Comparison(metrics, trials, rows)

    def _trial(self, job_id: str, number: int) -> Trial:
        for trial in self.trials(job_id):
            if trial.number == number:
                return trial
        raise JobNotFound(f"Job '{job_id}' has no trial {number}", hint="`job trials` shows them")

    def compare_pair(self, first: tuple[str, int], second: tuple[str, int], metric: str = "") -> PairedDifference:
        return self._explaining.compare_pair(first, second, metric)

    def winner(self, job_id: str) -> Winner:
        return self._explaining.winner(job_id)

    def curves(self, job_id: str, number: int) -> TrialCurves:
        return self._explaining.curves(job_id, number)

    def thresholds(self, job_id: str, number: int, class_name: Scalar | None = None) -> ThresholdTable:
        return self._explaining.thresholds(job_id, number, class_name)

    def fold_metrics(self, job_id: str, number: int) -> tuple[MetricSpread, ...]:
        return self._explaining.fold_metrics(job_id, number)

    def importance(self, job_id: str, number: int) -> Importance:
        return self._explaining.importance(job_id, number)

    def partial_dependence(
        self, job_id: str, number: int, column: str, class_name: Scalar | None = None
    ) -> PartialDependence:
        return self._explaining.partial_dependence(job_id, number, column, class_name)

    def explain(
        self, job_id: str, number: int, row: Mapping[str, Any], class_name: Scalar | None = None
    ) -> Explanation:
        return self._explaining.explain(job_id, number, row, class_name)

    def fairness(
        self,
        job_id: str,
        number: int,
        column: str,
        threshold: float | None = None,
        class_name: Scalar | None = None,
    ) -> Fairness:
        return self._explaining.fairness(job_id, number, column, threshold, class_name)

    def signature(self, job_id: str) -> Signature:
        return self._explaining.signature(job_id)

    def logs(self, job_id: str, limit: int = 1000) -> tuple[LogLine, ...]:
        self._context.store.jobs.get(job_id)
        return job_log(self._context.paths.job_log(job_id), check_limit(limit))


def _reads(spec: JobSpec) -> tuple[DataRef, ...]:
    """The data versions that a job reads."""
    match spec:
        case TrainingSpec(data=data, validation_data=other):
            return (data,) if other is None else (data, other)
        case BatchSpec(data=name, data_version=version) if name:
            return (DataRef(name, version),)
    return ()
