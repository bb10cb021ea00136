"""Requests to an endpoint, by Application Insights' table of them.

Azure's inference server records a request with the endpoint, the deployment and the id that its client gave it. It
counts neither rows nor bytes; those are 0 where nobody else has written them. A row may stand for several requests
(`itemCount`), where the resource samples.
"""

import re
from typing import Any

from core.azure.context import TAG
from core.azure.insights import Insights, Row, about, moment, seconds, span, text, within
from core.domain.monitoring import MODEL_FAILED, Origin, RequestQuery, RequestRecord

ROWS_MAX = 10_000
"""So many requests are read for one answer; of more, Application Insights does the counting."""
SERVICE, DEPLOYMENT, CLIENT_ID, REQUEST_ID, ROWS = (
    "Service Name", "Deployment Name", "Client Request Id", "Request Id", "Rows",
)  # fmt: skip
TRACE_ID = re.compile(r"[0-9a-f]{32}")
SERVER_ERROR = f"(status >= 500 or status == {MODEL_FAILED})"
FIGURES = (
    "requests = sum(times), rows_ = sum(rows_), "
    f"client_errors = sum(iff(status >= 400 and not {SERVER_ERROR}, times, 0)), "
    f"server_errors = sum(iff({SERVER_ERROR}, times, 0)), "
    "p50 = percentile(duration, 50), p95 = percentile(duration, 95), p99 = percentile(duration, 99)"
)


class Requests:
    """The questions that are asked of the requests."""

    def __init__(self, insights: Insights) -> None:
        self._insights = insights
        self._since: dict[str, float] = {}

    def search(
        self, endpoint: str, query: RequestQuery, until: float, origin: Origin | None
    ) -> tuple[RequestRecord, ...]:
        """Those that fit, the newest first, or the slowest."""
        asked = self._asked(endpoint, query.since, min(until, query.until or until), origin)
        if query.text:
            dimensions = (f'tostring(customDimensions["{name}"])' for name in (REQUEST_ID, CLIENT_ID))
            places = (f"{place} startswith {text(query.text)}" for place in (*dimensions, "operation_Id", "id"))
            asked += f" | where {' or '.join(places)}"
        if query.statuses:
            asked += f" | where status in ({', '.join(map(str, query.statuses))})"
        if query.deployment:
            asked += f" | where deployment == {text(query.deployment)}"
        if query.problem:
            asked += f" | where operation_Id in ({self._with_problem(query)})"
        asked += f" | order by {'duration' if query.slowest else 'timestamp'} desc | take {min(query.limit, ROWS_MAX)}"
        found = self._insights.ask(
            f"{asked} | project timestamp, id, operation_Id, resultCode, duration, customDimensions"
        )
        return tuple(map(record, found))

    def whole(self, endpoint: str, since: float, until: float) -> tuple[RequestRecord, ...] | None:
        """All requests of a window, of every origin; None where they are too many, or a row stands for several."""
        found = self._insights.ask(
            f"{self._asked(endpoint, since, until, None)} | order by timestamp desc | take {ROWS_MAX}"
            " | project timestamp, id, operation_Id, resultCode, duration, customDimensions, itemCount"
        )
        if len(found) == ROWS_MAX or any(row["itemCount"] not in (1, None) for row in found):
            return None
        return tuple(map(record, found))

    def figures(
        self,
        endpoint: str,
        since: float,
        until: float,
        origin: Origin | None,
        by: tuple[str, ...],
        width_s: float = 1.0,
    ) -> tuple[Row, ...]:
        """Counts and percentiles of a window by `deployment`, `status`, `origin` or `at`, its intervals' beginnings."""
        named = {"at": f"at = bin_at(timestamp, {span(width_s)}, {moment(since)})"}
        groups = ", ".join(named.get(name, name) for name in by)
        asked = f"{self._asked(endpoint, since, until, origin)} | summarize {FIGURES}"
        return self._insights.ask(asked + (f" by {groups}" if groups else ""))

    def recorded_since(self, endpoint: str) -> float | None:
        """When the oldest request that is kept was recorded; None where there is none."""
        if endpoint not in self._since:
            first = (
                f'requests | where customDimensions["{SERVICE}"] == {text(endpoint)} | summarize at = min(timestamp)'
            )
            if not (at := next((row["at"] for row in self._insights.ask(first)), None)):
                return None
            self._since[endpoint] = seconds(at)
        return self._since[endpoint]

    def _asked(self, endpoint: str, since: float | None, until: float | None, origin: Origin | None) -> str:
        """The requests of one origin, or of all, with what is told of them as columns of their own."""
        known = '"client"'
        for name in Origin:
            known = f'iff(told startswith_cs "{TAG}-{name.value}-", "{name.value}", {known})'
        asked = (
            f'{within("requests", since, until)} | where customDimensions["{SERVICE}"] == {text(endpoint)}'
            f' | extend status = toint(resultCode), deployment = tostring(customDimensions["{DEPLOYMENT}"]),'
            f' rows_ = toint(customDimensions["{ROWS}"]), times = tolong(itemCount),'
            f' told = strcat(tostring(customDimensions["{CLIENT_ID}"]), "-")'
            f" | extend origin = {known}"
        )
        return asked + (f' | where origin == "{origin.value}"' if origin else "")

    def _with_problem(self, query: RequestQuery) -> str:
        """The operations in which this kind of exception was raised."""
        found = self._insights.ask(
            f"{within('exceptions', query.since, query.until)} | where type == {text(query.problem)}"
            f" | distinct operation_Id | take 1000"
        )
        return ", ".join(text(str(row["operation_Id"])) for row in found if row["operation_Id"]) or text("none")


def record(row: Row) -> RequestRecord:
    """A request as it is told everywhere."""
    told = about(row)
    client_id = str(told.get(CLIENT_ID) or "")
    origin, trace = _origin(client_id), str(row.get("operation_Id") or "")
    return RequestRecord(
        at=seconds(row["timestamp"]),
        request_id=str(told.get(REQUEST_ID) or row["id"]),
        deployment=str(told.get(DEPLOYMENT) or ""),
        status=int(row["resultCode"] or 0),
        rows=int(told.get(ROWS) or 0),
        elapsed_ms=float(row["duration"] or 0.0),
        bytes_in=0,
        bytes_out=0,
        origin=origin,
        client_request_id=client_id if origin == Origin.CLIENT else "",
        trace_id=trace if TRACE_ID.fullmatch(trace) else "",
    )


def _origin(client_id: str) -> str:
    """Who has sent it, by what it calls itself; whoever says nothing is a client."""
    mark, _, rest = client_id.partition("-")
    name = rest.partition("-")[0]
    return Origin(name) if mark == TAG and name in {origin.value for origin in Origin} else Origin.CLIENT


def number(value: Any) -> float | None:
    """A percentile of an answer; of nothing it is none."""
    return None if value in (None, "NaN") else float(value)
