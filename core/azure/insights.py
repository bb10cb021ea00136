"""Application Insights of the workspace, asked by its query API: what the servers of endpoints have recorded."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.azure.context import Context
from core.domain.errors import Conflict, Forbidden, ServiceUnavailable

API = "https://api.applicationinsights.io/v1/apps"
SCOPE = "https://api.applicationinsights.io/.default"
ARM = "https://management.azure.com"
COMPONENT_VERSION = "2020-02-02"

Row = Mapping[str, Any]


class Insights:
    """The queries of one workspace."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._app = ""

    def ask(self, query: str) -> tuple[Row, ...]:
        """The rows that a query in Kusto's language gives.

        Raises Forbidden without the right to read them, Conflict for a workspace that has no Application Insights.
        """
        reply = self._context.http("POST", f"{API}/{self._app_id()}/query", scope=SCOPE, json={"query": query})
        if reply.status_code in (401, 403):
            raise Forbidden(
                "Application Insights does not let this credential read what it has recorded",
                hint="It needs the role 'Monitoring Reader' on the workspace's Application Insights",
            )
        if reply.status_code != 200:
            raise ServiceUnavailable(
                f"Application Insights answers {reply.status_code}: {reply.text[:200]}", hint="Try again in a minute"
            )
        table = reply.json()["tables"][0]
        names = [column["name"] for column in table["columns"]]
        return tuple(dict(zip(names, row, strict=True)) for row in table["rows"])

    def _app_id(self) -> str:
        if not self._app:
            component = str(self._context.workspace_document.application_insights or "")
            if not component:
                raise Conflict(
                    "The workspace has no Application Insights, so nothing is recorded",
                    hint="Give it one in Azure's portal",
                )
            url = f"{ARM}{component}?api-version={COMPONENT_VERSION}"
            reply = self._context.http("GET", url, scope=f"{ARM}/.default")
            if reply.status_code != 200:
                raise ServiceUnavailable(f"Azure answers {reply.status_code} for {component}", hint="Is it there?")
            self._app = str(reply.json()["properties"]["AppId"])
        return self._app


def text(value: str) -> str:
    """A text as it stands in a query; whatever is in it stays in it."""
    return json.dumps(value, ensure_ascii=False)


def moment(at: float) -> str:
    """A moment as it stands in a query."""
    return f"datetime({datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S.%fZ})"


def span(seconds: float) -> str:
    """A time as it stands in a query."""
    return f"{seconds:.6f}s"


def seconds(value: Any) -> float:
    """A moment of an answer, in seconds since the epoch."""
    return datetime.fromisoformat(str(value)).timestamp()


def within(table: str, since: float | None, until: float | None) -> str:
    """A table in a window of time."""
    asked = table
    if since is not None:
        asked += f" | where timestamp >= {moment(since)}"
    return asked + (f" | where timestamp < {moment(until)}" if until is not None else "")


def about(row: Row) -> Mapping[str, Any]:
    """A row's own dimensions, which come as text or as they are."""
    found = row["customDimensions"] or {}
    told: Mapping[str, Any] = json.loads(found) if isinstance(found, str) else found
    return told
