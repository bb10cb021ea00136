"""`alert`: rules over what is monitored."""

import shlex
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from core.cli.command import DONE, Command, Context, Outcome, arg
from core.cli.values import assignment
from core.domain.alerts import REQUESTS_NEEDED, Alert, AlertEvent, AlertMetric, AlertRule, AlertState
from core.domain.errors import SpecInvalid

NAME = arg("name")
GIVEN = (
    "endpoint",
    "metric",
    "limit",
    "clear",
    "window_s",
    "for_s",
    "deployment",
    "webhook",
    "pipeline",
    "requests_needed",
)
"""Fields of a rule that an option of its own gives."""


def _set(context: Context, options: Namespace) -> Outcome:
    given = {name: value for name in GIVEN if (value := getattr(options, name)) is not None}
    if options.program is not None:
        given["command"] = options.program
    if options.set:
        given["parameters"] = dict(options.set)
    known = {alert.rule.name: alert.rule for alert in context.workspace.records.alerts()}
    alert = context.workspace.records.set_alert(_rule(options.name, given, known.get(options.name)))
    return Outcome(alert, DONE, _shown(alert))


def _rule(name: str, given: dict[str, Any], before: AlertRule | None) -> AlertRule:
    """What is said, over what the alert is already. Raises SpecInvalid."""
    if before is not None:
        if "limit" in given and "clear" not in given:
            given = {**given, "clear": None}  # it belonged to the other limit
        if given.get("pipeline") == "":
            given = {**given, "parameters": None}
        return replace(before, **given)
    if missing := [f"--{option}" for option in ("endpoint", "metric", "limit") if option not in given]:
        raise SpecInvalid(f"A new alert needs {' and '.join(missing)}")
    return AlertRule(**{"name": name, "window_s": AlertMetric(given["metric"]).window_s, **given})


def _list(context: Context, options: Namespace) -> Outcome:
    alerts = context.workspace.records.alerts()
    unreadable = context.workspace.records.unreadable_alerts()
    for alert in unreadable:
        context.say(f"{alert.name}, of endpoint {alert.endpoint}, watches nothing: {alert.why}")
        context.say(f"  Delete it (`alert delete {shlex.quote(alert.name)}`), and set it anew")
    none = "No other alert is set." if unreadable else "No alert is set. `alert set` makes one."
    lines = "\n\n".join(map(_shown, alerts)) or none
    return Outcome(alerts, DONE, lines)


def _events(context: Context, options: Namespace) -> Outcome:
    events = context.workspace.records.alert_events(options.limit)
    return Outcome(events, DONE, _told(events))


def _told(events: Sequence[AlertEvent]) -> str:
    lines = []
    for event in events:
        lines.append(
            f"{_moment(event.at)}  {'fired  ' if event.state is AlertState.FIRING else 'cleared'}  {event.alert}"
        )
        lines.append(f"    {event.text}")
        if event.run_id:
            lines.append(f"    It started run {event.run_id}.")
        if event.error:
            lines.append(f"    Not told: {event.error}")
    return "\n".join(lines) or "No alert has fired."


def _shown(alert: Alert) -> str:
    """An alert as people read it; `--json` has all of it."""
    rule = alert.rule
    lines = [f"{rule.name}: {alert.state}, since {_moment(alert.since)}", f"  {alert.text}"]
    told = [("POST to ", _host(rule.webhook)), ("runs ", rule.command), ("starts pipeline ", rule.pipeline)]
    if does := ", ".join(f"{how}{what}" for how, what in told if what):
        lines.append(f"  When it fires: {does}")
    if alert.run_id:
        lines.append(f"  The run that it started last: {alert.run_id}")
    if alert.error:
        lines.append(f"  Not told: {alert.error}")
    if alert.looked_at is None:
        lines.append("  Not looked at yet: the service does that while it runs")
    else:
        lines.append(f"  Last looked at: {_moment(alert.looked_at)}")
    return "\n".join(lines)


def _host(url: str) -> str:
    """Who gets a message; the path of an address is often its secret."""
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2]


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


COMMANDS = (
    Command(
        "alert set",
        "create an alert, or change one; what is not said stays",
        _set,
        (
            NAME,
            arg("--endpoint", metavar="ENDPOINT"),
            arg("--metric", type=AlertMetric, choices=tuple(AlertMetric), help="what it watches, of clients' requests"),
            arg("--limit", type=float, help="fire beyond it: above, and below for availability (%%, ms, columns, s)"),
            arg("--clear", type=float, help="clear here (default: 10 %% to the good side of the limit)"),
            arg("--window", dest="window_s", type=float, metavar="SECONDS", help="(default: 300; a day for drift)"),
            arg(
                "--for", dest="for_s", type=float, metavar="SECONDS", help="fire, and clear, when it has lasted so long"
            ),
            arg("--deployment", help="of one deployment alone"),
            arg(
                "--min-requests",
                dest="requests_needed",
                type=int,
                metavar="N",
                help=f"say nothing of fewer in the window (default: {REQUESTS_NEEDED})",
            ),
            arg("--webhook", metavar="URL", help="POST a JSON message there when it fires and when it clears"),
            arg(
                "--command",
                dest="program",
                metavar="COMMAND",
                help="run it then, with the message on its standard input",
            ),
            arg("--pipeline", metavar="ID|NAME", help="start a run of it when the alert fires"),
            arg(
                "--set",
                type=assignment,
                action="append",
                default=[],
                metavar="NAME=VALUE",
                help="a parameter of the run",
            ),
        ),
        starts_service=True,
    ),
    Command("alert list", "all alerts with their state, firing ones first", _list),
    Command(
        "alert events",
        "what fired and cleared, newest first",
        _events,
        (arg("--limit", type=int, default=50, help="at most this many (default: %(default)s)"),),
    ),
    Command(
        "alert delete",
        "remove an alert; its events stay",
        lambda context, options: context.workspace.records.delete_alert(options.name),
        (NAME,),
    ),
)
