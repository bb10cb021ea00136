"""`endpoint`: what it did, from its records."""

import time
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from core.cli import tail
from core.cli.command import Command, Context, arg
from core.cli.values import origin
from core.domain.monitoring import Origin, RequestQuery

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


TEXT = arg("text", nargs="?", default="", metavar="ID", help="a request, client or trace id, or what one begins with")


def _search(context: Context, options: Namespace) -> Any:
    query = RequestQuery(
        since=None if options.window is None else time.time() - options.window,
        text=options.text,
        statuses=tuple(options.status),
        deployment=options.deployment,
        problem=options.problem,
        slowest=options.slowest,
        limit=options.limit,
    )
    return context.workspace.records.search(options.name, query, origin=options.origin)


def _lately(verb: str) -> Callable[[Context, Namespace], Any]:
    """A verb over the last so many seconds, of one origin."""

    def run(context: Context, options: Namespace) -> Any:
        return getattr(context.workspace.records, verb)(options.name, options.window, origin=options.origin)

    return run


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
        _lately("telemetry"),
        (NAME, WINDOW, ORIGIN),
    ),
    Command(
        "endpoint requests",
        "its newest requests",
        lambda context, options: context.workspace.records.requests(options.name, options.limit, origin=options.origin),
        (NAME, LIMIT, ORIGIN),
    ),
    Command(
        "endpoint search",
        "requests by id, status, deployment or problem; the newest first, or the slowest",
        _search,
        (
            NAME,
            TEXT,
            arg("--status", type=int, nargs="+", default=(), metavar="STATUS", help="one of these"),
            arg("--deployment", default="", metavar="NAME", help="that answered"),
            arg("--problem", default="", metavar="NAME", help="the error that it ended with"),
            arg("--slowest", action="store_true", help="the slowest first"),
            arg("--window", type=float, default=None, metavar="SECONDS", help="(default: all that are kept)"),
            LIMIT,
            ORIGIN,
        ),
        columns=("at", "request_id", "deployment", "status", "rows", "elapsed_ms", "problem"),
    ),
    Command(
        "endpoint exceptions",
        "failed requests by the line of code that raised",
        _lately("exceptions"),
        (NAME, WINDOW, ORIGIN),
        columns=("kind", "where", "count", "last", "deployments", "message"),
    ),
    Command(
        "endpoint refusals",
        "rejected requests by reason and column",
        _lately("refusals"),
        (NAME, WINDOW, ORIGIN),
        columns=("reason", "column", "count", "example", "last"),
    ),
    Command(
        "endpoint availability",
        "how long it could be reached, of the time in which the service looked",
        lambda context, options: context.workspace.records.availability(options.name, options.window),
        (NAME, WINDOW),
    ),
    Command(
        "endpoint disagreement",
        "mirrored deployments' answers against those that clients got",
        lambda context, options: context.workspace.records.disagreement(options.name, options.window),
        (NAME, WINDOW),
    ),
)
"""Commands of the noun `endpoint`."""
