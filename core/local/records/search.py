"""Which requests fit: the newest or the slowest of them, or those whose ids begin with a text.

What is asked for is found by few columns first; only then are whole requests read, and of those no more than are told.
"""

import math
import re
from pathlib import Path

from core.domain.monitoring import Origin, RequestQuery, RequestRecord
from core.local.records import catalog, requests
from core.local.records.requests import IDS, LIVE, SENDER, UUID_TEXT, Question, sent_by
from core.ml.data.sql_paths import literal

UNIQUE_CHARS = 8
SPAN_S, WIDER = 60.0, 8
"""The newest requests are looked for in the last minute first, then in a time so many times as long, and so on."""
LISTED = f""""at", coalesce(request_id, ''), coalesce(deployment, ''), status, "rows", elapsed_ms, bytes_in, bytes_out,
{SENDER}, coalesce(client_request_id, ''), coalesce(trace_id, ''), coalesce(run_ms, 0), coalesce(problem, '')"""
NEWEST, SLOWEST = "at_us DESC", "elapsed_us DESC NULLS LAST, at_us DESC"
LEAST, MOST = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"


def newest(
    folder: Path, limit: int, *, until: float = math.inf, origin: Origin | None = Origin.CLIENT
) -> tuple[RequestRecord, ...]:
    """The last `limit` requests before `until` of one origin, or of all (None), newest first."""
    return search(folder, RequestQuery(limit=limit, until=until), origin=origin)


def search(
    folder: Path, query: RequestQuery, *, until: float = math.inf, origin: Origin | None = Origin.CLIENT
) -> tuple[RequestRecord, ...]:
    """Requests that fit, of one origin or of all (None): the newest first, or the slowest. None is a mirrored one."""
    wanted = _Wanted(query, origin)
    latest = min(until, math.inf if query.until is None else query.until)
    earliest = -math.inf if query.since is None else query.since
    if query.slowest or query.text:
        return requests.ask(folder, earliest, latest, wanted.found)
    found = catalog.look(folder)
    begin, span_s = min(found.newest, latest), SPAN_S
    while True:
        since = begin - span_s if begin - span_s > max(found.oldest, earliest) else earliest
        records = requests.ask(folder, since, latest, wanted.found)
        if len(records) >= query.limit or since == earliest:
            return records
        span_s *= WIDER


class _Wanted:
    """A query as SQL."""

    def __init__(self, query: RequestQuery, origin: Origin | None) -> None:
        self._query = query
        fits = [LIVE, sent_by(origin)]
        if query.statuses:
            fits.append(f"status IN ({', '.join(str(int(status)) for status in query.statuses)})")
        named = {"deployment": query.deployment, "problem": query.problem}
        fits += [f"{name} = {literal(value)}" for name, value in named.items() if value]
        self._fits = " AND ".join(fits)
        self._ids = _named_by(query.text) if query.text else ()
        self._order = SLOWEST if query.slowest else NEWEST

    def found(self, ask: Question) -> tuple[RequestRecord, ...]:
        limit = int(self._query.limit)
        keys = self._keys(ask, limit)
        if not keys:
            return ()
        times = [at for at, _ in keys]
        fits = f"{self._fits} AND ({' OR '.join(self._ids) or 'true'})"
        scattered = len(times) <= 1000 and (self._query.slowest or bool(self._ids))
        near = f"at_us IN ({', '.join(map(str, times))})" if scattered else f"at_us >= {min(times)}"
        rows = ask.rows(
            f"SELECT {LISTED} FROM requests WHERE at_us <= {max(times)} AND {near} AND {fits} "
            f"ORDER BY {self._order} LIMIT {limit}"
        )
        return tuple(RequestRecord(*row) for row in rows)

    def _keys(self, ask: Question, limit: int) -> list[tuple[int, int]]:
        """When the requests began that are to be told, and how long they took."""
        keys: set[tuple[int, int]] = set()
        for condition in self._ids or ("true",):
            keys |= set(ask.rows(
                f"SELECT at_us, elapsed_us FROM requests WHERE {self._fits} AND {condition} "
                f"ORDER BY {self._order} LIMIT {limit}"
            ))  # fmt: skip
            if keys and "_uuid" in condition and len(self._query.text) >= UNIQUE_CHARS:
                break  # so much of a random id names one request: the other columns need not be read
        return sorted(keys, key=lambda key: (key[1] or 0 if self._query.slowest else 0, key[0]), reverse=True)[:limit]


def _named_by(text: str) -> tuple[str, ...]:
    """SQL for each column that may hold an id which is this text, or begins with it."""
    conditions = []
    for name, (_, pattern) in IDS.items():
        plain = pattern != UUID_TEXT
        whole = _completed(text, LEAST.replace("-", "") if plain else LEAST)
        if whole is not None and re.fullmatch(pattern, whole):
            if whole == text:
                conditions.append(f"{name}_uuid = '{text}'::UUID")
            else:
                last = _completed(text, MOST.replace("-", "") if plain else MOST)
                conditions.append(f"{name}_uuid BETWEEN '{whole}'::UUID AND '{last}'::UUID")
    conditions += [f"starts_with({name}_text, {literal(text)})" for name in IDS]
    return tuple(conditions)


def _completed(text: str, rest: str) -> str | None:
    """The text with the rest of an id behind it; None for one that is longer than an id."""
    return text + rest[len(text) :] if len(text) <= len(rest) else None
