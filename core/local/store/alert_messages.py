"""What somebody has to be told of an alert's event, or what it has to start, until it is done: one row a way."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.domain.alerts import AlertRule
from core.local.store.db import Access

DUE_MAX = 100


class Way(StrEnum):
    """How an event leaves the workspace."""

    WEBHOOK = "webhook"
    COMMAND = "command"
    PIPELINE = "pipeline"


@dataclass(frozen=True, slots=True)
class Message:
    """One event for one way."""

    event: int
    id: str
    """The event's own, which the message names."""
    alert: str
    way: Way
    target: str
    """The address, the command or the pipeline, as the rule named it when the event happened."""
    parameters: Mapping[str, str]
    confined: bool
    created_at: float
    tries: int
    body: str


class AlertMessages:
    """One row an event and way."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def add(self, event: int, rule: AlertRule, now: float, *, fired: bool, confined: bool) -> None:
        """Tell all whom the rule names; a pipeline is started by what fires alone."""
        ways = [(Way.WEBHOOK, rule.webhook), (Way.COMMAND, rule.command)]
        if fired:
            ways.append((Way.PIPELINE, rule.pipeline))
        with self._db.write() as tx:
            for way, target in ways:
                if target:
                    parameters = json.dumps(dict(rule.parameters or {}) if way is Way.PIPELINE else {})
                    tx.execute(
                        "INSERT INTO alert_messages "
                        "(event, alert, way, target, parameters, confined, created_at, next_at) "
                        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        *(event, rule.name, way, target, parameters, int(confined), now, now),
                    )

    def due(self, now: float, longest_s: float) -> tuple[Message, ...]:
        """Those to be sent now, oldest first, and of each alert and way the oldest alone: it clears after it has fired.

        Nobody waits longer than `longest_s`, also where a clock was set back.
        """
        rows = self._db.rows(
            "SELECT m.*, e.id, e.body FROM alert_messages m JOIN alert_events e ON e.number = m.event "
            "WHERE m.done_at IS NULL AND (m.next_at <= ? OR m.next_at > ?) AND NOT EXISTS ("
            "SELECT 1 FROM alert_messages o WHERE o.alert = m.alert AND o.way = m.way AND o.done_at IS NULL "
            "AND o.event < m.event) ORDER BY m.event, m.way LIMIT ?",
            *(now, now + longest_s, DUE_MAX),
        )
        return tuple(
            Message(
                row["event"],
                row["id"],
                row["alert"],
                Way(row["way"]),
                row["target"],
                json.loads(row["parameters"]),
                bool(row["confined"]),
                row["created_at"],
                row["tries"],
                row["body"],
            )
            for row in rows
        )

    def put_off(self, message: Message, until: float, error: str) -> None:
        """It was not taken: try again then."""
        with self._db.write() as tx:
            tx.execute(
                "UPDATE alert_messages SET tries = tries + 1, next_at = ?, error = ? WHERE event = ? AND way = ?",
                *(until, error, message.event, message.way),
            )

    def close(self, message: Message, now: float, *, error: str = "", run_id: str = "") -> None:
        """It was taken, or with an `error` it never will be."""
        with self._db.write() as tx:
            tx.execute(
                "UPDATE alert_messages SET done_at = ?, error = ?, run_id = ? WHERE event = ? AND way = ?",
                *(now, error, run_id, message.event, message.way),
            )
