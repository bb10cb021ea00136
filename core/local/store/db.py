"""The workspace's facts and wishes in SQLite: the only SQL in Slipway, with `schema`.

Every method is one transaction. Values go in and come out as domain values; files are never touched here, and whoever
names a file in a row has fsynced it before.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from core.domain.data import DataAsset, DataRef
from core.domain.endpoint import (
    Deployment,
    DeploymentSpec,
    DeploymentState,
    Endpoint,
    EndpointKeys,
    EndpointLimits,
    EndpointSpec,
    EndpointState,
    GateState,
)
from core.domain.errors import (
    Conflict,
    DataNotFound,
    EndpointNotFound,
    GateRefused,
    JobNotFound,
    JobStateInvalid,
    ModelNotFound,
    PipelineNotFound,
    PortInUse,
    ServiceUnavailable,
    SpecInvalid,
    StorageDenied,
    StorageFull,
)
from core.domain.job import Job, JobKind, JobState, move
from core.domain.model import Model
from core.domain.pipeline import PipelineEndpoint, PipelineSpec, StepRun
from core.domain.proof import GateReport, LoadReport
from core.domain.training import Compute, Trial, TrialState
from core.local.machine.durable import denied, storage_error
from core.local.store.schema import connect, migrate

T = TypeVar("T")
SQLITE_FULL = 13
SQLITE_BUSY = 5
SQLITE_UNUSABLE = (3, 8, 10, 11, 14, 26)
"""Result codes, https://sqlite.org/rescode.html."""


@dataclass(frozen=True, slots=True)
class Process:
    """A child of the service; `started` (s after boot, the kernel's word) tells it from a later owner of its pid."""

    pid: int
    started: float


class Store:
    """One workspace's store. Threads each get a connection of their own; processes meet in SQLite's locks."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
        except OSError as e:
            full = storage_error(e, "open the workspace")
            raise full if isinstance(full, StorageFull) else denied(e, "open the workspace") from e
        self._path = path
        self._local = threading.local()
        with _sqlite_errors():
            migrate(self._connection)

    @property
    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect(self._path)
        return connection

    def close(self) -> None:
        """Close this thread's connection."""
        if (connection := getattr(self._local, "connection", None)) is not None:
            connection.close()
            self._local.connection = None

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        with _sqlite_errors():
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _read(self, sql: str, *parameters: Any) -> list[sqlite3.Row]:
        with _sqlite_errors():
            return self._connection.execute(sql, parameters).fetchall()

    # Facts

    def fact(self, key: str) -> str:
        """A remembered value, or the empty string."""
        rows = self._read("SELECT value FROM facts WHERE key = ?", key)
        return str(rows[0]["value"]) if rows else ""

    def set_fact(self, key: str, value: str) -> None:
        with self._write() as db:
            db.execute("INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (key, value))

    def settle_fact(self, key: str, value: str) -> str:
        """The remembered value; `value`, remembered from now on, where there was none."""
        with self._write() as db:
            db.execute("INSERT INTO facts VALUES (?, ?) ON CONFLICT DO NOTHING", (key, value))
        return self.fact(key)

    def record(self, at: float, who: str, what: str) -> None:
        """One line of the audit trail."""
        with self._write() as db:
            db.execute("INSERT INTO audit VALUES (?, ?, ?)", (at, who, what))

    def audit(self, limit: int = 100) -> tuple[tuple[float, str, str], ...]:
        rows = self._read("SELECT * FROM audit ORDER BY at DESC LIMIT ?", limit)
        return tuple((row["at"], row["who"], row["what"]) for row in rows)

    # Data

    def add_data(self, asset: DataAsset) -> DataAsset:
        """Keep an asset under the next version of its name; the same table gives the version that exists."""
        with self._write() as db:
            # The column holds what the table is: its bytes' SHA-256, and another where more was done to them.
            known = (asset.name, asset.content_id)
            same = db.execute("SELECT body FROM data WHERE name = ? AND sha256 = ?", known)
            if (row := same.fetchone()) is not None:
                return _decode(row["body"], DataAsset)
            version = _next(db, "SELECT max(version) FROM data WHERE name = ?", asset.name)
            asset = replace(asset, version=version)
            values = (asset.name, version, asset.content_id, _encode(asset), asset.created_at)
            db.execute("INSERT INTO data VALUES (?, ?, ?, ?, ?)", values)
            return asset

    def data(self, ref: DataRef) -> DataAsset:
        """One version, 0 for the newest. Raises DataNotFound."""
        rows = self._read(
            "SELECT body FROM data WHERE name = ? AND (version = ? OR ? = 0) ORDER BY version DESC LIMIT 1",
            ref.name,
            ref.version,
            ref.version,
        )
        if not rows:
            names = ", ".join(sorted({a.name for a in self.list_data()})) or "none yet"
            raise DataNotFound(f"There is no data asset '{ref}'", hint=f"Registered: {names}")
        return _decode(rows[0]["body"], DataAsset)

    def list_data(self) -> tuple[DataAsset, ...]:
        rows = self._read("SELECT body FROM data ORDER BY created_at DESC, version DESC")
        return tuple(_decode(row["body"], DataAsset) for row in rows)

    # Computes

    def put_compute(self, compute: Compute) -> None:
        with self._write() as db:
            db.execute(
                "INSERT INTO computes VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
                (compute.name, _encode(compute)),
            )

    def settle_compute(self, compute: Compute) -> None:
        """Create a compute where there is none of its name; one that somebody has made stays as it is."""
        with self._write() as db:
            db.execute("INSERT INTO computes VALUES (?, ?) ON CONFLICT DO NOTHING", (compute.name, _encode(compute)))

    def computes(self) -> tuple[Compute, ...]:
        rows = self._read("SELECT body FROM computes ORDER BY name")
        return tuple(_decode(row["body"], Compute) for row in rows)

    # Jobs

    def add_job(self, job: Job) -> Job:
        with self._write() as db:
            _insert_job(db, job)
        return job

    def job(self, job_id: str) -> Job:
        """Raises JobNotFound."""
        rows = self._read("SELECT * FROM jobs WHERE id = ?", job_id)
        if not rows:
            raise JobNotFound(f"There is no job '{job_id}'", hint="`job list` shows them")
        return _job(rows[0])

    def list_jobs(
        self,
        kind: JobKind | None = None,
        limit: int = 100,
        *,
        endpoint: str = "",
        experiment_name: str = "",
        data: DataRef | None = None,
        pipeline: str = "",
    ) -> tuple[Job, ...]:
        """Newest first, at most `limit` of those that every given filter lets through; 0 for all of them."""
        named = "" if data is None else data.name
        version = 0 if data is None else data.version
        wanted: tuple[tuple[object, str, tuple[Any, ...]], ...] = (
            (kind, "kind = ?", (kind,)),
            (endpoint, "json_extract(spec, '$.endpoint') = ?", (endpoint,)),
            (experiment_name, "experiment_name = ?", (experiment_name,)),
            (data, _READS, (named, version, named, version)),
            (pipeline, "? IN (json_extract(spec, '$.pipeline_id'), json_extract(spec, '$.pipeline'))", (pipeline,)),
        )
        given = [(condition, values) for asked, condition, values in wanted if asked]
        where = " AND ".join(("1", *(condition for condition, _ in given)))
        sql = f"SELECT * FROM jobs WHERE {where} ORDER BY created_at DESC, id DESC LIMIT ?"  # noqa: S608 - own words
        return tuple(_job(row) for row in self._read(sql, *(v for _, values in given for v in values), limit or -1))

    def jobs_in(self, *states: JobState) -> tuple[Job, ...]:
        """All jobs in these states, oldest first."""
        marks = ", ".join("?" * len(states))
        rows = self._read(f"SELECT * FROM jobs WHERE state IN ({marks}) ORDER BY created_at, id", *states)  # noqa: S608 - only question marks
        return tuple(_job(row) for row in rows)

    def children(self, job_id: str) -> tuple[Job, ...]:
        """The jobs that a job has submitted, oldest first."""
        rows = self._read("SELECT * FROM jobs WHERE parent_id = ? ORDER BY created_at, id", job_id)
        return tuple(_job(row) for row in rows)

    def start_attempt(self, job_id: str, now: float) -> Job:
        """Mark a queued job running, or count another attempt of a running one whose worker died.

        The worker's process is named by `set_worker` once it exists. Raises JobStateInvalid for a final job.
        """
        with self._write() as db:
            job = _job_in(db, job_id)
            if job.state is not JobState.RUNNING:
                move(job.state, JobState.RUNNING)
            db.execute(
                "UPDATE jobs SET state = ?, attempt = attempt + 1, started_at = coalesce(started_at, ?), "
                "pid = NULL, pid_started = NULL WHERE id = ?",
                (JobState.RUNNING, now, job_id),
            )
        return self.job(job_id)

    def set_worker(self, job_id: str, process: Process) -> None:
        with self._write() as db:
            db.execute("UPDATE jobs SET pid = ?, pid_started = ? WHERE id = ?", (process.pid, process.started, job_id))

    def worker(self, job_id: str) -> Process | None:
        """The process that was started for a job last, dead or alive."""
        rows = self._read("SELECT pid, pid_started FROM jobs WHERE id = ? AND pid IS NOT NULL", job_id)
        return Process(rows[0]["pid"], rows[0]["pid_started"]) if rows else None

    def request_cancel(self, job_id: str, now: float) -> Job:
        """A queued job is canceled at once, a running one and its children are asked to end; a final one stays."""
        with self._write() as db:
            job = _job_in(db, job_id)
            if not job.state.final:
                _cancel(db, job, now)
                for row in db.execute("SELECT * FROM jobs WHERE parent_id = ?", (job_id,)).fetchall():
                    if not (child := _job(row)).state.final:
                        _cancel(db, child, now)
        return self.job(job_id)

    def end_job(
        self,
        job_id: str,
        state: JobState,
        now: float,
        *,
        message: str = "",
        hint: str = "",
        result: Mapping[str, Any] | None = None,
    ) -> Job:
        """Give a job its final state and what it leaves. Raises JobStateInvalid when it has one."""
        with self._write() as db:
            _end(db, job_id, state, now, message, hint, result or {})
        return self.job(job_id)

    # Trials

    def put_trial(self, job_id: str, trial: Trial) -> None:
        """Insert a trial or replace what was known of it."""
        with self._write() as db:
            db.execute(
                "INSERT INTO trials VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
                (job_id, trial.number, _encode(trial)),
            )

    def trials(self, job_id: str) -> tuple[Trial, ...]:
        rows = self._read("SELECT body FROM trials WHERE job_id = ? ORDER BY number", job_id)
        return tuple(_decode(row["body"], Trial) for row in rows)

    # Models

    def add_model(self, model: Model) -> Model:
        """Keep a model under the next version of its name; the same job under the same name gives the same version."""
        with self._write() as db:
            same = db.execute("SELECT body FROM models WHERE name = ? AND job_id = ?", (model.name, model.job_id))
            if (row := same.fetchone()) is not None:
                return _decode(row["body"], Model)
            version = _next(db, "SELECT max(version) FROM models WHERE name = ?", model.name)
            model = replace(model, version=version)
            values = (model.name, version, model.job_id, _encode(model), model.created_at)
            db.execute("INSERT INTO models VALUES (?, ?, ?, ?, ?)", values)
            return model

    def model(self, name: str, version: int = 0) -> Model:
        """One version, 0 for the newest. Raises ModelNotFound."""
        rows = self._read(
            "SELECT body FROM models WHERE name = ? AND (version = ? OR ? = 0) ORDER BY version DESC LIMIT 1",
            name,
            version,
            version,
        )
        if not rows:
            names = ", ".join(sorted({m.name for m in self.list_models()})) or "none yet"
            raise ModelNotFound(f"There is no model '{name}:{version or 'latest'}'", hint=f"Registered: {names}")
        return _decode(rows[0]["body"], Model)

    def list_models(self) -> tuple[Model, ...]:
        rows = self._read("SELECT body FROM models ORDER BY created_at DESC, version DESC")
        return tuple(_decode(row["body"], Model) for row in rows)

    # Endpoints

    def add_endpoint(self, spec: EndpointSpec, port: int, keys: EndpointKeys, now: float) -> None:
        """Raises Conflict when the name exists, PortInUse when another endpoint holds the port."""
        with self._write() as db:
            if _find_endpoint(db, spec.name) is not None:
                raise Conflict(f"There is an endpoint '{spec.name}' already", hint="Choose another name, or use it")
            _insert_endpoint(db, spec, port, keys, now)

    def endpoint(self, name: str) -> Endpoint:
        """Raises EndpointNotFound."""
        rows = self._read("SELECT * FROM endpoints WHERE name = ?", name)
        if not rows:
            names = ", ".join(e.name for e in self.list_endpoints()) or "none yet"
            raise EndpointNotFound(f"There is no endpoint '{name}'", hint=f"Endpoints: {names}")
        return self._endpoint(rows[0])

    def list_endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(self._endpoint(row) for row in self._read("SELECT * FROM endpoints ORDER BY created_at DESC"))

    def _endpoint(self, row: sqlite3.Row) -> Endpoint:
        deployments = self._read(
            f"{_DEPLOYMENTS} WHERE d.endpoint = ? ORDER BY d.created_at, d.name",
            row["name"],
        )
        root = f"http://127.0.0.1:{row['port']}"
        return Endpoint(
            name=row["name"],
            state=EndpointState(row["state"]),
            scoring_uri=f"{root}/score",
            swagger_uri=f"{root}/swagger.json",
            port=row["port"],
            traffic=_decode(row["traffic"], dict[str, int]),
            mirror=_decode(row["mirror"], dict[str, int]),
            deployments=tuple(_deployment(d) for d in deployments),
            limits=_limits(row["limits"]),
            created_at=row["created_at"],
            description=row["description"],
            error=row["error"],
            restarts=row["restarts"],
            settled=row["served_version"] >= row["version"],
        )

    def endpoint_version(self, name: str) -> int:
        """Counts every change that the server must see; 0 for an unknown endpoint."""
        rows = self._read("SELECT version FROM endpoints WHERE name = ?", name)
        return rows[0]["version"] if rows else 0

    def change_limits(self, name: str, changes: Mapping[str, Any]) -> None:
        """Change what is named, and nothing that somebody else changes now. Raises EndpointNotFound, SpecInvalid."""
        with self._write() as db:
            limits = _limits(_endpoint_row(db, name)["limits"]).changed(changes)
            db.execute("UPDATE endpoints SET limits = ?, version = version + 1 WHERE name = ?", (_encode(limits), name))

    def keys(self, name: str) -> EndpointKeys:
        """Raises EndpointNotFound."""
        self.endpoint(name)
        row = self._read("SELECT primary_key, secondary_key FROM endpoints WHERE name = ?", name)[0]
        return EndpointKeys(row["primary_key"], row["secondary_key"])

    def set_key(self, name: str, which: str, key: str) -> EndpointKeys:
        """Replace the `primary` or the `secondary` key, and nothing of the other; both as they are then."""
        column = {"primary": "primary_key", "secondary": "secondary_key"}[which]
        self._change_endpoint(name, f"{column} = ?", key)
        return self.keys(name)

    def _change_endpoint(self, name: str, assignments: str, *values: Any) -> None:
        """`assignments` are this module's own words, never a caller's. Raises EndpointNotFound, Conflict."""
        with self._write() as db:
            _endpoint_row(db, name)
            db.execute(
                f"UPDATE endpoints SET {assignments}, version = version + 1 WHERE name = ?",  # noqa: S608 - own words
                (*values, name),
            )

    def observe_endpoint(
        self, name: str, state: EndpointState, *, error: str = "", process: Process | None = None, restarts: int = 0
    ) -> None:
        """What the service saw when it looked; no news for the server, hence no new version."""
        with self._write() as db:
            db.execute(
                "UPDATE endpoints SET state = ?, error = ?, pid = ?, pid_started = ?, restarts = ? "
                "WHERE name = ? AND state != ?",
                (
                    state,
                    error,
                    process.pid if process else None,
                    process.started if process else None,
                    restarts,
                    name,
                    EndpointState.DELETING,
                ),
            )

    def observe_version(self, name: str, version: int) -> None:
        """The server has taken up this version of the endpoint's wishes."""
        with self._write() as db:
            db.execute("UPDATE endpoints SET served_version = ? WHERE name = ?", (version, name))

    def server(self, name: str) -> Process | None:
        """The scoring server that was started for an endpoint last, dead or alive."""
        rows = self._read("SELECT pid, pid_started FROM endpoints WHERE name = ? AND pid IS NOT NULL", name)
        return Process(rows[0]["pid"], rows[0]["pid_started"]) if rows else None

    def mark_endpoint_deleting(self, name: str) -> None:
        """The service stops the server and then calls `drop_endpoint`. Raises EndpointNotFound."""
        with self._write() as db:
            deleting = "UPDATE endpoints SET state = ?, version = version + 1 WHERE name = ?"
            if db.execute(deleting, (EndpointState.DELETING, name)).rowcount == 0:
                raise EndpointNotFound(f"There is no endpoint '{name}'")

    def drop_endpoint(self, name: str) -> None:
        """Forget an endpoint that is marked for it, with its deployments; any other is left alone."""
        with self._write() as db:
            gone = db.execute("DELETE FROM endpoints WHERE name = ? AND state = ?", (name, EndpointState.DELETING))
            if gone.rowcount:
                db.execute("DELETE FROM deployments WHERE endpoint = ?", (name,))

    # Deployments and traffic

    def add_deployment(
        self, spec: DeploymentSpec, gate: Job, now: float, *, create: tuple[EndpointSpec, int, EndpointKeys] | None
    ) -> Deployment:
        """Create a deployment (`spec` has name and model version) and queue its gate; with `create`, the endpoint too.

        The same name and model again give what is there. Raises Conflict for the name with another model and for an
        endpoint that is being deleted, EndpointNotFound for one that is not there and is not to be created.
        """
        with self._write() as db:
            if _find_endpoint(db, spec.endpoint) is None and create:
                _insert_endpoint(db, *create, now)
            _endpoint_row(db, spec.endpoint)
            known = db.execute(
                "SELECT * FROM deployments WHERE endpoint = ? AND name = ?", (spec.endpoint, spec.name)
            ).fetchone()
            if known is None:
                values = (spec.endpoint, spec.name, spec.model, spec.model_version, _encode(spec))
                db.execute(
                    "INSERT INTO deployments (endpoint, name, model, model_version, spec, state, gate_job_id, "
                    "first_gate_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (*values, DeploymentState.STARTING, gate.id, gate.id, now),
                )
                db.execute("UPDATE endpoints SET version = version + 1 WHERE name = ?", (spec.endpoint,))
                _insert_job(db, gate)
            elif (known["model"], known["model_version"]) != (spec.model, spec.model_version):
                raise Conflict(
                    f"Deployment '{spec.name}' of '{spec.endpoint}' serves {known['model']}:{known['model_version']}",
                    hint="Give the new deployment another name, or delete the old one",
                )
        return self.deployment(spec.endpoint, spec.name)

    def deployment(self, endpoint: str, name: str) -> Deployment:
        """Raises EndpointNotFound."""
        known = self.endpoint(endpoint).deployments
        for deployment in known:
            if deployment.name == name:
                return deployment
        names = ", ".join(d.name for d in known) or "none"
        raise EndpointNotFound(f"Endpoint '{endpoint}' has no deployment '{name}'", hint=f"It has: {names}")

    def deployment_spec(self, endpoint: str, name: str) -> DeploymentSpec:
        """What was asked for when the deployment was made. Raises EndpointNotFound."""
        self.deployment(endpoint, name)
        rows = self._read("SELECT spec FROM deployments WHERE endpoint = ? AND name = ?", endpoint, name)
        return _decode(rows[0]["spec"], DeploymentSpec)

    def observe_deployment(self, endpoint: str, name: str, state: DeploymentState, error: str = "") -> None:
        with self._write() as db:
            db.execute(
                "UPDATE deployments SET state = ?, error = ? WHERE endpoint = ? AND name = ?",
                (state, error, endpoint, name),
            )

    def drop_deployment(self, endpoint: str, name: str) -> None:
        """Raises EndpointNotFound, Conflict when it has traffic."""
        self.deployment(endpoint, name)
        with self._write() as db:
            row = _endpoint_row(db, endpoint)
            traffic, mirror = _decode(row["traffic"], dict[str, int]), _decode(row["mirror"], dict[str, int])
            if what := "traffic" if traffic.get(name) else "mirrored traffic" if mirror.get(name) else "":
                raise Conflict(
                    f"Deployment '{name}' of '{endpoint}' still has {what}", hint=f"Set its {what} to 0 first"
                )
            traffic.pop(name, None)
            mirror.pop(name, None)
            db.execute("DELETE FROM deployments WHERE endpoint = ? AND name = ?", (endpoint, name))
            _set_maps(db, endpoint, traffic, mirror)

    def set_traffic(
        self, endpoint: str, traffic: Mapping[str, int], mirror: Mapping[str, int] | None, now: float, forced_by: str
    ) -> None:
        """Replace the maps. Raises GateRefused where a gate has not passed, unless `forced_by` somebody."""
        with self._write() as db:
            row = _endpoint_row(db, endpoint)
            known = {d["name"]: _deployment(d) for d in db.execute(f"{_DEPLOYMENTS} WHERE d.endpoint = ?", (endpoint,))}
            for name in (*traffic, *(mirror or {})):
                if name not in known:
                    names = ", ".join(known) or "none"
                    raise EndpointNotFound(f"Endpoint '{endpoint}' has no deployment '{name}'", hint=f"It has: {names}")
            for name in (n for n, percent in traffic.items() if percent > 0 and not known[n].proven):
                _allow_forced(db, known[name], forced_by, now)
            _set_maps(db, endpoint, traffic, _decode(row["mirror"], dict[str, int]) if mirror is None else mirror)

    def set_gate_job(self, endpoint: str, deployment: str, gate: Job) -> Job:
        """Queue another gate for a deployment. Until it has a verdict, the last one that has stands.

        Raises EndpointNotFound, Conflict while the endpoint is being deleted.
        """
        with self._write() as db:
            _endpoint_row(db, endpoint)
            row = _deployment_row(db, endpoint, deployment)
            if row is None:
                raise EndpointNotFound(f"Endpoint '{endpoint}' has no deployment '{deployment}'")
            gate = replace(gate, spec={**gate.spec, _FIRST_GATE: row["first_gate_id"]})
            _insert_job(db, gate)
            db.execute(
                "UPDATE deployments SET gate_job_id = ? WHERE endpoint = ? AND name = ?",
                (gate.id, endpoint, deployment),
            )
        return gate

    # Proof

    def end_gate(self, job_id: str, report: GateReport, now: float) -> None:
        """Keep the report and end its job; a verdict replaces the one that stood.

        The gate that came with a deployment gives it 100 % where it passed and the endpoint's traffic map is empty:
        nobody has given or taken any yet. A gate that was asked for later never changes traffic.
        """
        verdict = True if report.passed else False if report.failed else None
        with self._write() as db:
            first_gate = _job_in(db, job_id).spec.get(_FIRST_GATE) or job_id
            _end(db, job_id, JobState.SUCCEEDED, now, "", "", {"passed": verdict, "report_id": report.id})
            values = (report.id, report.endpoint, report.deployment, _encode(report), report.created_at)
            db.execute("INSERT INTO gate_reports VALUES (?, ?, ?, ?, ?)", values)
            row = _deployment_row(db, report.endpoint, report.deployment)
            if verdict is None or row is None or row["first_gate_id"] != first_gate:
                return  # nothing is judged, or what was judged is gone and its name another's now
            db.execute(
                "UPDATE deployments SET verdict_gate_id = ? WHERE endpoint = ? AND name = ?",
                (job_id, report.endpoint, report.deployment),
            )
            traffic = db.execute("SELECT traffic FROM endpoints WHERE name = ?", (report.endpoint,)).fetchone()
            if verdict and job_id == first_gate and not _decode(traffic["traffic"], dict[str, int]):
                _set_maps(db, report.endpoint, {report.deployment: 100}, None)

    def gate_reports(self, endpoint: str = "", deployment: str = "", limit: int = 50) -> tuple[GateReport, ...]:
        rows = self._read(
            "SELECT body FROM gate_reports WHERE (endpoint = ? OR ? = '') AND (deployment = ? OR ? = '') "
            "ORDER BY created_at DESC LIMIT ?",
            endpoint,
            endpoint,
            deployment,
            deployment,
            limit,
        )
        return tuple(_decode(row["body"], GateReport) for row in rows)

    def add_load_report(self, report: LoadReport) -> None:
        """Keep a report; one with its id is replaced."""
        values = (report.id, _encode(report), report.created_at, report.endpoint)
        with self._write() as db:
            db.execute("INSERT OR REPLACE INTO load_reports VALUES (?, ?, ?, ?)", values)

    def load_reports(self, limit: int = 50, *, endpoint: str = "") -> tuple[LoadReport, ...]:
        """Newest first, of one endpoint or of all."""
        of_one = "SELECT body FROM load_reports WHERE endpoint = ? ORDER BY created_at DESC LIMIT ?"
        of_all = "SELECT body FROM load_reports ORDER BY created_at DESC LIMIT ?"
        rows = self._read(of_one, endpoint, limit) if endpoint else self._read(of_all, limit)
        return tuple(_decode(row["body"], LoadReport) for row in rows)

    # Pipelines

    def publish(self, pipeline_id: str, spec: PipelineSpec, now: float) -> str:
        """The id of the published definition: `pipeline_id`, or that of the newest version where it is the same."""
        with self._write() as db:
            newest = db.execute(
                "SELECT * FROM pipelines WHERE name = ? ORDER BY version DESC LIMIT 1", (spec.name,)
            ).fetchone()
            if newest is not None and _decode(newest["spec"], PipelineSpec) == spec:
                return str(newest["id"])
            version = newest["version"] + 1 if newest is not None else 1
            values = (pipeline_id, spec.name, version, _encode(spec), now)
            db.execute("INSERT INTO pipelines VALUES (?, ?, ?, ?, 1, ?)", values)
            return pipeline_id

    def pipelines(self, trigger_root: str) -> tuple[PipelineEndpoint, ...]:
        """All published pipelines, newest first; `trigger_root` is the address of the service's door."""
        return tuple(
            PipelineEndpoint(
                id=row["id"],
                name=row["name"],
                version=row["version"],
                spec=_decode(row["spec"], PipelineSpec),
                trigger_uri=f"{trigger_root}/pipelines/{row['id']}",
                enabled=bool(row["enabled"]),
                created_at=row["created_at"],
            )
            for row in self._read("SELECT * FROM pipelines ORDER BY created_at DESC, version DESC")
        )

    def pipeline(self, id_or_name: str, trigger_root: str = "") -> PipelineEndpoint:
        """By id, or the newest of a name. Raises PipelineNotFound."""
        known = self.pipelines(trigger_root)
        for pipeline in known:
            if id_or_name in (pipeline.id, pipeline.name):
                return pipeline
        names = ", ".join(sorted({p.name for p in known})) or "none yet"
        raise PipelineNotFound(f"There is no pipeline '{id_or_name}'", hint=f"Published: {names}")

    def add_run(self, job: Job, steps: Sequence[StepRun]) -> None:
        """Queue a run together with its steps."""
        with self._write() as db:
            _insert_job(db, job)
            rows = [(job.id, position, step.name, _encode(step)) for position, step in enumerate(steps)]
            db.executemany("INSERT INTO steps VALUES (?, ?, ?, ?)", rows)

    def put_step(self, run_id: str, step: StepRun, *, submit: Job | None = None) -> None:
        """Replace what is known of a step; with `submit`, queue the job it stands for in the same transaction."""
        with self._write() as db:
            if submit is not None:
                _insert_job(db, submit)
            db.execute("UPDATE steps SET body = ? WHERE run_id = ? AND name = ?", (_encode(step), run_id, step.name))

    def steps(self, run_id: str) -> tuple[StepRun, ...]:
        rows = self._read("SELECT body FROM steps WHERE run_id = ? ORDER BY position", run_id)
        return tuple(_decode(row["body"], StepRun) for row in rows)


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _decode(text: str, kind: type[T]) -> T:
    return msgspec.json.decode(text, type=kind)


def _next(db: sqlite3.Connection, sql: str, name: str) -> int:
    return int(db.execute(sql, (name,)).fetchone()[0] or 0) + 1


def _limits(text: str) -> EndpointLimits:
    """Limits as they are kept; of those that an earlier release let pass and that make no sense, the usual ones."""
    try:
        return _decode(text, EndpointLimits)
    except SpecInvalid:
        limits = EndpointLimits()
        for name, value in _decode(text, dict[str, Any]).items():
            changed: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value}
            with suppress(SpecInvalid):
                limits = replace(limits, **changed)
        return limits


def _job(row: sqlite3.Row) -> Job:
    return Job(
        id=row["id"],
        kind=JobKind(row["kind"]),
        state=JobState(row["state"]),
        experiment_name=row["experiment_name"],
        compute=row["compute"],
        spec=_decode(row["spec"], dict[str, Any]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        attempt=row["attempt"],
        cancel_requested=bool(row["cancel_requested"]),
        parent_id=row["parent_id"],
        message=row["message"],
        hint=row["hint"],
        result=_decode(row["result"], dict[str, Any]),
    )


def _job_in(db: sqlite3.Connection, job_id: str) -> Job:
    row = db.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise JobNotFound(f"There is no job '{job_id}'", hint="`job list` shows them")
    return _job(row)


def _insert_job(db: sqlite3.Connection, job: Job) -> None:
    db.execute(
        "INSERT INTO jobs (id, kind, state, experiment_name, compute, spec, created_at, parent_id) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            job.id,
            job.kind,
            job.state,
            job.experiment_name,
            job.compute,
            _encode(job.spec),
            job.created_at,
            job.parent_id,
        ),
    )


def _cancel(db: sqlite3.Connection, job: Job, now: float) -> None:
    if job.state is JobState.QUEUED:
        _end(db, job.id, JobState.CANCELED, now, "Canceled before it started", "", {})
    else:
        db.execute("UPDATE jobs SET cancel_requested = 1 WHERE id = ?", (job.id,))


def _end(
    db: sqlite3.Connection,
    job_id: str,
    state: JobState,
    now: float,
    message: str,
    hint: str,
    result: Mapping[str, Any],
) -> None:
    job = _job_in(db, job_id)
    if not state.final:
        raise JobStateInvalid(f"'{state}' is no final state")
    move(job.state, state)
    db.execute(
        "UPDATE jobs SET state = ?, ended_at = ?, message = ?, hint = ?, result = ? WHERE id = ?",
        (state, now, message, hint, _encode(result), job_id),
    )
    _cut_off(db, job_id, now, message)


def _cut_off(db: sqlite3.Connection, job_id: str, now: float, message: str) -> None:
    """Nothing of a job runs on when it has ended: its open trials are stopped, its open steps canceled."""
    for row in db.execute("SELECT number, body FROM trials WHERE job_id = ?", (job_id,)).fetchall():
        trial = _decode(row["body"], Trial)
        if trial.state is TrialState.RUNNING:
            body = _encode(replace(trial, state=TrialState.STOPPED))
            db.execute("UPDATE trials SET body = ? WHERE job_id = ? AND number = ?", (body, job_id, trial.number))
    for row in db.execute("SELECT body FROM steps WHERE run_id = ?", (job_id,)).fetchall():
        step = _decode(row["body"], StepRun)
        if not step.state.final:
            body = _encode(replace(step, state=JobState.CANCELED, ended_at=now, message=message))
            db.execute("UPDATE steps SET body = ? WHERE run_id = ? AND name = ?", (body, job_id, step.name))


def _find_endpoint(db: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    """The endpoint's row; None where there is none. Raises Conflict while it is being deleted."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM endpoints WHERE name = ?", (name,)).fetchone()
    if row is not None and row["state"] == EndpointState.DELETING:
        raise Conflict(f"Endpoint '{name}' is being deleted", hint="Try again when it is gone, which takes seconds")
    return row


def _endpoint_row(db: sqlite3.Connection, name: str) -> sqlite3.Row:
    """The row of an endpoint that may be changed. Raises EndpointNotFound, Conflict while it is being deleted."""
    if (row := _find_endpoint(db, name)) is None:
        raise EndpointNotFound(f"There is no endpoint '{name}'", hint="`endpoint list` shows them")
    return row


def _insert_endpoint(db: sqlite3.Connection, spec: EndpointSpec, port: int, keys: EndpointKeys, now: float) -> None:
    if holder := db.execute("SELECT name FROM endpoints WHERE port = ?", (port,)).fetchone():
        raise PortInUse(f"Port {port} belongs to endpoint '{holder['name']}'", hint="Choose another port, or 0")
    db.execute(
        "INSERT INTO endpoints (name, port, description, limits, primary_key, secondary_key, created_at, state) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            spec.name,
            port,
            spec.description,
            _encode(spec.limits),
            keys.primary,
            keys.secondary,
            now,
            EndpointState.CREATING,
        ),
    )


def _deployment(row: sqlite3.Row) -> Deployment:
    spec = _decode(row["spec"], dict[str, Any])  # as it is kept: an earlier release let longer names pass
    return Deployment(
        name=row["name"],
        endpoint=row["endpoint"],
        model=row["model"],
        model_version=row["model_version"],
        state=DeploymentState(row["state"]),
        gate=_gate_state(row),
        created_at=row["created_at"],
        legacy_reply=spec.get("legacy_reply", False),
        primary_form=spec.get("primary_form", "v1"),
        unseen_categories=spec.get("unseen_categories", "as_signature"),
        error=row["error"],
        gate_job_id=row["gate_job_id"],
        forced_by=row["forced_by"],
        passed_before=_decode(row["verdict"] or "{}", dict[str, Any]).get("passed") is True,
    )


_FIRST_GATE = "first_gate"
"""In the spec of a gate that was asked for later: the gate that came with the deployment, which tells it from a later
deployment of the same name."""

_DEPLOYMENTS = (
    "SELECT d.*, j.state AS job_state, j.result AS job_result, v.result AS verdict FROM deployments d "
    "LEFT JOIN jobs j ON j.id = d.gate_job_id LEFT JOIN jobs v ON v.id = d.verdict_gate_id"
)
"""Deployments with their latest gate and the last one that had a verdict."""

_READS = (
    "(json_extract(spec, '$.data.name') = ? AND json_extract(spec, '$.data.version') = ?"
    " OR json_extract(spec, '$.data') = ? AND json_extract(spec, '$.data_version') = ?)"
)
"""A training job names its data as one value, a batch as two."""

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


def _gate_state(row: sqlite3.Row) -> GateState:
    """Derived from the gate's job, hence never out of step with it."""
    if row["job_state"] is None:
        return GateState.NONE
    if row["job_state"] != JobState.SUCCEEDED:
        return _GATE_WHILE[row["job_state"]]
    return _GATE_VERDICT[_decode(row["job_result"], dict[str, Any]).get("passed")]


def _deployment_row(db: sqlite3.Connection, endpoint: str, name: str) -> sqlite3.Row | None:
    of_it = "SELECT * FROM deployments WHERE endpoint = ? AND name = ?"
    row: sqlite3.Row | None = db.execute(of_it, (endpoint, name)).fetchone()
    return row


def _allow_forced(db: sqlite3.Connection, deployment: Deployment, forced_by: str, now: float) -> None:
    where = f"'{deployment.name}' of '{deployment.endpoint}'"
    if not forced_by:
        raise GateRefused(
            f"The gate of deployment {where} has not passed ({deployment.gate.replace('_', ' ')})",
            hint="See its report on the Quality page; traffic can be forced by name, which is recorded",
        )
    db.execute("INSERT INTO audit VALUES (?, ?, ?)", (now, forced_by, f"forced traffic to deployment {where}"))
    db.execute(
        "UPDATE deployments SET forced_by = ? WHERE endpoint = ? AND name = ?",
        (forced_by, deployment.endpoint, deployment.name),
    )


def _set_maps(
    db: sqlite3.Connection, endpoint: str, traffic: Mapping[str, int], mirror: Mapping[str, int] | None
) -> None:
    db.execute(
        "UPDATE endpoints SET traffic = ?, mirror = coalesce(?, mirror), version = version + 1 WHERE name = ?",
        (_encode(traffic), None if mirror is None else _encode(mirror), endpoint),
    )


@contextmanager
def _sqlite_errors() -> Iterator[None]:
    """SQLite's failures that we can explain, in our words; anything else is a bug and stays itself."""
    try:
        yield
    except sqlite3.DatabaseError as e:
        code = getattr(e, "sqlite_errorcode", 0) & 0xFF
        if code == SQLITE_FULL:
            raise StorageFull(
                "The disk is full: the workspace could not keep this",
                hint="Free some space; what was acknowledged before is intact",
            ) from e
        if code == SQLITE_BUSY:
            raise ServiceUnavailable(
                "The workspace is busy: another process has held its store for 10 s", hint="Try again"
            ) from e
        if code in SQLITE_UNUSABLE:
            raise StorageDenied(
                f"The workspace's store, slipway.db, cannot be used: {e}",
                hint="Is it ours, and may you write to its folder? SLIPWAY_HOME says where it lies",
            ) from e
        raise
