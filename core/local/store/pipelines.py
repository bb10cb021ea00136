"""Published pipelines, and the steps of their runs."""

from collections.abc import Sequence
from dataclasses import replace

from core.domain.errors import PipelineNotFound
from core.domain.job import JobState
from core.domain.pipeline import PipelineEndpoint, PipelineSpec, StepRun
from core.local.store.bodies import decode, encode
from core.local.store.db import Access, Row


class Pipelines:
    """Definitions by name and version, each with an id of its own."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def publish(self, pipeline_id: str, spec: PipelineSpec, now: float) -> str:
        """The id of the published definition: `pipeline_id`, or that of the newest version where it is the same."""
        with self._db.write() as tx:
            newest = tx.row("SELECT * FROM pipelines WHERE name = ? ORDER BY version DESC LIMIT 1", spec.name)
            if newest is not None and _spec(newest) == spec:
                return str(newest["id"])
            version = newest["version"] + 1 if newest is not None else 1
            values = (pipeline_id, spec.name, version, encode(spec), now)
            tx.execute("INSERT INTO pipelines VALUES (?, ?, ?, ?, 1, ?)", *values)
            return pipeline_id

    def list(self, trigger_root: str) -> tuple[PipelineEndpoint, ...]:
        """All of them, newest first; `trigger_root` is the address of the service's door."""
        return tuple(
            PipelineEndpoint(
                id=row["id"],
                name=row["name"],
                version=row["version"],
                spec=_spec(row),
                trigger_uri=f"{trigger_root}/pipelines/{row['id']}",
                enabled=bool(row["enabled"]),
                created_at=row["created_at"],
            )
            for row in self._db.rows("SELECT * FROM pipelines ORDER BY created_at DESC, version DESC")
        )

    def get(self, id_or_name: str, trigger_root: str = "") -> PipelineEndpoint:
        """By id, or the newest of a name. Raises PipelineNotFound."""
        known = self.list(trigger_root)
        for pipeline in known:
            if id_or_name in (pipeline.id, pipeline.name):
                return pipeline
        names = ", ".join(sorted({p.name for p in known})) or "none yet"
        raise PipelineNotFound(f"There is no pipeline '{id_or_name}'", hint=f"Published: {names}")


class Steps:
    """Where each run stands."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def add(self, run_id: str, steps: Sequence[StepRun]) -> None:
        """The steps of a new run, in order."""
        with self._db.write() as tx:
            for position, step in enumerate(steps):
                tx.execute("INSERT INTO steps VALUES (?, ?, ?, ?)", run_id, position, step.name, encode(step))

    def put(self, run_id: str, step: StepRun) -> None:
        """Replace what is known of a step."""
        with self._db.write() as tx:
            tx.execute("UPDATE steps SET body = ? WHERE run_id = ? AND name = ?", encode(step), run_id, step.name)

    def list(self, run_id: str) -> tuple[StepRun, ...]:
        """A run's steps, in order."""
        rows = self._db.rows("SELECT * FROM steps WHERE run_id = ? ORDER BY position", run_id)
        return tuple(decode(row["body"], StepRun, f"step '{row['name']}' of run '{run_id}'") for row in rows)

    def cancel(self, run_id: str, now: float, message: str) -> None:
        """Mark the steps that are still open as canceled: once a run has ended, nothing of it runs on."""
        with self._db.write() as tx:
            for step in Steps(tx).list(run_id):
                if not step.state.final:
                    canceled = replace(step, state=JobState.CANCELED, ended_at=now, message=message)
                    Steps(tx).put(run_id, canceled)


def _spec(row: Row) -> PipelineSpec:
    return decode(row["spec"], PipelineSpec, f"pipeline '{row['name']}', version {row['version']}")
