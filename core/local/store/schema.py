"""The store's tables, as numbered migrations applied in order and recorded."""

import sqlite3
import time
from pathlib import Path

from core.domain.errors import Conflict

BUSY_TIMEOUT_MS = 10_000

MIGRATIONS: tuple[tuple[int, str], ...] = (
    (
        1,
        """
        CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

        CREATE TABLE data (
            name TEXT NOT NULL, version INTEGER NOT NULL, sha256 TEXT NOT NULL, body TEXT NOT NULL,
            created_at REAL NOT NULL, PRIMARY KEY (name, version), UNIQUE (name, sha256)) STRICT;

        CREATE TABLE computes (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;

        CREATE TABLE jobs (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, experiment_name TEXT NOT NULL,
            compute TEXT NOT NULL, spec TEXT NOT NULL, created_at REAL NOT NULL, started_at REAL, ended_at REAL,
            attempt INTEGER NOT NULL DEFAULT 0, cancel_requested INTEGER NOT NULL DEFAULT 0, parent_id TEXT,
            message TEXT NOT NULL DEFAULT '', hint TEXT NOT NULL DEFAULT '', result TEXT NOT NULL DEFAULT '{}',
            pid INTEGER, pid_started REAL) STRICT;
        CREATE INDEX jobs_by_state ON jobs (state, created_at);
        CREATE INDEX jobs_by_kind ON jobs (kind, created_at);
        CREATE INDEX jobs_by_parent ON jobs (parent_id);

        CREATE TABLE trials (
            job_id TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (job_id, number)) STRICT;

        CREATE TABLE models (
            name TEXT NOT NULL, version INTEGER NOT NULL, job_id TEXT NOT NULL, body TEXT NOT NULL,
            created_at REAL NOT NULL, PRIMARY KEY (name, version), UNIQUE (name, job_id)) STRICT;

        CREATE TABLE endpoints (
            name TEXT PRIMARY KEY, port INTEGER NOT NULL UNIQUE, description TEXT NOT NULL, limits TEXT NOT NULL,
            traffic TEXT NOT NULL DEFAULT '{}', mirror TEXT NOT NULL DEFAULT '{}',
            primary_key TEXT NOT NULL, secondary_key TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1,
            served_version INTEGER NOT NULL DEFAULT 0,
            created_at REAL NOT NULL, state TEXT NOT NULL, error TEXT NOT NULL DEFAULT '',
            restarts INTEGER NOT NULL DEFAULT 0, pid INTEGER, pid_started REAL) STRICT;

        CREATE TABLE deployments (
            endpoint TEXT NOT NULL, name TEXT NOT NULL, model TEXT NOT NULL, model_version INTEGER NOT NULL,
            spec TEXT NOT NULL, state TEXT NOT NULL, error TEXT NOT NULL DEFAULT '', gate_job_id TEXT NOT NULL,
            forced_by TEXT NOT NULL DEFAULT '', created_at REAL NOT NULL, PRIMARY KEY (endpoint, name)) STRICT;

        CREATE TABLE gate_reports (
            id TEXT PRIMARY KEY, endpoint TEXT NOT NULL, deployment TEXT NOT NULL, body TEXT NOT NULL,
            created_at REAL NOT NULL) STRICT;
        CREATE INDEX gate_reports_by_endpoint ON gate_reports (endpoint, created_at);

        CREATE TABLE load_reports (id TEXT PRIMARY KEY, body TEXT NOT NULL, created_at REAL NOT NULL) STRICT;

        CREATE TABLE pipelines (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, spec TEXT NOT NULL,
            enabled INTEGER NOT NULL DEFAULT 1, created_at REAL NOT NULL, UNIQUE (name, version)) STRICT;

        CREATE TABLE steps (
            run_id TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (run_id, name)) STRICT;

        CREATE TABLE audit (at REAL NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL) STRICT;
        """,
    ),
    (
        2,
        """
        CREATE INDEX jobs_by_time ON jobs (created_at, id);
        CREATE INDEX jobs_by_kind_and_time ON jobs (kind, created_at, id);
        DROP INDEX jobs_by_kind;
        """,
    ),
    (
        3,
        """
        ALTER TABLE deployments ADD COLUMN first_gate_id TEXT NOT NULL DEFAULT '';
        ALTER TABLE deployments ADD COLUMN verdict_gate_id TEXT NOT NULL DEFAULT '';
        UPDATE deployments SET first_gate_id = gate_job_id, verdict_gate_id = gate_job_id;
        """,
    ),
    (
        4,
        """
        CREATE INDEX jobs_by_endpoint ON jobs (json_extract(spec, '$.endpoint'), created_at, id);
        CREATE INDEX jobs_by_experiment ON jobs (experiment_name, created_at, id);
        ALTER TABLE load_reports ADD COLUMN endpoint TEXT NOT NULL DEFAULT '';
        UPDATE load_reports SET endpoint = coalesce(json_extract(body, '$.endpoint'), '');
        CREATE INDEX load_reports_by_endpoint ON load_reports (endpoint, created_at);
        """,
    ),
    # Nothing of the tables: bodies tell no places any more, which 0.2.0 must refuse in a sentence and not stumble over.
    (5, ""),
    (
        6,
        """
        CREATE TABLE models_by_trial (
            name TEXT NOT NULL, version INTEGER NOT NULL, job_id TEXT NOT NULL, trial INTEGER NOT NULL,
            body TEXT NOT NULL, created_at REAL NOT NULL, PRIMARY KEY (name, version),
            UNIQUE (name, job_id, trial)) STRICT;
        INSERT INTO models_by_trial
            SELECT name, version, job_id, json_extract(body, '$.trial'), body, created_at FROM models;
        DROP TABLE models;
        ALTER TABLE models_by_trial RENAME TO models;
        CREATE INDEX models_by_job ON models (job_id);
        """,
    ),
    (
        7,
        """
        ALTER TABLE pipelines ADD COLUMN label TEXT NOT NULL DEFAULT '';
        CREATE TABLE pipeline_names (
            name TEXT PRIMARY KEY, default_version INTEGER NOT NULL, enabled INTEGER NOT NULL DEFAULT 1,
            primary_key TEXT NOT NULL, secondary_key TEXT NOT NULL, runs INTEGER NOT NULL DEFAULT 0) STRICT;
        CREATE TABLE runs (
            id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, number INTEGER NOT NULL, version INTEGER NOT NULL,
            origin TEXT NOT NULL, schedule TEXT NOT NULL DEFAULT '', retry_of TEXT NOT NULL DEFAULT '',
            steps_done INTEGER NOT NULL DEFAULT 0, steps_total INTEGER NOT NULL, created_at REAL NOT NULL,
            UNIQUE (pipeline, number)) STRICT;
        INSERT INTO runs
            SELECT id, json_extract(spec, '$.pipeline'),
                row_number() OVER (PARTITION BY json_extract(spec, '$.pipeline') ORDER BY created_at, id),
                json_extract(spec, '$.version'), 'app', '', '',
                (SELECT count(*) FROM steps WHERE run_id = jobs.id
                    AND json_extract(body, '$.state') NOT IN ('queued', 'running')),
                (SELECT count(*) FROM steps WHERE run_id = jobs.id), created_at
            FROM jobs WHERE kind = 'pipeline';
        INSERT INTO pipeline_names
            SELECT name, max(version), max(enabled), lower(hex(randomblob(32))), lower(hex(randomblob(32))),
                (SELECT coalesce(max(number), 0) FROM runs WHERE runs.pipeline = pipelines.name)
            FROM pipelines GROUP BY name;
        CREATE INDEX runs_by_time ON runs (created_at, id);
        CREATE INDEX runs_by_pipeline ON runs (pipeline, created_at, id);
        CREATE INDEX runs_by_schedule ON runs (schedule, created_at, id);
        CREATE TABLE artifacts (
            type TEXT NOT NULL, reference TEXT NOT NULL, run_id TEXT NOT NULL, step TEXT NOT NULL,
            made INTEGER NOT NULL, PRIMARY KEY (type, reference, run_id, step)) STRICT;
        CREATE INDEX artifacts_by_run ON artifacts (run_id);
        CREATE TABLE kept_steps (
            key TEXT PRIMARY KEY, run_id TEXT NOT NULL, step TEXT NOT NULL, created_at REAL NOT NULL) STRICT;
        CREATE INDEX kept_steps_by_run ON kept_steps (run_id);
        CREATE TABLE triggers (
            pipeline TEXT NOT NULL, repeat_key TEXT NOT NULL, digest TEXT NOT NULL, run_id TEXT NOT NULL,
            created_at REAL NOT NULL, PRIMARY KEY (pipeline, repeat_key)) STRICT;
        CREATE INDEX triggers_by_time ON triggers (created_at);
        CREATE TABLE schedules (
            name TEXT PRIMARY KEY, spec TEXT NOT NULL, enabled INTEGER NOT NULL DEFAULT 1,
            confined INTEGER NOT NULL, considered_at REAL NOT NULL, seen_version INTEGER NOT NULL DEFAULT 0,
            created_at REAL NOT NULL) STRICT;
        CREATE TABLE fires (
            schedule TEXT NOT NULL, key TEXT NOT NULL, due_at REAL NOT NULL, outcome TEXT NOT NULL,
            recorded_at REAL NOT NULL, run_id TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (schedule, key)) STRICT;
        CREATE INDEX fires_by_time ON fires (schedule, recorded_at, due_at);
        CREATE INDEX fires_waiting ON fires (schedule, due_at) WHERE outcome = 'waiting';
        CREATE TABLE notices (
            run_id TEXT PRIMARY KEY, created_at REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
            next_at REAL NOT NULL, sent_at REAL, error TEXT NOT NULL DEFAULT '') STRICT;
        """,
    ),
    (
        8,
        """
        CREATE TABLE alerts (
            name TEXT PRIMARY KEY, endpoint TEXT NOT NULL, rule TEXT NOT NULL, confined INTEGER NOT NULL,
            revision INTEGER NOT NULL DEFAULT 1, state TEXT NOT NULL, since REAL NOT NULL, turning_at REAL,
            looked_at REAL, value REAL, text TEXT NOT NULL DEFAULT '', created_at REAL NOT NULL) STRICT;
        CREATE INDEX alerts_by_endpoint ON alerts (endpoint);
        CREATE TABLE alert_events (
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, alert TEXT NOT NULL,
            endpoint TEXT NOT NULL, at REAL NOT NULL, state TEXT NOT NULL, value REAL, text TEXT NOT NULL,
            body TEXT NOT NULL) STRICT;
        CREATE INDEX alert_events_by_alert ON alert_events (alert, number);
        CREATE TABLE alert_messages (
            event INTEGER NOT NULL, alert TEXT NOT NULL, way TEXT NOT NULL, target TEXT NOT NULL,
            parameters TEXT NOT NULL DEFAULT '{}', confined INTEGER NOT NULL, created_at REAL NOT NULL,
            tries INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL, done_at REAL, error TEXT NOT NULL DEFAULT '',
            run_id TEXT NOT NULL DEFAULT '', PRIMARY KEY (event, way)) STRICT;
        CREATE INDEX alert_messages_waiting ON alert_messages (alert, way, event) WHERE done_at IS NULL;
        """,
    ),
    (
        9,
        """
        CREATE TABLE drift_limits (
            endpoint TEXT NOT NULL, column_name TEXT NOT NULL, psi REAL NOT NULL,
            PRIMARY KEY (endpoint, column_name)) STRICT;
        """,
    ),
)
"""Add to the end; never change one that has shipped."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode with the durability that the design promises.

    WAL with synchronous=FULL: a committed transaction survives power loss (https://sqlite.org/pragma.html#pragma_synchronous).
    """
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to the newest version. Raises Conflict for a store that a newer Slipway has written."""
    known = MIGRATIONS[-1][0]
    if (now := _version(connection)) == known:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        now = _version(connection)
        if now > known:
            raise Conflict(
                f"This workspace was written by a newer Slipway (store version {now}, this one knows {known})",
                hint="Update Slipway, or point SLIPWAY_HOME at another folder",
            )
        for number, script in MIGRATIONS:
            if number > now:
                for statement in filter(None, map(str.strip, script.split(";"))):
                    connection.execute(statement)
                connection.execute("INSERT INTO migrations VALUES (?, ?)", (number, time.time()))
        connection.execute("COMMIT")
    except BaseException:
        # A full disk ends the transaction by itself, and its error is the one to tell.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, applied_at REAL NOT NULL) STRICT"
    )
    version: int = connection.execute("SELECT coalesce(max(number), 0) FROM migrations").fetchone()[0]
    return version
