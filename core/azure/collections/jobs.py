"""The verbs of `jobs` on Azure ML."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO

from core.azure.automl_terms import check
from core.azure.clusters import cluster_name, ready
from core.azure.context import Context
from core.azure.here import output_of
from core.azure.job_logs import log_lines
from core.azure.job_reading import read_job
from core.azure.leaderboard import leaderboard, trial_run
from core.azure.queueing import Queueing
from core.azure.registration import register
from core.azure.results import completed, remember_model, remembered, timed
from core.azure.specs import reads
from core.azure.tables import Tables
from core.azure.training import automl_job, notes
from core.domain.batch import BatchSpec
from core.domain.data import DataRef
from core.domain.errors import Conflict, JobNotFound, SlipwayError, SpecInvalid
from core.domain.job import Job, JobKind, JobSpec, LogLine, kind_of
from core.domain.job_state import JobState
from core.domain.proof import LoadSpec
from core.domain.rules import check_limit
from core.domain.training import (
    Comparison,
    ModelVersion,
    TrainingResult,
    TrainingSpec,
    Trial,
    TrialDetail,
)
from core.ml.asked import check_validation, checked
from core.workspace.jobs import Jobs

log = logging.getLogger(__name__)
QUEUED_BY = {JobKind.GATE: "proofs.run_gate", JobKind.PIPELINE: "pipelines.trigger"}
OF_THIS_MACHINE = (JobKind.GATE, JobKind.LOADTEST)
"""Kinds of which Azure has no jobs at all."""
ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED)


class AzureJobs(Jobs):
    """Trainings are AutoML jobs; their trials are the runs below them."""

    def __init__(self, context: Context, tables: Tables) -> None:
        self._context, self._tables = context, tables
        self.queueing: Queueing
        """Of what this machine does; it knows the endpoints, which know the models, which know the jobs."""

    def submit(self, spec: JobSpec, *, parent_id: str = "") -> Job:
        if verb := QUEUED_BY.get(kind_of(spec)):
            raise SpecInvalid(f"A {kind_of(spec)} cannot be submitted directly", hint=f"`{verb}` queues one")
        match spec:
            case TrainingSpec():
                return self._trained(spec)
            case BatchSpec():
                return self.queueing.batch(spec, parent_id)
            case LoadSpec():
                return self.queueing.load(spec, parent_id)
            case _:
                self._cannot("submit")

    def submit_file(self, spec: BatchSpec, stream: BinaryIO) -> Job:
        return self.queueing.batch_of_file(spec, stream)

    def _trained(self, spec: TrainingSpec) -> Job:
        """Raises DataNotFound, TableUnusable, SpecInvalid for an unknown compute."""
        check(spec)
        held = self._tables.find(spec.data)
        asset, profile = self._tables.read(held), self._tables.profile(held)
        spec = checked(spec, asset, profile, self._tables.table(held))
        judge = None
        if spec.validation_data is not None:
            other = self._tables.find(spec.validation_data)
            judge = self._tables.read(other)
            spec = replace(spec, validation_data=judge.ref)
            check_validation(spec, self._tables.table(held), profile, self._tables.table(other), judge)
        compute = replace(ready(self._context, spec.compute), name=cluster_name(self._context, spec.compute))
        wanted = automl_job(spec, asset, compute, judge)
        for note in notes(spec, int(wanted.limits.timeout_minutes)):
            log.warning("%s", note)
        with self._context.asking("job") as client:
            job = read_job(self._context, client.jobs.create_or_update(wanted))
        assert job is not None
        return job

    def open_output(self, job_id: str) -> BinaryIO:
        if job_id in self._context.here:
            return output_of(self._context.here, job_id).open("rb")
        job = self.get(job_id)
        raise Conflict(f"Job '{job_id}' ({job.kind}, {job.state}) has no file", hint="A batch job that succeeded has")

    def get(self, job_id: str) -> Job:
        if job_id in self._context.here:
            return self._context.here.get(job_id)
        return self._with_model(completed(self._context, self._found(job_id)))

    def _found(self, job_id: str) -> Job:
        """The job as its document tells. Raises JobNotFound."""
        with self._context.asking("job", job_id) as client:
            found = client.jobs.get(job_id)
        job = read_job(self._context, found)
        if job is None:
            raise JobNotFound(
                f"Job '{job_id}' is a job of another kind ({getattr(found, 'type', 'unknown')})",
                hint="Azure's studio shows it",
            )
        return job

    def _with_model(self, job: Job) -> Job:
        """A job that was to register its best model has done so as soon as somebody sees that it has succeeded."""
        spec, result = job.spec, job.result
        if not isinstance(spec, TrainingSpec) or not isinstance(result, TrainingResult):
            return job
        if not spec.model_name or result.model is not None:
            return job
        try:
            model = register(self._context, self._tables, spec.model_name, job)
        except SlipwayError:  # it can be registered by hand, and then its cause is told
            return job
        made = replace(job, result=replace(result, model=ModelVersion(model.name, model.version)))
        return remember_model(self._context, made)

    def list(
        self,
        kind: JobKind | None = None,
        limit: int = 100,
        *,
        endpoint: str = "",
        experiment_name: str = "",
        data: DataRef | None = None,
    ) -> tuple[Job, ...]:
        check_limit(limit)

        def wanted(job: Job) -> bool:
            return (
                kind in (None, job.kind)
                and experiment_name in ("", job.experiment_name)
                and data in (None, reads(job.spec))
            )

        found = [job for job in self._context.here.list(kind, endpoint=endpoint) if wanted(job)]
        if not endpoint and kind not in OF_THIS_MACHINE:
            with self._context.asking("job") as client:
                # Azure lists its jobs newest first, page by page: no page is asked for that nobody needs.
                found += islice(filter(wanted, self._read(client.jobs.list())), limit)
        newest = sorted(found, key=lambda job: job.created_at, reverse=True)[:limit]
        return timed(self._context, newest)

    def _read(self, found: Any) -> Iterator[Job]:
        for each in found:
            if each is not None and (job := read_job(self._context, each)):
                yield (remembered(self._context, job) if job.state in ENDED else None) or job

    def cancel(self, job_id: str) -> Job:
        if job_id in self._context.here:
            return self._context.here.cancel(job_id)
        job = self._found(job_id)
        if job.state.final or job.cancel_requested:
            return job
        with self._context.asking("job", job_id) as client:
            client.jobs.begin_cancel(job_id, polling=False)
        return self._found(job_id)

    def trials(self, job_id: str) -> tuple[Trial, ...]:
        if job_id in self._context.here:
            return ()
        job = self._found(job_id)
        if not isinstance(job.spec, TrainingSpec) or job.state is JobState.QUEUED:
            return ()
        return leaderboard(self._context, job_id, job.spec.primary_metric).trials

    def trial(self, job_id: str, number: int) -> TrialDetail:
        trial = self._trial(job_id, number)
        try:
            lines = log_lines(self._context, trial_run(job_id, number), 1000)
        except JobNotFound:
            lines = ()
        return TrialDetail(trial, job_id, tuple(line.text for line in lines))

    def compare(self, picks: Sequence[tuple[str, int]]) -> Comparison:
        known = {job_id: self.trials(job_id) for job_id in dict.fromkeys(job_id for job_id, _ in picks)}
        trials = tuple(_numbered(known[job_id], job_id, number) for job_id, number in picks)
        metrics = tuple(sorted({name for trial in trials for name in trial.metrics}))
        return Comparison(
            metrics, trials, tuple(tuple(trial.metrics.get(name) for name in metrics) for trial in trials)
        )

    def _trial(self, job_id: str, number: int) -> Trial:
        return _numbered(self.trials(job_id), job_id, number)

    def logs(self, job_id: str, limit: int = 1000) -> tuple[LogLine, ...]:
        check_limit(limit)
        if job_id in self._context.here:
            return self._context.here.log(job_id, limit)
        job = self._found(job_id)
        if job.state is JobState.QUEUED:
            return ()
        return log_lines(self._context, job_id, limit)


def _numbered(trials: Sequence[Trial], job_id: str, number: int) -> Trial:
    for trial in trials:
        if trial.number == number:
            return trial
    raise JobNotFound(f"Job '{job_id}' has no trial {number}", hint="`job trials` shows them")
