"""Registered models."""

from dataclasses import replace

from core.domain.errors import ModelNotFound
from core.domain.model import Model
from core.local.store.bodies import decode, encode
from core.local.store.db import Access, Row


class Models:
    """Models by name and version."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def add(self, model: Model) -> Model:
        """Keep a model under the next version of its name; the same trial under that name gives the same version."""
        with self._db.write() as tx:
            same = Models(tx).of_trial(model.name, model.job_id, model.trial)
            if same is not None:
                return same
            newest = tx.rows("SELECT coalesce(max(version), 0) AS version FROM models WHERE name = ?", model.name)
            model = replace(model, version=newest[0]["version"] + 1)
            values = (model.name, model.version, model.job_id, model.trial, encode(model), model.created_at)
            tx.execute("INSERT INTO models VALUES (?, ?, ?, ?, ?, ?)", *values)
            return model

    def of_trial(self, name: str, job_id: str, trial: int) -> Model | None:
        """What was registered under a name from one trial of a job."""
        found = "SELECT * FROM models WHERE name = ? AND job_id = ? AND trial = ?"
        row = self._db.row(found, name, job_id, trial)
        return None if row is None else _model(row)

    def get(self, name: str, version: int = 0) -> Model:
        """One version, 0 for the newest. Raises ModelNotFound."""
        newest = "SELECT * FROM models WHERE name = ? AND (version = ? OR ? = 0) ORDER BY version DESC LIMIT 1"
        row = self._db.row(newest, name, version, version)
        if row is None:
            known = self._db.rows("SELECT DISTINCT name FROM models ORDER BY name")
            names = ", ".join(known["name"] for known in known) or "none yet"
            raise ModelNotFound(f"There is no model '{name}:{version or 'latest'}'", hint=f"Registered: {names}")
        return _model(row)

    def list(self, job_id: str = "") -> tuple[Model, ...]:
        """All versions, or those of one job, newest first."""
        of_job, every = "SELECT * FROM models WHERE job_id = ? ", "SELECT * FROM models "
        newest_first = "ORDER BY created_at DESC, version DESC"
        if job_id:
            return tuple(map(_model, self._db.rows(of_job + newest_first, job_id)))
        return tuple(map(_model, self._db.rows(every + newest_first)))


def _model(row: Row) -> Model:
    return decode(row["body"], Model, f"model '{row['name']}:{row['version']}'")
