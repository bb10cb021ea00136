"""Deployments, and what their gates have said."""

from collections.abc import Mapping

from core.domain.endpoint import Deployment, DeploymentSpec, DeploymentState, GateState
from core.domain.errors import Conflict, EndpointNotFound
from core.domain.job import JobState
from core.local.store.bodies import decode, encode, member
from core.local.store.db import Access, Row
from core.local.store.endpoint_rows import changeable, count_change, existing, percents, set_percents
from core.local.store.jobs import verdict

_WITH_GATES = (
    "SELECT d.*, j.state AS job_state, j.result AS job_result, v.result AS verdict FROM deployments d "
    "LEFT JOIN jobs j ON j.id = d.gate_job_id LEFT JOIN jobs v ON v.id = d.verdict_gate_id "
    "WHERE d.endpoint = ? ORDER BY d.created_at, d.name"
)
"""An endpoint's deployments with their latest gate and the last one that had a verdict."""

_GATE_WHILE: Mapping[str, GateState] = {
    JobState.QUEUED: GateState.QUEUED,
    JobState.RUNNING: GateState.RUNNING,
    JobState.FAILED: GateState.NO_VERDICT,
    JobState.CANCELED: GateState.NO_VERDICT,
}
_GATE_VERDICT: Mapping[bool | None, GateState] = {
    True: GateState.PASSED,
    False: GateState.FAILED,
    None: GateState.NO_VERDICT,
}


class Deployments:
    """Model versions behind endpoints, by endpoint and name."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def add(self, spec: DeploymentSpec, gate_job_id: str, now: float) -> bool:
        """Keep a deployment (`spec` has name and model version); whether it is new. One that is there stays as it is.

        Raises EndpointNotFound, Conflict for the name with another model and for an endpoint that is being deleted.
        """
        model = (spec.model, spec.model_version)
        with self._db.write() as tx:
            changeable(tx, spec.endpoint)
            known = tx.row("SELECT * FROM deployments WHERE endpoint = ? AND name = ?", spec.endpoint, spec.name)
            if known is not None:
                if (known["model"], known["model_version"]) == model:
                    return False
                raise Conflict(
                    f"Deployment '{spec.name}' of '{spec.endpoint}' serves {known['model']}:{known['model_version']}",
                    hint="Give the new deployment another name, or delete the old one",
                )
            tx.execute(
                "INSERT INTO deployments (endpoint, name, model, model_version, spec, state, gate_job_id, "
                "first_gate_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(spec.endpoint, spec.name, *model, encode(spec)),
                *(DeploymentState.STARTING, gate_job_id, gate_job_id, now),
            )
            count_change(tx, spec.endpoint)
        return True

    def get(self, endpoint: str, name: str) -> Deployment:
        """One deployment as it is now. Raises EndpointNotFound."""
        existing(self._db, endpoint)
        known = {deployment.name: deployment for deployment in self.list(endpoint)}
        if name not in known:
            raise missing(endpoint, name, tuple(known))
        return known[name]

    def list(self, endpoint: str) -> tuple[Deployment, ...]:
        """An endpoint's deployments, oldest first."""
        return tuple(map(_deployment, self._db.rows(_WITH_GATES, endpoint)))

    def spec(self, endpoint: str, name: str) -> DeploymentSpec:
        """What was asked for when the deployment was made. Raises EndpointNotFound."""
        self.get(endpoint, name)
        return _spec(self._db.rows("SELECT * FROM deployments WHERE endpoint = ? AND name = ?", endpoint, name)[0])

    def observe(self, endpoint: str, name: str, state: DeploymentState, error: str = "") -> None:
        """What the service saw when it looked."""
        with self._db.write() as tx:
            tx.execute(
                "UPDATE deployments SET state = ?, error = ? WHERE endpoint = ? AND name = ?",
                state,
                error,
                endpoint,
                name,
            )

    def drop(self, endpoint: str, name: str) -> None:
        """Forget a deployment. Raises EndpointNotFound, Conflict while it has traffic."""
        with self._db.write() as tx:
            Deployments(tx).get(endpoint, name)
            row = changeable(tx, endpoint)
            traffic, mirror = percents(row["traffic"]), percents(row["mirror"])
            if what := "traffic" if traffic.get(name) else "mirrored traffic" if mirror.get(name) else "":
                raise Conflict(
                    f"Deployment '{name}' of '{endpoint}' still has {what}", hint=f"Set its {what} to 0 first"
                )
            traffic.pop(name, None)
            mirror.pop(name, None)
            tx.execute("DELETE FROM deployments WHERE endpoint = ? AND name = ?", endpoint, name)
            set_percents(tx, endpoint, traffic, mirror)

    def drop_all(self, endpoint: str) -> None:
        """Forget all deployments of an endpoint that is gone."""
        with self._db.write() as tx:
            tx.execute("DELETE FROM deployments WHERE endpoint = ?", endpoint)

    def force(self, endpoint: str, name: str, by: str) -> None:
        """Record who answers for the traffic of a deployment whose gate has not passed."""
        with self._db.write() as tx:
            tx.execute("UPDATE deployments SET forced_by = ? WHERE endpoint = ? AND name = ?", by, endpoint, name)

    def prove_again(self, endpoint: str, name: str, gate_job_id: str) -> str:
        """Make another gate the latest; returns the id of the first, which tells a deployment from a later namesake.

        Until it has a verdict, the last one that has stands. Raises EndpointNotFound, Conflict.
        """
        with self._db.write() as tx:
            changeable(tx, endpoint)
            row = tx.row("SELECT first_gate_id FROM deployments WHERE endpoint = ? AND name = ?", endpoint, name)
            if row is None:
                raise EndpointNotFound(f"Endpoint '{endpoint}' has no deployment '{name}'")
            tx.execute(
                "UPDATE deployments SET gate_job_id = ? WHERE endpoint = ? AND name = ?", gate_job_id, endpoint, name
            )
        return str(row["first_gate_id"])

    def judge(self, endpoint: str, name: str, first_gate: str, gate_job_id: str) -> bool:
        """A gate's verdict replaces the one that stood; False where what was judged is gone, or its name another's."""
        judged = "UPDATE deployments SET verdict_gate_id = ? WHERE endpoint = ? AND name = ? AND first_gate_id = ?"
        with self._db.write() as tx:
            return tx.execute(judged, gate_job_id, endpoint, name, first_gate) > 0


def missing(endpoint: str, name: str, known: tuple[str, ...]) -> EndpointNotFound:
    """The error for a deployment that an endpoint does not have, with those that it has."""
    names = ", ".join(known) or "none"
    return EndpointNotFound(f"Endpoint '{endpoint}' has no deployment '{name}'", hint=f"It has: {names}")


def _spec(row: Row) -> DeploymentSpec:
    return decode(row["spec"], DeploymentSpec, _what(row))


def _deployment(row: Row) -> Deployment:
    spec = _spec(row)
    return Deployment(
        name=row["name"],
        endpoint=row["endpoint"],
        model=row["model"],
        model_version=row["model_version"],
        state=member(DeploymentState, row["state"], _what(row)),
        gate=_gate_state(row),
        created_at=row["created_at"],
        legacy_reply=spec.legacy_reply,
        primary_form=spec.primary_form,
        unseen_categories=spec.unseen_categories,
        error=row["error"],
        gate_job_id=row["gate_job_id"],
        forced_by=row["forced_by"],
        passed_before=verdict(row["verdict"] or "{}", _what(row)) is True,
    )


def _gate_state(row: Row) -> GateState:
    """Derived from the gate's job, hence never out of step with it."""
    if row["job_state"] is None:
        return GateState.NONE
    if row["job_state"] != JobState.SUCCEEDED:
        return _GATE_WHILE[row["job_state"]]
    return _GATE_VERDICT[verdict(row["job_result"], _what(row))]


def _what(row: Row) -> str:
    return f"deployment '{row['name']}' of endpoint '{row['endpoint']}'"
