"""Alerts: each rule with what it stands at, and the events of them all, kept after their rules."""

from dataclasses import dataclass

from core.domain.alerts import AlertEvent, AlertRule, AlertState, UnreadableAlert
from core.domain.errors import AlertNotFound, StoredUnreadable
from core.local.store.bodies import decode, encode, member
from core.local.store.db import Access, Row

EVENTS_MAX = 10_000
"""Older ones are forgotten, save those that somebody has still to be told of."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a rule stands at. A firing one has not cleared yet, whatever is known of its value."""

    state: AlertState
    since: float
    """When it came to this state."""
    turning_at: float | None = None
    """Since when its value has asked for the other state."""
    looked_at: float | None = None
    value: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """A rule as it is kept."""

    rule: AlertRule
    standing: Standing
    confined: bool
    """Whether the runs that it starts read paths in the allowed folders only, as those of whoever made it."""
    revision: int
    """Grows with every change of the rule."""
    created_at: float


class Alerts:
    """One row a rule, one row an event."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def put(self, rule: AlertRule, standing: Standing, now: float, *, confined: bool) -> None:
        """Keep a rule, in place of the one of its name, with what it stands at from now on."""
        with self._db.write() as tx:
            tx.execute(
                "INSERT INTO alerts (name, endpoint, rule, confined, state, since, created_at) "
                "VALUES (?, ?, ?, ?, '', 0, ?) ON CONFLICT DO UPDATE SET endpoint = excluded.endpoint, "
                "rule = excluded.rule, confined = excluded.confined, revision = revision + 1",
                *(rule.name, rule.endpoint, encode(rule), int(confined), now),
            )
            Alerts(tx).judged(rule.name, standing)

    def get(self, name: str) -> StoredAlert:
        """One rule. Raises AlertNotFound, StoredUnreadable."""
        if (found := self.find(name)) is None:
            known = ", ".join(row["name"] for row in self._db.rows("SELECT name FROM alerts ORDER BY name"))
            raise AlertNotFound(f"There is no alert '{name}'", hint=f"Alerts: {known or 'none yet'}")
        return found

    def find(self, name: str) -> StoredAlert | None:
        """One rule, or None. Raises StoredUnreadable."""
        row = self._db.row("SELECT * FROM alerts WHERE name = ?", name)
        return None if row is None else _stored(row)

    def all(self, endpoint: str = "") -> tuple[tuple[StoredAlert, ...], tuple[UnreadableAlert, ...]]:
        """All rules, or those of an endpoint, by name: those that can be read, and those that cannot."""
        found, unreadable = [], []
        for row in self._db.rows("SELECT * FROM alerts WHERE ? IN ('', endpoint) ORDER BY name", endpoint):
            try:
                found.append(_stored(row))
            except StoredUnreadable as e:
                unreadable.append(UnreadableAlert(row["name"], row["endpoint"], e.message))
        return tuple(found), tuple(unreadable)

    def judged(self, name: str, standing: Standing) -> None:
        """What a rule stands at after a look."""
        with self._db.write() as tx:
            tx.execute(
                "UPDATE alerts SET state = ?, since = ?, turning_at = ?, looked_at = ?, value = ?, text = ? "
                "WHERE name = ?",
                *(standing.state, standing.since, standing.turning_at, standing.looked_at),
                *(standing.value, standing.text, name),
            )

    def delete(self, name: str) -> None:
        """Forget a rule; its events stay."""
        with self._db.write() as tx:
            tx.execute("DELETE FROM alerts WHERE name = ?", name)

    def add_event(self, event: AlertEvent, body: str) -> int:
        """Keep an event with the message that tells of it; its number."""
        with self._db.write() as tx:
            tx.execute(
                "INSERT INTO alert_events (id, alert, endpoint, at, state, value, text, body) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                *(event.id, event.alert, event.endpoint, event.at, event.state, event.value, event.text, body),
            )
            row = tx.row("SELECT max(number) AS number FROM alert_events")
            assert row is not None
            tx.execute(
                "DELETE FROM alert_events WHERE number <= ? AND number NOT IN "
                "(SELECT event FROM alert_messages WHERE done_at IS NULL)",
                row["number"] - EVENTS_MAX,
            )
            tx.execute("DELETE FROM alert_messages WHERE event NOT IN (SELECT number FROM alert_events)")
            return int(row["number"])

    def events(self, limit: int) -> tuple[AlertEvent, ...]:
        """The newest first."""
        rows = self._db.rows(
            "SELECT e.*, "
            "coalesce((SELECT group_concat(error, '; ') FROM alert_messages WHERE event = number AND error != ''), '') "
            "AS error, coalesce((SELECT max(run_id) FROM alert_messages WHERE event = number), '') AS run_id "
            "FROM alert_events e ORDER BY number DESC LIMIT ?",
            limit,
        )
        return tuple(_event(row) for row in rows)

    def last_told(self, alert: str) -> tuple[str, str]:
        """What of a rule's last event was not taken, and the run that the rule started last."""
        row = self._db.row(
            "SELECT coalesce(group_concat(error, '; '), '') AS error FROM alert_messages WHERE error != '' "
            "AND event = (SELECT max(number) FROM alert_events WHERE alert = ?)",
            alert,
        )
        run = self._db.row(
            "SELECT run_id FROM alert_messages WHERE alert = ? AND run_id != '' ORDER BY event DESC LIMIT 1", alert
        )
        return (row["error"] if row else "", run["run_id"] if run else "")


def _stored(row: Row) -> StoredAlert:
    what = f"alert '{row['name']}'"
    standing = Standing(
        member(AlertState, row["state"], what),
        row["since"],
        row["turning_at"],
        row["looked_at"],
        row["value"],
        row["text"],
    )
    rule = decode(row["rule"], AlertRule, what)
    return StoredAlert(rule, standing, bool(row["confined"]), row["revision"], row["created_at"])


def _event(row: Row) -> AlertEvent:
    state = member(AlertState, row["state"], f"an event of alert '{row['alert']}'")
    return AlertEvent(
        row["alert"],
        row["endpoint"],
        row["at"],
        state,
        row["value"],
        row["text"],
        row["id"],
        row["error"],
        row["run_id"],
    )
