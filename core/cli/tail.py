"""A log's last lines, and those that come."""

from argparse import Namespace
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from core.cli.command import Context
from core.cli.show import as_json
from core.domain.job import LogLine

POLL_S = 0.5
FOLLOWED_MAX = 5000
"""So many lines may come between two looks without one being missed: 10,000 requests/s."""


def endpoint_logs(context: Context, options: Namespace) -> Any:
    """The lines that match; with `--follow` they are printed as they come, until the command is interrupted."""

    def look(limit: int) -> tuple[LogLine, ...]:
        workspace = context.workspace
        return workspace.endpoints.logs(options.name, limit, level=options.level, request_id=options.request_id)

    return told(context, options, look, lambda: False)


def told(
    context: Context, options: Namespace, look: Callable[[int], tuple[LogLine, ...]], over: Callable[[], bool]
) -> Any:
    """The last lines; with `--follow` they are printed, and those that come, until it is `over`."""
    if not options.follow:
        return look(options.limit)
    last: LogLine | None = None
    ended = False
    while not ended:
        ended = over()  # before the look: what came until then is told
        for line in _behind(look(FOLLOWED_MAX if last else options.limit), last):
            print(as_json(line) if options.json else _text(line), flush=True)
            last = line
        if not ended:
            context.sleep(POLL_S)
    return None


def _behind(lines: Sequence[LogLine], last: LogLine | None) -> Sequence[LogLine]:
    """The lines that have come behind the last one told; all, where that one is no longer there."""
    at = max((number for number, line in enumerate(lines) if line == last), default=-1)
    return lines[at + 1 :]


def _text(line: LogLine) -> str:
    at = datetime.fromtimestamp(line.at).astimezone().isoformat(" ", "milliseconds") if line.at else ""
    return f"{at}  {line.level:<7}  {line.text}".strip()
