"""Requests to an OTLP collector, as spans, when the setting `otlp_url` names one; it may pass them on to anything.

The service sends segments before they are merged: nothing of it is on a request's way, nor in the process of a scoring
server. A segment that the collector took bears that in its name, whatever becomes of its merging; what it did not take
stays and is sent again; after `GIVE_UP_S` it is merged unsent. What was sent twice, after a crash between the
collector's answer and the new name, has the same ids twice, which collectors take as one.
"""

import hashlib
import json
import re
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.domain.errors import ServiceUnavailable
from core.domain.monitoring import Origin
from core.domain.version import VERSION

TIMEOUT_S = 5.0
GIVE_UP_S = 3600.0
SPANS_MAX = 2000
"""So many go in one request: about 1 MB."""
SERVER_KIND, ERROR = 2, 2
"""OTLP's numbers for a span of a server and for one that failed."""
TRACE_ID = re.compile(r"[0-9a-f]{32}")
ATTRIBUTES = {
    "request_id": "slipway.request_id",
    "client_request_id": "slipway.client_request_id",
    "deployment": "slipway.deployment",
    "status": "http.response.status_code",
    "rows": "slipway.rows",
    "method": "slipway.method",
    "form": "slipway.form",
    "run_ms": "slipway.run_ms",
    "bytes_in": "http.request.body.size",
    "bytes_out": "http.response.body.size",
    "mirrored": "slipway.mirrored",
}
"""Which field of a record becomes which attribute, by OpenTelemetry's names where there are some."""
ORIGIN = "slipway.origin"


def forward(
    segment: Path, endpoint: str, url: str, *, skip: int = 0, on_taken: Callable[[int], None] = lambda count: None
) -> None:
    """Send the records of a segment, but for the first `skip`, to `url`/v1/traces.

    `on_taken` hears how many the collector has so far. Raises ServiceUnavailable when it does not take all.
    """
    records = list(_records(segment))
    for at in range(skip, len(records), SPANS_MAX):
        _send(f"{url.rstrip('/')}/v1/traces", export(endpoint, records[at : at + SPANS_MAX]))
        on_taken(min(at + SPANS_MAX, len(records)))


def export(endpoint: str, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The records of one endpoint as OTLP's JSON."""
    service = _attributes({"service.name": endpoint, "service.namespace": "slipway", "service.version": VERSION})
    spans = {"scope": {"name": "slipway", "version": VERSION}, "spans": [span(record) for record in records]}
    return {"resourceSpans": [{"resource": {"attributes": service}, "scopeSpans": [spans]}]}


def span(record: Mapping[str, Any]) -> dict[str, Any]:
    """One request; what the model or the server failed with is its exception, by name: its text may hold values."""
    begun, status = round(record["at"] * 1e9), int(record.get("status") or 0)
    ended = begun + round((record.get("elapsed_ms") or 0.0) * 1e6)
    known = {name: record[field] for field, name in ATTRIBUTES.items() if record.get(field) not in (None, "")}
    origin = record.get("origin") or Origin.CLIENT.value
    made = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    told = str(record.get("trace_id") or "")
    span: dict[str, Any] = {
        "traceId": told if TRACE_ID.fullmatch(told) else made[:32],
        "spanId": made[32:48],
        "name": "POST /score",
        "kind": SERVER_KIND,
        "startTimeUnixNano": str(begun),
        "endTimeUnixNano": str(ended),
        "attributes": _attributes({"http.request.method": "POST", "url.path": "/score", **known, ORIGIN: origin}),
        "status": {"code": ERROR} if status >= 500 or status == 424 else {},
    }
    if problem := record.get("problem"):
        exception = _attributes({"exception.type": problem})
        span["events"] = [{"name": "exception", "timeUnixNano": str(ended), "attributes": exception}]
    return span


def _records(segment: Path) -> Iterable[Mapping[str, Any]]:
    for line in segment.read_bytes().splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue  # the torn last line of a server that died
        if isinstance(record, dict) and isinstance(record.get("at"), int | float):
            yield record


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": str(value)}


def _send(address: str, body: Mapping[str, Any]) -> None:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310 - the setting's own address
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:  # noqa: S310
            reply.read()
    except OSError as e:
        raise ServiceUnavailable(f"Telemetry was not forwarded to {address}: {e}", hint="See SLIPWAY_OTLP_URL") from e
