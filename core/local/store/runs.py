"""Runs of pipelines: their numbers, their steps, and what they made and used."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.domain.job import JobKind, JobState
from core.domain.pipeline import ValueType
from core.domain.run import Artifact, PipelineRunSpec, RunArtifact, RunOrigin, RunSummary, StepRun, StepState
from core.local.store.bodies import decode, encode, member
from core.local.store.db import Access, Row
from core.local.store.pipelines import changed

_FACTS = (
    "SELECT r.id, r.pipeline, r.number, r.version, r.origin, r.schedule, r.retry_of, r.steps_done, r.steps_total, "
    "r.created_at, j.state, j.experiment_name, j.started_at, j.ended_at, j.message"
)
_RUNS = f"{_FACTS}, 0 AS made FROM runs r JOIN jobs j USING (id)"
_RUNS_OF = (  # a cross join, so that it begins with the few that have to do with the artifact
    f"{_FACTS}, a.made FROM (SELECT run_id, max(made) AS made FROM artifacts WHERE type = ? AND reference = ? "  # noqa: S608 - only ours
    "GROUP BY run_id) a CROSS JOIN runs r ON r.id = a.run_id JOIN jobs j USING (id)"
)


class Runs:
    """One row a run beside its job's."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def add(self, run_id: str, spec: PipelineRunSpec, steps: Sequence[StepRun], now: float) -> None:
        """Number a new run and keep its steps, in order."""
        with self._db.write() as tx:
            tx.execute("UPDATE pipeline_names SET runs = runs + 1 WHERE name = ?", spec.pipeline)
            done = sum(step.state.final for step in steps)
            tx.execute(
                "INSERT INTO runs SELECT ?, name, runs, ?, ?, ?, ?, ?, ?, ? FROM pipeline_names WHERE name = ?",
                *(run_id, spec.version, spec.origin, spec.schedule, spec.retry_of, done, len(steps), now),
                spec.pipeline,
            )
            for position, step in enumerate(steps):
                tx.execute("INSERT INTO steps VALUES (?, ?, ?, ?)", run_id, position, step.name, encode(step))
            changed(tx)

    def summary(self, run_id: str) -> RunSummary | None:
        """One run, None where there is none."""
        row = self._db.row(f"{_RUNS} WHERE r.id = ?", run_id)
        return None if row is None else _summary(row)

    def list(
        self,
        pipeline: str = "",
        limit: int = 50,
        *,
        state: JobState | None = None,
        schedule: str = "",
        experiment_name: str = "",
        of: Artifact | None = None,
        before: str = "",
    ) -> tuple[RunSummary, ...]:
        """Newest first, those that every given filter lets through; `pipeline` is a name."""
        older = "(r.created_at, r.id) < (SELECT created_at, id FROM runs WHERE id = ?)"
        wanted: tuple[tuple[object, str, tuple[object, ...]], ...] = (
            (pipeline, "r.pipeline = ?", (pipeline,)),
            (state, "j.state = ?", (state,)),
            (schedule, "r.schedule = ?", (schedule,)),
            (experiment_name, "j.experiment_name = ?", (experiment_name,)),
            (before, older, (before,)),
        )
        given = [(condition, values) for asked, condition, values in wanted if asked]
        where = " AND ".join(("1", *(condition for condition, _ in given)))
        sql = f"{_RUNS_OF if of else _RUNS} WHERE {where} ORDER BY r.created_at DESC, r.id DESC LIMIT ?"
        artifact = (of.type, of.reference) if of else ()
        return tuple(map(_summary, self._db.rows(sql, *artifact, *(v for _, values in given for v in values), limit)))

    def waiting(self, limit: int) -> tuple[str, ...]:
        """The ids of the runs that wait to begin, oldest first."""
        sql = "SELECT id FROM jobs WHERE state = ? AND kind = ? ORDER BY created_at, id LIMIT ?"
        return tuple(row["id"] for row in self._db.rows(sql, JobState.QUEUED, JobKind.PIPELINE, limit))

    def count_waiting(self) -> int:
        """How many runs wait to begin."""
        sql = "SELECT count(*) AS n FROM jobs WHERE state = ? AND kind = ?"
        return int(self._db.rows(sql, JobState.QUEUED, JobKind.PIPELINE)[0]["n"])

    def going(self) -> tuple[tuple[str, bool], ...]:
        """The ids of the runs that go on, and whether somebody has asked each to end, oldest first."""
        sql = "SELECT id, cancel_requested FROM jobs WHERE state = ? AND kind = ? ORDER BY created_at, id"
        rows = self._db.rows(sql, JobState.RUNNING, JobKind.PIPELINE)
        return tuple((row["id"], bool(row["cancel_requested"])) for row in rows)

    def ended(self, job_ids: Iterable[str]) -> tuple[str, ...]:
        """Those of these jobs that have ended."""
        ids = tuple(job_ids)
        marks = ", ".join("?" * len(ids))
        sql = f"SELECT id FROM jobs WHERE id IN ({marks}) AND state NOT IN (?, ?)"  # noqa: S608 - only marks
        return tuple(row["id"] for row in self._db.rows(sql, *ids, JobState.QUEUED, JobState.RUNNING))

    def put_steps(self, run_id: str, steps: Sequence[StepRun]) -> None:
        """Replace what is known of these steps of a run."""
        with self._db.write() as tx:
            for step in steps:
                tx.execute("UPDATE steps SET body = ? WHERE run_id = ? AND name = ?", encode(step), run_id, step.name)
            done = sum(step.state.final for step in Runs(tx).steps(run_id))
            tx.execute("UPDATE runs SET steps_done = ? WHERE id = ?", done, run_id)
            changed(tx)

    def steps(self, run_id: str) -> tuple[StepRun, ...]:
        """A run's steps, in order."""
        rows = self._db.rows("SELECT * FROM steps WHERE run_id = ? ORDER BY position", run_id)
        return tuple(decode(row["body"], StepRun, f"step '{row['name']}' of run '{run_id}'") for row in rows)

    def awaiting(self, job_id: str) -> str:
        """The job of the step, of a run that goes on, that waits for this training or gate; empty where none does."""
        sql = (
            "SELECT json_extract(s.body, '$.job_id') AS attempt FROM jobs r JOIN steps s ON s.run_id = r.id "
            "WHERE r.state = ? AND r.kind = ? AND json_extract(s.body, '$.started_job_id') = ?"
        )
        row = self._db.row(sql, JobState.RUNNING, JobKind.PIPELINE, job_id)
        return row["attempt"] if row else ""

    def cancel_steps(self, run_id: str, now: float, message: str) -> None:
        """Mark the steps that are still open as canceled: once a run has ended, nothing of it runs on."""
        still = [step for step in self.steps(run_id) if not step.state.final]
        if still:
            self.put_steps(
                run_id, [replace(step, state=StepState.CANCELED, ended_at=now, message=message) for step in still]
            )

    def note_artifacts(self, run_id: str, step: str, artifacts: Iterable[Artifact], *, made: bool) -> None:
        """Remember what a step of a run made, or used."""
        with self._db.write() as tx:
            for one in artifacts:
                tx.execute(
                    "INSERT OR IGNORE INTO artifacts VALUES (?, ?, ?, ?, ?)",
                    *(one.type, one.reference, run_id, step, int(made)),
                )

    def artifacts(self, run_id: str) -> tuple[RunArtifact, ...]:
        """What a run made or used, in the order in which its steps did."""
        rows = self._db.rows("SELECT * FROM artifacts WHERE run_id = ? ORDER BY rowid", run_id)
        return tuple(
            RunArtifact(Artifact(ValueType(row["type"]), row["reference"]), row["step"], bool(row["made"]))
            for row in rows
        )


def _summary(row: Row) -> RunSummary:
    what = f"run '{row['id']}'"
    return RunSummary(
        id=row["id"],
        pipeline=row["pipeline"],
        number=row["number"],
        version=row["version"],
        experiment_name=row["experiment_name"],
        state=member(JobState, row["state"], what),
        origin=member(RunOrigin, row["origin"], what),
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        schedule=row["schedule"],
        retry_of=row["retry_of"],
        message=row["message"],
        steps_done=row["steps_done"],
        steps_total=row["steps_total"],
        made=bool(row["made"]),
    )
