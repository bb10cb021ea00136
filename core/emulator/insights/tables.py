"""The tables of Application Insights over what the workspace has recorded of its endpoints.

Each is there under two names: that of Application Insights (`requests`, `timestamp`) and that of its Log Analytics
workspace (`AppRequests`, `TimeGenerated`). Only deployments with `appInsightsEnabled` are told of.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.domain.job import LogLine
from core.emulator.emulation import Emulation
from core.emulator.endpoints import online, places, traces
from core.emulator.endpoints.places import Place
from core.emulator.insights.running import Row, Table
from core.emulator.insights.words import QueryError

ROWS_MAX = 10_000
TESTED_S, TESTS = 86_400.0, 288
"""An availability test has run for a day, every five minutes."""
SEVERITY = {"debug": 0, "info": 1, "warning": 2, "error": 3, "critical": 4}
COMMON = {
    "operation_Name": ("OperationName", "string"),
    "operation_Id": ("OperationId", "string"),
    "operation_ParentId": ("ParentId", "string"),
    "cloud_RoleName": ("AppRoleName", "string"),
    "cloud_RoleInstance": ("AppRoleInstance", "string"),
    "itemType": ("Type", "string"),
    "itemCount": ("ItemCount", "int"),
    "appId": ("ResourceGUID", "string"),
    "_ResourceId": ("_ResourceId", "string"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One table: its columns as Application Insights calls them -> as Log Analytics does, with their types."""

    columns: Mapping[str, tuple[str, str]]
    rows: Callable[[Emulation, "Told"], Iterator[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Told:
    """An endpoint that tells, and those of its deployments that do, by the workspace's name of each."""

    place: Place
    id: str
    deployments: Mapping[str, str]


def _requests(emulation: Emulation, told: Told) -> Iterator[dict[str, Any]]:
    """The workspace's records, and what code of a client has answered, with the ids that clients gave."""
    noted = {note["request_id"]: note for note in traces.notes(emulation, told.place)}
    records = emulation.workspace.records.requests(told.place.local, ROWS_MAX, origin=None)
    for record in records:
        if name := told.deployments.get(record.deployment):
            client_id = noted.get(record.request_id, {}).get("client_id", "")
            origin = {} if record.origin == "client" else {"Origin": str(record.origin)}
            about = {"Rows": str(record.rows), **origin}
            yield _request(told, name, record.at, record.request_id, client_id, record.status, record.elapsed_ms, about)
    known = {record.request_id for record in records}
    for note in noted.values():
        if note["code"] and note["request_id"] not in known and note["deployment"] in told.deployments.values():
            yield _request(
                told, note["deployment"], note["at"], note["request_id"], note["client_id"], note["status"],
                note["elapsed_ms"], {},
            )  # fmt: skip


def _request(
    told: Told,
    deployment: str,
    at: float,
    request_id: str,
    client_id: str,
    status: int,
    elapsed_ms: float,
    about: dict[str, str],
) -> dict[str, Any]:
    return {
        "timestamp": datetime.fromtimestamp(at, UTC),
        "id": request_id,
        "name": "POST /score",
        "url": f"https://{told.place.name.lower()}/score",
        "success": status < 400,
        "resultCode": str(status),
        "duration": float(elapsed_ms),
        "performanceBucket": _bucket(elapsed_ms),
        "customDimensions": {
            "Service Name": told.place.name, "Deployment Name": deployment, "Request Id": request_id,
            "Client Request Id": client_id, **about,
        },
        "operation_Name": "POST /score",
        "operation_Id": request_id.replace("-", ""),
        "cloud_RoleInstance": deployment,
    }  # fmt: skip


def _bucket(elapsed_ms: float) -> str:
    edges = ((250, "<250ms"), (500, "250ms-500ms"), (1000, "500ms-1sec"), (3000, "1sec-3sec"), (7000, "3sec-7sec"))
    return next((name for edge, name in edges if elapsed_ms < edge), ">=7sec")


def _lines(emulation: Emulation, told: Told) -> tuple[LogLine, ...]:
    if places.local_endpoint(emulation, told.place) is None:
        return ()
    return emulation.workspace.endpoints.logs(told.place.local, ROWS_MAX)


def _traces(emulation: Emulation, told: Told) -> Iterator[dict[str, Any]]:
    for line in _lines(emulation, told):
        yield {
            "timestamp": datetime.fromtimestamp(line.at, UTC),
            "message": line.text,
            "severityLevel": SEVERITY.get(line.level.lower(), 1),
            "customDimensions": {"Service Name": told.place.name},
        }


def _exceptions(emulation: Emulation, told: Told) -> Iterator[dict[str, Any]]:
    """Lines of an error with its traceback: the last line names it."""
    for line in _lines(emulation, told):
        if SEVERITY.get(line.level.lower(), 1) < SEVERITY["error"]:
            continue
        last = (line.text.strip().splitlines() or [""])[-1]
        kind, _, message = last.partition(": ")
        named = (message or "\n" in line.text.strip()) and kind.replace(".", "").replace("_", "").isalnum()
        yield {
            "timestamp": datetime.fromtimestamp(line.at, UTC),
            "problemId": f"{kind if named else 'Error'} at {told.place.name}",
            "type": kind if named else "Error",
            "message": message if named else last,
            "outerType": kind if named else "Error",
            "outerMessage": message if named else last,
            "innermostMessage": message if named else last,
            "severityLevel": SEVERITY.get(line.level.lower(), 3),
            "details": [{"message": last, "rawStack": line.text}],
            "customDimensions": {"Service Name": told.place.name},
        }


def _availability(emulation: Emulation, told: Told) -> Iterator[dict[str, Any]]:
    """As of a test that asks the endpoint every five minutes: whether it could be reached all the time."""
    if not emulation.workspace.can("records.availability") or places.local_endpoint(emulation, told.place) is None:
        return
    seen = emulation.workspace.records.availability(told.place.local, TESTED_S, TESTS)
    for bucket in seen.buckets:
        if bucket.share is not None:
            good = bucket.down_s == 0
            yield {
                "timestamp": datetime.fromtimestamp(bucket.at + bucket.width_s / 2, UTC),
                "id": f"{told.place.name}-{int(bucket.at)}",
                "name": told.place.name,
                "location": "emulation",
                "success": "1" if good else "0",
                "message": "Passed" if good else "Failed",
                "duration": 0.0,
                "customDimensions": {"Service Name": told.place.name},
            }


AT, ABOUT = ("TimeGenerated", "datetime"), ("Properties", "dynamic")
KINDS: Mapping[tuple[str, str], Kind] = {
    ("requests", "AppRequests"): Kind(
        {
            "timestamp": AT, "id": ("Id", "string"), "name": ("Name", "string"), "url": ("Url", "string"),
            "success": ("Success", "bool"), "resultCode": ("ResultCode", "string"), "duration": ("DurationMs", "real"),
            "performanceBucket": ("PerformanceBucket", "string"), "customDimensions": ABOUT, **COMMON,
        },
        _requests,
    ),
    ("traces", "AppTraces"): Kind(
        {
            "timestamp": AT, "message": ("Message", "string"), "severityLevel": ("SeverityLevel", "int"),
            "customDimensions": ABOUT, **COMMON,
        },
        _traces,
    ),
    ("exceptions", "AppExceptions"): Kind(
        {
            "timestamp": AT, "problemId": ("ProblemId", "string"), "type": ("ExceptionType", "string"),
            "message": ("Message", "string"), "outerType": ("OuterType", "string"),
            "outerMessage": ("OuterMessage", "string"), "innermostMessage": ("InnermostMessage", "string"),
            "severityLevel": ("SeverityLevel", "int"), "details": ("Details", "dynamic"), "customDimensions": ABOUT,
            **COMMON,
        },
        _exceptions,
    ),
    ("availabilityResults", "AppAvailabilityResults"): Kind(
        {
            "timestamp": AT, "id": ("Id", "string"), "name": ("Name", "string"), "location": ("Location", "string"),
            "success": ("Success", "string"), "message": ("Message", "string"), "duration": ("DurationMs", "real"),
            "customDimensions": ABOUT, **COMMON,
        },
        _availability,
    ),
}  # fmt: skip


def table(emulation: Emulation, name: str, since: datetime | None, until: datetime | None) -> Table:
    """A table by either of its names, within a span of time, the newest row first. Raises QueryError."""
    for (classic, analytic), kind in KINDS.items():
        if name not in (classic, analytic):
            continue
        columns = {key if name == classic else there: type_ for key, (there, type_) in kind.columns.items()}
        rows = [
            _shown(row, kind, classic, analytic, name)
            for told in _telling(emulation)
            for row in _common(emulation, told, kind.rows(emulation, told), classic)
            if (since is None or row["timestamp"] >= since) and (until is None or row["timestamp"] <= until)
        ]
        first = next(iter(columns))
        return Table(columns, sorted(rows, key=lambda row: row[first], reverse=True))
    known = ", ".join(each for pair in KINDS for each in pair)
    raise QueryError(f"Failed to resolve table or column expression named '{name}' (the emulation has {known})")


def _telling(emulation: Emulation) -> Iterator[Told]:
    prefix = f"{emulation.names.workspace_path}/onlineEndpoints/"
    for key, endpoint in emulation.state.below(prefix):
        place = places.place_of(emulation, endpoint["id"]) if key.count("/") == prefix.count("/") else None
        if place is None:
            continue
        telling = {
            place.local_deployment(deployment["name"]) or deployment["name"]: deployment["name"]
            for deployment in online.deployments_of(emulation, endpoint["id"]).values()
            if deployment["properties"]["appInsightsEnabled"]
        }
        if telling:
            yield Told(place, endpoint["id"], telling)


def _common(emulation: Emulation, told: Told, rows: Iterator[dict[str, Any]], classic: str) -> Iterator[dict[str, Any]]:
    own = {
        "cloud_RoleName": told.place.name,
        "itemType": classic.removesuffix("s"),
        "itemCount": 1,
        "appId": emulation.names.workspace_id,
        "_ResourceId": told.id.lower(),
    }
    for row in rows:
        yield own | row


def _shown(row: Row, kind: Kind, classic: str, analytic: str, name: str) -> Row:
    if name == classic:
        return row
    return {there: row.get(here) for here, (there, _) in kind.columns.items()} | {"Type": analytic}
