"""What steps have given: by the hash of all that they depended on, and by pipeline and name."""

from dataclasses import dataclass

from core.domain.run import StepRun, StepState
from core.local.store.bodies import decode
from core.local.store.db import Access, Row


@dataclass(frozen=True, slots=True)
class Done:
    """A step of an earlier run, and which run that was."""

    run_id: str
    pipeline: str
    number: int
    step: StepRun


_DONE = (
    "SELECT r.id AS run_id, r.pipeline, r.number, s.name, s.body FROM runs r JOIN steps s ON s.run_id = r.id "
    "WHERE json_extract(s.body, '$.state') = ?"
)


class KeptSteps:
    """One row a hash: the latest step that has given outputs under it."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def put(self, key: str, run_id: str, step: str, now: float) -> None:
        """Let a step's outputs stand for those of the steps that depend on the same."""
        with self._db.write() as tx:
            tx.execute("INSERT OR REPLACE INTO kept_steps VALUES (?, ?, ?, ?)", key, run_id, step, now)

    def get(self, key: str) -> Done | None:
        """The step that was kept under a hash."""
        kept = self._db.row("SELECT run_id, step FROM kept_steps WHERE key = ?", key)
        return None if kept is None else self.of_run(kept["run_id"], kept["step"])

    def of_run(self, run_id: str, step: str) -> Done | None:
        """A step of a run, where it has succeeded."""
        row = self._db.row(f"{_DONE} AND r.id = ? AND s.name = ?", StepState.SUCCEEDED, run_id, step)
        return None if row is None else _done(row)

    def last(self, pipeline: str, step: str, but: str) -> Done | None:
        """That step of the pipeline's most recent run, other than the run `but`, in which it has succeeded."""
        sql = f"{_DONE} AND r.pipeline = ? AND s.name = ? AND r.id <> ? ORDER BY r.number DESC LIMIT 1"
        row = self._db.row(sql, StepState.SUCCEEDED, pipeline, step, but)
        return None if row is None else _done(row)

    def forget(self, run_id: str, step: str = "") -> None:
        """A run's outputs, or those of one of its steps, can stand for no others any more."""
        with self._db.write() as tx:
            tx.execute("DELETE FROM kept_steps WHERE run_id = ? AND (step = ? OR ? = '')", run_id, step, step)


def _done(row: Row) -> Done:
    step = decode(row["body"], StepRun, f"step '{row['name']}' of run '{row['run_id']}'")
    return Done(row["run_id"], row["pipeline"], row["number"], step)
