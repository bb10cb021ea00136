"""`endpoint`: what it did, from its records."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from core.cli import tail
from core.cli.command import Command, Context, arg
from core.cli.values import origin
from core.definitions.feedback import read_feedback
from core.domain.monitoring import Origin

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


def _feedback(context: Context, options: Namespace) -> Any:
    return context.workspace.records.send_feedback(options.name, read_feedback(options.file.read_bytes()))


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
        "record what really happened to scored rows",
        _feedback,
        (NAME, arg("file", type=Path, metavar="FILE", help="a CSV table: request_id, row, outcome")),
    ),
)
"""Commands of the noun `endpoint`."""
