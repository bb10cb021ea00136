"""The REST interfaces that a query comes by: of Application Insights, of Log Analytics, and by the id of a resource."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from core.emulator.arm.resources import known
from core.emulator.emulation import Emulation
from core.emulator.endpoints.checks import seconds
from core.emulator.insights.parsing import parsed
from core.emulator.insights.running import Table, run
from core.emulator.insights.tables import table
from core.emulator.insights.words import QueryError
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.routes import Route

COMPONENTS = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Insights/components"


def query(emulation: Emulation, request: Request) -> Reply:
    """What a query finds; by POST it stands in the body, by GET in the address."""
    asked = request.document() if request.method == "POST" else dict(request.query)
    return Reply(body=_found(emulation, request, asked))


def batch(emulation: Emulation, request: Request) -> Reply:
    """Several queries at once, each with its own answer."""
    responses = []
    for each in request.document().get("requests") or []:
        try:
            status, body = 200, _found(emulation, request, each.get("body") or {}, str(each.get("workspace") or ""))
        except AzureError as e:
            status, body = e.status, {"error": {"code": e.code, "message": e.message}}
        responses.append({"id": each.get("id"), "status": status, "body": body, "headers": {}})
    return Reply(body={"responses": responses})


def _found(emulation: Emulation, request: Request, asked: Document, workspace: str = "") -> Document:
    _check_target(emulation, request, workspace)
    text = asked.get("query")
    if not isinstance(text, str) or not text.strip():
        raise AzureError(400, "BadArgumentError", "The request has no query")
    now = datetime.fromtimestamp(emulation.clock.now(), UTC)
    since, until = _span(asked.get("timespan"), now)
    try:
        wanted = parsed(text)
        found = run(wanted, table(emulation, wanted.table, since, until), now)
    except QueryError as e:
        raise AzureError(400, "BadArgumentError", f"The request had some invalid properties: {e}") from e
    return {"tables": [_shown(found)]}


def _check_target(emulation: Emulation, request: Request, workspace: str) -> None:
    """Raises AzureError 404 for an app, a workspace or a resource that is not the emulated one."""
    names, said = emulation.names, request.found
    ids = (names.workspace_id, names.workspace)
    if "app" in said and said["app"].lower() not in ids:
        raise AzureError(404, "PathNotFoundError", f"The application '{said['app']}' does not exist")
    if (log := said.get("logs") or workspace) and log.lower() not in ids:
        raise AzureError(404, "PathNotFoundError", f"The workspace '{log}' does not exist")
    if "resource" in said and not f"/{said['resource'].lstrip('/')}".lower().startswith(
        f"{names.group_path}/providers/".lower()
    ):
        raise AzureError(404, "ResourceNotFoundError", f"The resource '/{said['resource']}' was not found")


def _span(text: Any, now: datetime) -> tuple[datetime | None, datetime | None]:
    """ISO 8601: a duration until now, or two times, or a time and a duration. Raises AzureError 400."""
    if not text:
        return None, None
    first, _, second = str(text).partition("/")
    try:
        if not second:
            return now - timedelta(seconds=seconds(first, 0.0)), None
        if second.startswith("P"):
            begin = _time(first)
            return begin, begin + timedelta(seconds=seconds(second, 0.0))
        end = _time(second)
        return (end - timedelta(seconds=seconds(first, 0.0)) if first.startswith("P") else _time(first)), end
    except ValueError as e:
        raise AzureError(400, "BadArgumentError", f"'{text}' is no timespan") from e


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text.strip())
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _shown(found: Table) -> Document:
    return {
        "name": "PrimaryResult",
        "columns": [{"name": name, "type": kind} for name, kind in found.columns.items()],
        "rows": [[_cell(row.get(name)) for name in found.columns] for row in found.rows],
    }


def _cell(value: Any) -> Any:
    """As the services write it: times in ISO 8601 with a Z, spans as Kusto does, dynamic values as text."""
    if isinstance(value, datetime):
        text = value.astimezone(UTC).isoformat(timespec="microseconds")
        return re.sub(r"(\.\d*?)0*\+00:00$", lambda match: f"{match[1].rstrip('.')}Z", text)
    if isinstance(value, timedelta):
        days, rest = divmod(abs(value), timedelta(days=1))
        hours, rest = divmod(rest, timedelta(hours=1))
        minutes, rest = divmod(rest, timedelta(minutes=1))
        sign = "-" if value < timedelta() else ""
        return f"{sign}{f'{days}.' if days else ''}{hours:02}:{minutes:02}:{rest.total_seconds():010.7f}"
    return json.dumps(value) if isinstance(value, dict | list) else value


def component(emulation: Emulation, request: Request) -> Reply:
    """The component of Application Insights that the workspace names."""
    known(emulation, request)
    if request.found["name"].lower() != emulation.names.workspace.lower():
        raise AzureError(
            404,
            "ResourceNotFound",
            f"The Resource 'Microsoft.Insights/components/{request.found['name']}' under resource group"
            f" '{request.found['group']}' was not found.",
        )
    return Reply(body=_component(emulation))


def components(emulation: Emulation, request: Request) -> Reply:
    known(emulation, request)
    return Reply(body={"value": [_component(emulation)]})


def _component(emulation: Emulation) -> Document:
    names = emulation.names
    logs = f"{names.group_path}/providers/Microsoft.OperationalInsights/workspaces/{names.workspace}"
    ingestion = f"https://{names.region}-0.in.applicationinsights.azure.com/"
    connection = (
        f"InstrumentationKey={names.workspace_id};IngestionEndpoint={ingestion};ApplicationId={names.workspace_id}"
    )
    return {
        "id": f"{names.group_path}/providers/Microsoft.Insights/components/{names.workspace}",
        "name": names.workspace,
        "type": "microsoft.insights/components",
        "location": names.region,
        "kind": "web",
        "tags": {},
        "properties": {
            "ApplicationId": names.workspace,
            "AppId": names.workspace_id,
            "Application_Type": "web",
            "InstrumentationKey": names.workspace_id,
            "ConnectionString": connection,
            "Name": names.workspace,
            "TenantId": names.subscription,
            "provisioningState": "Succeeded",
            "RetentionInDays": 90,
            "WorkspaceResourceId": logs,
            "IngestionMode": "LogAnalytics",
            "publicNetworkAccessForIngestion": "Enabled",
            "publicNetworkAccessForQuery": "Enabled",
        },
    }


ROUTES = (
    *(Route(verb, "insights", "/v1/apps/{app}/query", query) for verb in ("GET", "POST")),
    *(Route(verb, "insights", "/v1/workspaces/{logs}/query", query) for verb in ("GET", "POST")),
    Route("POST", "insights", "/v1/$batch", batch),
    *(Route(verb, "insights", "/v1/{resource:rest}/query", query) for verb in ("GET", "POST")),
    Route("GET", "arm", COMPONENTS + "/{name}", component),
    Route("GET", "arm", COMPONENTS, components),
)
