"""Alerts as they are asked for: set, changed and deleted, and how an event is kept together with its messages."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from core.definitions.pipelines import plan
from core.domain.alerts import AlertEvent, AlertRule, AlertState
from core.domain.errors import Forbidden, StoredUnreadable
from core.domain.parameter_text import from_text
from core.domain.pipeline import PipelineEndpoint
from core.local.alert_words import sentence
from core.local.context import Context
from core.local.paths import new_id
from core.local.store import Nouns
from core.local.store.alerts import Standing, StoredAlert


def set_alert(context: Context, rule: AlertRule) -> None:
    """Keep a rule. A firing one that goes on watching the same goes on firing, until the new limits let it clear.

    Raises EndpointNotFound, PipelineNotFound, SpecInvalid for parameters that the pipeline does not take, Forbidden for
    a command where others use the workspace.
    """
    if rule.pipeline:
        found = context.store.pipelines.get(rule.pipeline)
        plan(found.spec, parameters(found, rule.parameters or {}))
    now = context.clock()
    with context.store.write() as tx:
        if not tx.endpoints.exists(rule.endpoint):
            tx.endpoints.get(rule.endpoint)  # raises
        before = tx.alerts.find(rule.name)
        _check_command(context, rule, before)
        standing = before.standing if before and _watches_the_same(before.rule, rule) else None
        if before and standing is None:
            _end(tx, before, now, "was changed to watch something else")
        if standing is None or standing.state is not AlertState.FIRING:
            standing = Standing(AlertState.UNKNOWN, now, text=sentence(rule, AlertState.UNKNOWN, None))
        tx.alerts.put(rule, standing, now, confined=context.confined)


def delete_alert(context: Context, name: str) -> None:
    """Forget a rule. Raises AlertNotFound."""
    with context.store.write() as tx:
        with suppress(StoredUnreadable):
            _end(tx, tx.alerts.get(name), context.clock(), "was deleted")
        tx.alerts.delete(name)


def retire(tx: Nouns, endpoint: str, now: float) -> None:
    """Forget the rules of an endpoint that is being deleted."""
    found, unreadable = tx.alerts.all(endpoint)
    for stored in found:
        _end(tx, stored, now, f"ended with endpoint '{endpoint}', which was deleted")
    for name in (*(stored.rule.name for stored in found), *(alert.name for alert in unreadable)):
        tx.alerts.delete(name)


def keep_event(tx: Nouns, stored: StoredAlert, standing: Standing, at: float) -> None:
    """Keep that an alert fired or cleared, with all messages of it."""
    rule, fired = stored.rule, standing.state is AlertState.FIRING
    event = AlertEvent(
        rule.name, rule.endpoint, at, standing.state, standing.value, standing.text, id=new_id(lambda: at)
    )
    number = tx.alerts.add_event(event, json.dumps(message(rule, event), ensure_ascii=False))
    tx.alert_messages.add(number, rule, at, fired=fired, confined=stored.confined)


def message(rule: AlertRule, event: AlertEvent) -> dict[str, Any]:
    """What is told of an event."""
    fired = event.state is AlertState.FIRING
    return {
        "event": "alert.fired" if fired else "alert.cleared",
        "id": event.id,
        "text": f"Alert '{rule.name}' {'fired' if fired else 'cleared'}. {event.text}",
        "alert": rule.name,
        "endpoint": rule.endpoint,
        "deployment": rule.deployment,
        "metric": rule.metric,
        "state": event.state,
        "value": event.value,
        "limit": rule.limit,
        "clears_at": rule.clears_at,
        "window_s": rule.window_s,
        "at": datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds"),
    }


def parameters(found: PipelineEndpoint, given: Mapping[str, str]) -> dict[str, Any]:
    """A run's parameters, which a rule keeps as text, as their types want them."""
    kinds = {parameter.name: parameter.type for parameter in found.spec.parameters}
    return {name: from_text(text, kinds.get(name)) for name, text in given.items()}


def _end(tx: Nouns, stored: StoredAlert, now: float, what: str) -> None:
    """Whoever was told that it fires is told that it does no more."""
    if stored.standing.state is AlertState.FIRING:
        text = f"It {what} while it was firing."
        keep_event(tx, stored, Standing(AlertState.OK, now, looked_at=now, text=text), now)


def _watches_the_same(before: AlertRule, rule: AlertRule) -> bool:
    return all(getattr(before, name) == getattr(rule, name) for name in ("endpoint", "metric", "deployment"))


def _check_command(context: Context, rule: AlertRule, before: StoredAlert | None) -> None:
    """A program runs as who runs the service: those who use a workspace that was opened for others may not name one."""
    kept = before.rule.command if before else ""
    if context.confined and rule.command and rule.command != kept:
        raise Forbidden(
            "An alert's command is set on the command line alone: it runs as the user of the service",
            hint=f"`python -m core alert set {rule.name} --command ...`",
        )
