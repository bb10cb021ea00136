"""Endpoints: limits, keys and traffic as they are wanted, and state and server as they were seen."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

from core.domain.endpoint import (
    Deployment,
    Endpoint,
    EndpointKeys,
    EndpointLimits,
    EndpointSpec,
    EndpointState,
    check_expected,
    check_limits,
)
from core.domain.errors import Conflict, EndpointNotFound, GateRefused, PortInUse, SpecInvalid
from core.local.machine.processes import Process
from core.local.store.bodies import decode, encode, member
from core.local.store.db import Access, Row, Transaction
from core.local.store.deployments import Deployments, missing
from core.local.store.drift_limits import DriftLimits
from core.local.store.endpoint_rows import changeable, count_change, existing, found, percents, set_percents
from core.local.store.facts import Audit

NOTHING: Mapping[str, Any] = {}


class Endpoints:
    """Endpoints by name. `version` counts every change that an endpoint's server must see."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def add(self, spec: EndpointSpec, port: int, keys: EndpointKeys, now: float) -> None:
        """Keep a new endpoint. Raises Conflict when the name exists, PortInUse when another endpoint holds the port."""
        with self._db.write() as tx:
            if found(tx, spec.name) is not None:
                raise Conflict(f"There is an endpoint '{spec.name}' already", hint="Choose another name, or use it")
            if holder := tx.row("SELECT name FROM endpoints WHERE port = ?", port):
                raise PortInUse(f"Port {port} belongs to endpoint '{holder['name']}'", hint="Choose another port, or 0")
            tx.execute(
                "INSERT INTO endpoints (name, port, description, limits, primary_key, secondary_key, created_at, "
                "state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                *(spec.name, port, spec.description, encode(spec.limits)),
                *(keys.primary, keys.secondary, now, EndpointState.CREATING),
            )

    def exists(self, name: str) -> bool:
        """Whether there is an endpoint of that name. Raises Conflict while it is being deleted."""
        return found(self._db, name) is not None

    def get(self, name: str) -> Endpoint:
        """The endpoint as it is now. Raises EndpointNotFound."""
        return self._endpoint(existing(self._db, name))

    def list(self) -> tuple[Endpoint, ...]:
        """All of them, newest first."""
        return tuple(map(self._endpoint, self._db.rows("SELECT * FROM endpoints ORDER BY created_at DESC")))

    def _endpoint(self, row: Row) -> Endpoint:
        root = f"http://127.0.0.1:{row['port']}"
        return Endpoint(
            name=row["name"],
            state=member(EndpointState, row["state"], _what(row)),
            scoring_uri=f"{root}/score",
            swagger_uri=f"{root}/swagger.json",
            docs_uri=f"{root}/docs",
            metrics_uri=f"{root}/metrics",
            traffic=percents(row["traffic"]),
            mirror=percents(row["mirror"]),
            deployments=Deployments(self._db).list(row["name"]),
            limits=_limits(row),
            created_at=row["created_at"],
            description=row["description"],
            error=row["error"],
            restarts=row["restarts"],
            settled=row["served_version"] >= row["version"],
        )

    def version(self, name: str) -> int:
        """How many changes its server must have seen; 0 for an unknown endpoint."""
        row = self._db.row("SELECT version FROM endpoints WHERE name = ?", name)
        return row["version"] if row else 0

    def change_limits(self, name: str, changes: Mapping[str, Any], expected: Mapping[str, Any] = NOTHING) -> None:
        """Change what is named, and nothing that somebody else changes now.

        Raises EndpointNotFound, SpecInvalid, StateChanged where a limit is not as `expected`.
        """
        with self._db.write() as tx:
            now = _limits(changeable(tx, name))
            check_limits(name, now, expected)
            limits = now.changed(changes)
            tx.execute("UPDATE endpoints SET limits = ? WHERE name = ?", encode(limits), name)
            count_change(tx, name)

    def keys(self, name: str) -> EndpointKeys:
        """Both keys. Raises EndpointNotFound."""
        row = existing(self._db, name)
        return EndpointKeys(row["primary_key"], row["secondary_key"])

    def set_key(self, name: str, which: str, key: str) -> EndpointKeys:
        """Replace the `primary` or the `secondary` key and leave the other alone; both as they are then."""
        replaced = {
            "primary": "UPDATE endpoints SET primary_key = ? WHERE name = ?",
            "secondary": "UPDATE endpoints SET secondary_key = ? WHERE name = ?",
        }[which]
        with self._db.write() as tx:
            changeable(tx, name)
            tx.execute(replaced, key, name)
            count_change(tx, name)
        return self.keys(name)

    def set_traffic(
        self,
        name: str,
        traffic: Mapping[str, int],
        mirror: Mapping[str, int] | None,
        now: float,
        forced_by: str,
        expected: Mapping[str, int] | None = None,
    ) -> None:
        """Replace the maps.

        Raises GateRefused where a gate has not passed, unless `forced_by` somebody,
        and StateChanged where the traffic is not as `expected`.
        """
        with self._db.write() as tx:
            seen = percents(changeable(tx, name)["traffic"])
            if expected is not None:
                check_expected(name, seen, expected)
            known = {deployment.name: deployment for deployment in Deployments(tx).list(name)}
            for deployment in (*traffic, *(mirror or {})):
                if deployment not in known:
                    raise missing(name, deployment, tuple(known))
            for unproven in (known[d] for d, percent in traffic.items() if percent > 0 and not known[d].proven):
                _allow_forced(tx, unproven, forced_by, now)
            set_percents(tx, name, traffic, mirror)

    def begin_traffic(self, name: str, deployment: str) -> None:
        """Give a deployment 100 % where the map is empty, since nobody has given or taken any yet."""
        with self._db.write() as tx:
            if not percents(existing(tx, name)["traffic"]):
                set_percents(tx, name, {deployment: 100})

    def observe(
        self, name: str, state: EndpointState, *, error: str = "", process: Process | None = None, restarts: int = 0
    ) -> None:
        """What the service saw when it looked; no news for the server, hence no new version."""
        pid, started = (process.pid, process.started) if process else (None, None)
        with self._db.write() as tx:
            tx.execute(
                "UPDATE endpoints SET state = ?, error = ?, pid = ?, pid_started = ?, restarts = ? "
                "WHERE name = ? AND state != ?",
                *(state, error, pid, started, restarts, name, EndpointState.DELETING),
            )

    def observe_version(self, name: str, version: int) -> None:
        """The server has taken up every change up to this version."""
        with self._db.write() as tx:
            tx.execute("UPDATE endpoints SET served_version = ? WHERE name = ?", version, name)

    def server(self, name: str) -> Process | None:
        """The scoring server that was started for an endpoint last, dead or alive."""
        row = self._db.row("SELECT pid, pid_started FROM endpoints WHERE name = ? AND pid IS NOT NULL", name)
        return Process(row["pid"], row["pid_started"]) if row else None

    def mark_deleting(self, name: str) -> None:
        """The service stops the server and then calls `drop`. Raises EndpointNotFound."""
        deleting = "UPDATE endpoints SET state = ?, version = version + 1 WHERE name = ?"
        with self._db.write() as tx:
            if tx.execute(deleting, EndpointState.DELETING, name) == 0:
                raise EndpointNotFound(f"There is no endpoint '{name}'")

    def drop(self, name: str) -> None:
        """Forget an endpoint that is marked for it, with its deployments; any other is left alone."""
        with self._db.write() as tx:
            if tx.execute("DELETE FROM endpoints WHERE name = ? AND state = ?", name, EndpointState.DELETING):
                Deployments(tx).drop_all(name)
                DriftLimits(tx).drop(name)


def _allow_forced(tx: Transaction, deployment: Deployment, forced_by: str, now: float) -> None:
    where = f"'{deployment.name}' of '{deployment.endpoint}'"
    if not forced_by:
        raise GateRefused(
            f"The gate of deployment {where} has not passed ({deployment.gate.replace('_', ' ')})",
            hint="See its report on the Quality page; traffic can be forced by name, which is recorded",
        )
    Audit(tx).add(now, forced_by, f"forced traffic to deployment {where}")
    Deployments(tx).force(deployment.endpoint, deployment.name, forced_by)


def _limits(row: Row) -> EndpointLimits:
    """The limits as they are kept; the default for each that an earlier release let pass and that makes no sense."""
    kept = decode(row["limits"], EndpointLimits, f"the limits of {_what(row)}")
    try:
        return replace(kept)  # runs the checks
    except SpecInvalid:
        limits = EndpointLimits()
        for limit in fields(kept):
            with suppress(SpecInvalid):
                limits = limits.changed({limit.name: getattr(kept, limit.name)})
        return limits


def _what(row: Row) -> str:
    return f"endpoint '{row['name']}'"
