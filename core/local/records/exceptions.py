"""Why requests failed: counted by what raised, with a traceback of each from where the servers keep those."""

import re
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.domain.monitoring import ExceptionGroup, Origin
from core.local.records import requests
from core.local.records.requests import SERVER_ERROR, Question, sent_by

IDS_MAX = 10
KEY = re.compile(r"[0-9a-f]{16}")
DAY_S = 86_400


class Cause(msgspec.Struct, frozen=True):
    """What a server kept of one way to fail; see `core.serving.causes`."""

    kind: str = ""
    where: str = ""
    message: str = ""
    traceback: str = ""


def exceptions(
    folder: Path, causes: Path, since: float, until: float, *, origin: Origin | None = Origin.CLIENT
) -> tuple[ExceptionGroup, ...]:
    """Failed requests of [since, until) by kind and line of code, the most frequent first; mirrored ones too."""
    asked = f"""SELECT coalesce(problem, ''), coalesce(cause, ''), count(*), min("at"), max("at"),
    list(DISTINCT deployment ORDER BY deployment) FILTER (deployment != ''),
    max_by([at_us::VARCHAR, request_id], at_us, {IDS_MAX})
    FROM requests WHERE {SERVER_ERROR} AND {sent_by(origin)} GROUP BY ALL"""

    def answer(ask: Question) -> list[tuple[Any, ...]]:
        return ask.rows(asked)

    groups: dict[tuple[str, str], list[tuple[Cause, Sequence[Any]]]] = defaultdict(list)
    for problem, key, *figures in requests.ask(folder, since, until, answer):
        cause = _cause(causes, key) or Cause(problem)
        groups[cause.kind, cause.where].append((cause, figures))
    found = [_group(kind, where, members) for (kind, where), members in groups.items()]
    return tuple(sorted(found, key=lambda group: (-group.count, group.kind, group.where)))


def _group(kind: str, where: str, members: list[tuple[Cause, Sequence[Any]]]) -> ExceptionGroup:
    newest = max(members, key=lambda member: member[1][2])[0]
    ids = sorted((int(at), name) for _, figures in members for at, name in figures[4] or ())
    return ExceptionGroup(
        kind=kind,
        where=where,
        count=sum(figures[0] for _, figures in members),
        first=min(figures[1] for _, figures in members),
        last=max(figures[2] for _, figures in members),
        message=newest.message,
        traceback=newest.traceback,
        deployments=tuple(sorted({name for _, figures in members for name in figures[3] or ()})),
        request_ids=tuple(name for _, name in ids[: -IDS_MAX - 1 : -1]),
    )


def forget(causes: Path, max_days: float) -> None:
    """Remove what no request that is still kept can have failed on: servers write it anew while it goes on."""
    for file in causes.glob("*.json"):
        if file.stat().st_mtime < time.time() - (max_days + 2) * DAY_S:
            file.unlink(missing_ok=True)


def _cause(causes: Path, key: str) -> Cause | None:
    if not KEY.fullmatch(key):
        return None
    try:
        return msgspec.json.decode((causes / f"{key}.json").read_bytes(), type=Cause)
    except (OSError, msgspec.DecodeError):
        return None
