"""A request as a span, by OpenTelemetry's semantic conventions where there is a name for something."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from core.domain.monitoring import Origin, is_server_error
from core.domain.version import VERSION

TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
SCOPE = InstrumentationScope("slipway", VERSION)
SCORE = {"http.request.method": "POST", "http.route": "/score", "url.path": "/score", "url.scheme": "http"}
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
"""Which field of a record becomes which attribute."""
ORIGIN = "slipway.origin"


def resource(endpoint: str) -> Resource:
    """Who tells: the endpoint. Nothing of this process's environment is in it."""
    return Resource({"service.name": endpoint, "service.namespace": "slipway", "service.version": VERSION})


def span(record: Mapping[str, Any], of: Resource) -> ReadableSpan:
    """One request; what the model or the server failed with is its exception, by name: its text may hold values.

    Why a client's request was refused is its `error.type` alone.
    """
    begun, status = round(record["at"] * 1e9), int(record.get("status") or 0)
    ended = begun + round((record.get("elapsed_ms") or 0.0) * 1e6)
    known = {name: record[field] for field, name in ATTRIBUTES.items() if record.get(field) not in (None, "")}
    problem = str(record.get("problem") or "")
    failed = is_server_error(status)
    if failed or problem:
        known["error.type"] = problem or str(status)
    return ReadableSpan(
        "POST /score",
        context=SpanContext(*ids(record), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED)),
        resource=of,
        attributes={**SCORE, **known, ORIGIN: record.get("origin") or Origin.CLIENT.value},
        events=(Event("exception", {"exception.type": problem}, ended),) if failed and problem else (),
        kind=SpanKind.SERVER,
        status=Status(StatusCode.ERROR if failed else StatusCode.UNSET),
        start_time=begun,
        end_time=ended,
        instrumentation_scope=SCOPE,
    )


def ids(record: Mapping[str, Any]) -> tuple[int, int]:
    """The trace's id, the client's own where it sent one, and the span's: what is sent again has the same."""
    made = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    told = str(record.get("trace_id") or "")
    return int(told if TRACE_ID.fullmatch(told) else made[:32], 16), int(made[32:48], 16) or 1
