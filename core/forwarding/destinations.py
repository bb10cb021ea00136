"""Who gets telemetry: an OTLP collector and Application Insights, by their own exporters."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from core.settings import Settings

TIMEOUT_S = 5.0
TOO_LARGE = 413
LATER = (401, 402, 403, 404, 407, 408, 421, 425, 429, 439)
"""Statuses of 4xx by which a receiver does not refuse what it was sent: it is busy, or a key or an address is wrong."""
AGAIN = (408, 429, 439, 500, 502, 503, 504)
"""Of Application Insights: an item that was not taken for now."""
SILENT = {
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED": "true",
}
"""The exporter sends to the address in the connection string, and nothing about itself to anybody else."""


class Answer(Enum):
    """What a receiver makes of a batch."""

    TAKEN = auto()
    NOT_NOW = auto()
    """It may take the same another time."""
    IN_PARTS = auto()
    """It never takes all of it at once."""
    NEVER = auto()


class Heard:
    """What was asked and answered in the last try."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Before another try."""
        self.asked = False
        self.status: int | None = None
        self.item_statuses: tuple[int, ...] = ()
        """Of items that were not taken, where others of their batch were."""

    @property
    def why(self) -> str:
        """Why nothing, or not all, was taken, in a few words."""
        if self.item_statuses:
            return f"it answered {', '.join(map(str, sorted(set(self.item_statuses))))} to some of a batch"
        if self.status is not None:
            return f"it answered {self.status}"
        return "it did not answer" if self.asked else "it could not be written as the receiver wants it"

    def answer(self, succeeded: bool) -> Answer:
        """What it means."""
        if succeeded:
            return Answer.TAKEN
        if self.item_statuses:
            return Answer.NOT_NOW if any(status in AGAIN for status in self.item_statuses) else Answer.TAKEN
        if not self.asked or self.status == TOO_LARGE:
            return Answer.IN_PARTS
        refused = self.status is not None and 400 <= self.status < 500 and self.status not in LATER
        return Answer.NEVER if refused else Answer.NOT_NOW


@dataclass(frozen=True)
class Destination:
    """A receiver, by a name that its cursor is kept under."""

    name: str
    send_spans: Callable[[Sequence[ReadableSpan]], Answer]
    send_lines: Callable[[Sequence[ReadableLogRecord]], Answer]
    heard: Heard


def destinations(settings: Settings) -> tuple[Destination, ...]:
    """All that the settings name."""
    found = []
    if settings.otlp_url:
        found.append(_collector(settings.otlp_url.rstrip("/")))
    if settings.app_insights_connection:
        found.append(_insights(settings.app_insights_connection))
    return tuple(found)


def _collector(url: str) -> Destination:
    """OTLP over HTTP. `OTEL_EXPORTER_OTLP_HEADERS` and the like are understood as everywhere."""
    import requests
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    heard = Heard()

    class Session(requests.Session):
        def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            heard.asked = True
            response = super().send(request, **options)
            heard.status = response.status_code
            return response

    spans = OTLPSpanExporter(endpoint=f"{url}/v1/traces", timeout=TIMEOUT_S, session=Session())
    lines = OTLPLogExporter(endpoint=f"{url}/v1/logs", timeout=TIMEOUT_S, session=Session())
    return _destination("otlp", spans, lines, heard)


def _insights(connection: str) -> Destination:
    """Application Insights. What it does not take is sent again by us, with the same ids, and not kept elsewhere."""
    os.environ.update(SILENT)
    from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter, AzureMonitorTraceExporter

    heard = Heard()

    def asking(request: Any) -> None:
        heard.asked = True

    def answered(response: Any) -> None:
        answer = response.http_response
        heard.status, heard.item_statuses = answer.status_code, ()
        if answer.status_code == 206:
            heard.item_statuses = _item_statuses(answer.text())

    options: dict[str, Any] = {
        "connection_string": connection,
        "disable_offline_storage": True,
        "max_envelopes_per_second": 0,
        "retry_total": 0,
        "timeout": TIMEOUT_S,
        "raw_request_hook": asking,
        "raw_response_hook": answered,
    }
    return _destination("insights", AzureMonitorTraceExporter(**options), AzureMonitorLogExporter(**options), heard)


def _item_statuses(body: str) -> tuple[int, ...]:
    """Of the items that Application Insights did not take: its exporter says nothing of those."""
    try:
        return tuple(int(error["statusCode"]) for error in json.loads(body).get("errors", []))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()


def _destination(name: str, spans: SpanExporter, lines: LogRecordExporter, heard: Heard) -> Destination:
    def send_spans(batch: Sequence[ReadableSpan]) -> Answer:
        heard.forget()
        return heard.answer(spans.export(batch) is SpanExportResult.SUCCESS)

    def send_lines(batch: Sequence[ReadableLogRecord]) -> Answer:
        heard.forget()
        return heard.answer(lines.export(batch) is LogRecordExportResult.SUCCESS)

    return Destination(name, send_spans, send_lines, heard)
