"""Jobs: what was asked, where it stands, and who works at it."""

from typing import Any

from core.domain.data import DataRef
from core.domain.errors import JobNotFound, JobStateInvalid
from core.domain.job import JOB_TYPES, Job, JobKind, JobResult, JobSpec, JobState, move
from core.domain.plain import plain
from core.domain.proof import GateResult, LoadSpec
from core.local.machine.processes import Process
from core.local.store.bodies import decode, encode, member
from core.local.store.db import Access, Row
from core.local.store.pipelines import changed
from core.local.store.runs import Runs
from core.local.store.trials import Trials

_JOBS = (
    "SELECT id, kind, state, experiment_name, compute, spec, created_at, started_at, ended_at, attempt, "
    "cancel_requested, parent_id, message, hint, result FROM jobs"
)
"""Columns in the order in which `_job` takes them: reading each by name would search the row's columns."""
_READS = (
    "(json_extract(spec, '$.data.name') = ? AND json_extract(spec, '$.data.version') = ?"
    " OR json_extract(spec, '$.validation_data.name') = ? AND json_extract(spec, '$.validation_data.version') = ?"
    " OR json_extract(spec, '$.data') = ? AND json_extract(spec, '$.data_version') = ?)"
)
"""A training job names its data, and the table it is judged on, as one value each, a batch its data as two."""

NOTHING = "{}"
"""The result of a job that has left none."""


class Jobs:
    """Jobs by id, and the children that a job has submitted."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def add(self, job: Job) -> Job:
        """Keep a new job."""
        values = (job.id, job.kind, job.state, job.experiment_name, job.compute)
        with self._db.write() as tx:
            tx.execute(
                "INSERT INTO jobs (id, kind, state, experiment_name, compute, spec, created_at, parent_id) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                *(*values, _kept_spec(job.spec), job.created_at, job.parent_id),
            )
        return job

    def get(self, job_id: str) -> Job:
        """The job as it is now. Raises JobNotFound."""
        row = self._db.row(f"{_JOBS} WHERE id = ?", job_id)
        if row is None:
            raise JobNotFound(f"There is no job '{job_id}'", hint="`job list` shows them")
        return _job(row)

    def list(
        self,
        kind: JobKind | None = None,
        limit: int = 100,
        *,
        endpoint: str = "",
        experiment_name: str = "",
        data: DataRef | None = None,
    ) -> tuple[Job, ...]:
        """Newest first, at most `limit` of those that every given filter lets through; 0 for all of them.

        Steps of pipelines' runs are listed by their kind only.
        """
        named = "" if data is None else data.name
        version = 0 if data is None else data.version
        wanted: tuple[tuple[object, str, tuple[Any, ...]], ...] = (
            (kind, "kind = ?", (kind,)),
            (not kind, "kind <> ?", (JobKind.STEP,)),
            (endpoint, "json_extract(spec, '$.endpoint') = ?", (endpoint,)),
            (experiment_name, "experiment_name = ?", (experiment_name,)),
            (data, _READS, (named, version) * 3),
        )
        given = [(condition, values) for asked, condition, values in wanted if asked]
        where = " AND ".join(("1", *(condition for condition, _ in given)))
        sql = f"{_JOBS} WHERE {where} ORDER BY created_at DESC, id DESC LIMIT ?"
        return tuple(map(_job, self._db.rows(sql, *(v for _, values in given for v in values), limit or -1)))

    def in_states(self, *states: JobState) -> tuple[Job, ...]:
        """All jobs in these states, oldest first."""
        marks = ", ".join("?" * len(states))
        sql = f"{_JOBS} WHERE state IN ({marks}) ORDER BY created_at, id"
        return tuple(map(_job, self._db.rows(sql, *states)))

    def of_workers(self, state: JobState) -> tuple[Job, ...]:
        """The jobs in a state that a process of their own does, oldest first: all but pipelines' runs."""
        sql = f"{_JOBS} WHERE state = ? AND kind <> ? ORDER BY created_at, id"
        return tuple(map(_job, self._db.rows(sql, state, JobKind.PIPELINE)))

    def children(self, job_id: str) -> tuple[Job, ...]:
        """The jobs that a job has submitted, oldest first."""
        rows = self._db.rows(f"{_JOBS} WHERE parent_id = ? ORDER BY created_at, id", job_id)
        return tuple(map(_job, rows))

    def start_attempt(self, job_id: str, now: float) -> Job:
        """Mark a queued job running, or count another attempt of a running one whose worker died.

        The worker's process is named by `set_worker` once it exists. Raises JobStateInvalid for a final job.
        """
        with self._db.write() as tx:
            job = Jobs(tx).get(job_id)
            if job.state is not JobState.RUNNING:
                move(job.state, JobState.RUNNING)
            tx.execute(
                "UPDATE jobs SET state = ?, attempt = attempt + 1, started_at = coalesce(started_at, ?), "
                "pid = NULL, pid_started = NULL WHERE id = ?",
                *(JobState.RUNNING, now, job_id),
            )
            _note(tx, job)
        return self.get(job_id)

    def set_worker(self, job_id: str, process: Process) -> None:
        """Remember the process that was started for a job."""
        named = "UPDATE jobs SET pid = ?, pid_started = ? WHERE id = ?"
        with self._db.write() as tx:
            tx.execute(named, process.pid, process.started, job_id)

    def worker(self, job_id: str) -> Process | None:
        """The process that was started for a job last, dead or alive."""
        row = self._db.row("SELECT pid, pid_started FROM jobs WHERE id = ? AND pid IS NOT NULL", job_id)
        return Process(row["pid"], row["pid_started"]) if row else None

    def cancel(self, job_id: str, now: float) -> Job:
        """A queued job is canceled at once, a running one is asked to end, so are all that they started."""
        with self._db.write() as tx:
            jobs = Jobs(tx)
            jobs._ask_all_to_end(jobs.get(job_id), now)
        return self.get(job_id)

    def _ask_all_to_end(self, job: Job, now: float) -> None:
        """The job and what it has started, at any depth; one that has ended may have started one that goes on."""
        self._ask_to_end(job, now)
        for child in self.children(job.id):
            self._ask_all_to_end(child, now)

    def _ask_to_end(self, job: Job, now: float) -> None:
        if job.state is JobState.QUEUED:
            self.end(job.id, JobState.CANCELED, now, message="Canceled before it started")
        elif not job.state.final:
            with self._db.write() as tx:
                tx.execute("UPDATE jobs SET cancel_requested = 1 WHERE id = ?", job.id)
                _note(tx, job)

    def end(
        self,
        job_id: str,
        state: JobState,
        now: float,
        *,
        message: str = "",
        hint: str = "",
        result: JobResult | None = None,
    ) -> Job:
        """Give a job its final state and what it leaves. Raises JobStateInvalid when it has one."""
        if not state.final:
            raise JobStateInvalid(f"'{state}' is no final state")
        ended = "UPDATE jobs SET state = ?, ended_at = ?, message = ?, hint = ?, result = ? WHERE id = ?"
        with self._db.write() as tx:
            job = Jobs(tx).get(job_id)
            move(job.state, state)
            tx.execute(ended, state, now, message, hint, _kept(result), job_id)
            Trials(tx).stop(job_id)
            Runs(tx).cancel_steps(job_id, now, message)
            _note(tx, job)
        return self.get(job_id)


def _note(tx: Access, job: Job) -> None:
    """A run that is not as it was is a change of runs."""
    if job.kind is JobKind.PIPELINE:
        changed(tx)


def verdict(result: str, what: str) -> bool | None:
    """What a gate has said, by the result that its job's row keeps; None where it came to no verdict."""
    judged = _result(JobKind.GATE, result, what)
    return judged.passed if isinstance(judged, GateResult) else None


def _job(row: Row) -> Job:
    (job_id, kind_name, state, experiment_name, compute, spec, *times_and_rest) = row
    (created_at, started_at, ended_at, attempt, cancel_requested, parent_id, message, hint, result) = times_and_rest
    what = f"job '{job_id}'"
    kind = member(JobKind, kind_name, what)
    return Job(
        id=job_id,
        kind=kind,
        state=member(JobState, state, what),
        experiment_name=experiment_name,
        compute=compute,
        spec=_spec(kind, spec, what),
        created_at=created_at,
        started_at=started_at,
        ended_at=ended_at,
        attempt=attempt,
        cancel_requested=bool(cancel_requested),
        parent_id=parent_id,
        message=message,
        hint=hint,
        result=_result(kind, result, what),
    )


def _kept_spec(spec: JobSpec) -> str:
    """No key is kept, whoever asks for it."""
    return _kept(spec.keyless if isinstance(spec, LoadSpec) else spec)


def _kept(value: JobSpec | JobResult | None) -> str:
    """In the layout in which a job is printed and sent too."""
    return NOTHING if value is None else encode(plain(value), type(value))


def _spec(kind: JobKind, text: str, what: str) -> JobSpec:
    spec: JobSpec = decode(text, JOB_TYPES[kind].spec, what)
    return spec


def _result(kind: JobKind, text: str, what: str) -> JobResult | None:
    if text == NOTHING:
        return None
    result: JobResult = decode(text, JOB_TYPES[kind].result, what)
    return result
