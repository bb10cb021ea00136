"""`endpoint`: what it did, from its records; and `alert`."""

import time
from argparse import Namespace
from typing import Any

from core.cli import tail
from core.cli.command import Command, Context, arg
from core.cli.values import origin
from core.domain.monitoring import AlertRule, Feedback, Origin

NAME = arg("name", metavar="ENDPOINT")
LIMIT = arg("--limit", type=int, default=100, help="at most this many (default: %(default)s)")
ORIGIN = arg(
    "--origin",
    type=origin,
    default=Origin.CLIENT,
    metavar="ORIGIN",
    help=f"whose requests: {', '.join(Origin)} or all (default: %(default)s)",
)
WINDOW = arg("--window", type=float, default=3600.0, metavar="SECONDS", help="(default: %(default)s)")


def _feedback(context: Context, options: Namespace) -> None:
    feedback = Feedback(options.name, options.request, options.row, options.actual, time.time())
    context.workspace.records.send_feedback(feedback)


def _alert(context: Context, options: Namespace) -> Any:
    rule = AlertRule(options.name, options.endpoint, options.metric, options.limit, options.window)
    return context.workspace.records.set_alert(rule)


RECORDS = (
    Command(
        "endpoint logs",
        "its server's last lines",
        tail.endpoint_logs,
        (
            NAME,
            LIMIT,
            arg("--follow", action="store_true", help="and then each further line, until Ctrl-C"),
            arg("--level", choices=("debug", "info", "warning", "error"), default="", help="of at least this level"),
            arg("--request-id", default="", metavar="ID", help="about this request"),
        ),
        columns=("at", "level", "text"),
    ),
    Command(
        "endpoint telemetry",
        "requests, latency and errors",
        lambda context, options: context.workspace.records.telemetry(
            options.name, options.window, origin=options.origin
        ),
        (NAME, WINDOW, ORIGIN),
    ),
    Command(
        "endpoint requests",
        "its newest requests",
        lambda context, options: context.workspace.records.requests(options.name, options.limit, origin=options.origin),
        (NAME, LIMIT, ORIGIN),
    ),
    Command(
        "endpoint drift",
        "compare recent inputs with the training data",
        lambda context, options: context.workspace.records.drift(options.name, options.window),
        (NAME, arg("--window", type=float, default=86_400.0, metavar="SECONDS", help="(default: %(default)s)")),
    ),
    Command(
        "endpoint feedback",
        "record the actual outcome of a scored row",
        _feedback,
        (
            NAME,
            arg("request", metavar="REQUEST_ID"),
            arg("actual", help="the true class"),
            arg("--row", type=int, default=0, help="of the request (default: %(default)s)"),
        ),
    ),
)
"""Commands of the noun `endpoint`."""

COMMANDS = (
    Command(
        "alert set",
        "create or change an alert",
        _alert,
        (
            arg("name"),
            arg("--endpoint", required=True),
            arg("--metric", required=True),
            arg("--limit", required=True, type=float, help="fire while the metric is above it"),
            arg("--window", type=float, default=300.0, metavar="SECONDS", help="(default: %(default)s)"),
        ),
    ),
    Command("alert list", "all alerts with their state", lambda context, options: context.workspace.records.alerts()),
)
