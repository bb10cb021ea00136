"""Application Insights of the workspace, asked by its query API: what the servers of endpoints have recorded.

Azure's inference server records a request with the endpoint, the deployment and the id that its client gave it. It
counts neither rows nor bytes; those are 0 where nobody else has written them.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from core.azure.context import TAG, Context
from core.domain.errors import Conflict, Forbidden, ServiceUnavailable
from core.domain.monitoring import Origin, RequestRecord

API = "https://api.applicationinsights.io/v1/apps"
SCOPE = "https://api.applicationinsights.io/.default"
ARM = "https://management.azure.com"
COMPONENT_VERSION = "2020-02-02"
ROWS_MAX = 10_000
"""So many requests are read for one answer."""
SERVICE, DEPLOYMENT, CLIENT_ID, REQUEST_ID, ROWS = (
    "Service Name", "Deployment Name", "Client Request Id", "Request Id", "Rows",
)  # fmt: skip


class Insights:
    """The queries that are asked here, of one workspace."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._app = ""

    def requests(self, endpoint: str, since: float, until: float, limit: int) -> tuple[RequestRecord, ...]:
        """The newest requests to an endpoint in a window of time, newest first."""
        found = self._asked(
            f"requests | where timestamp >= datetime({_iso(since)}) and timestamp < datetime({_iso(until)})"
            f' | where customDimensions["{SERVICE}"] == "{endpoint}"'
            f" | project timestamp, id, resultCode, duration, customDimensions"
            f" | order by timestamp desc | take {min(limit, ROWS_MAX)}"
        )
        return tuple(map(_record, found))

    def _asked(self, query: str) -> Iterator[Mapping[str, Any]]:
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
        return (dict(zip(names, row, strict=True)) for row in table["rows"])

    def _app_id(self) -> str:
        """Raises Conflict for a workspace that has no Application Insights."""
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


def _record(row: Mapping[str, Any]) -> RequestRecord:
    about = row["customDimensions"] or {}
    about = json.loads(about) if isinstance(about, str) else about
    return RequestRecord(
        at=datetime.fromisoformat(str(row["timestamp"])).timestamp(),
        request_id=str(about.get(REQUEST_ID) or row["id"]),
        deployment=str(about.get(DEPLOYMENT) or ""),
        status=int(row["resultCode"] or 0),
        rows=int(about.get(ROWS) or 0),
        elapsed_ms=float(row["duration"] or 0.0),
        bytes_in=0,
        bytes_out=0,
        origin=_origin(str(about.get(CLIENT_ID) or "")),
    )


def _origin(client_id: str) -> str:
    """Who has sent it, by what it calls itself; whoever says nothing is a client."""
    mark, _, rest = client_id.partition("-")
    name = rest.partition("-")[0]
    return Origin(name) if mark == TAG and name in {origin.value for origin in Origin} else Origin.CLIENT


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
