"""Who gets telemetry: an OTLP collector and Application Insights, by their own exporters."""

import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from core.settings import Settings

log = logging.getLogger(__name__)

TIMEOUT_S = 5.0
AGAIN = (408, 429, 439, 500, 502, 503, 504)
"""Of Application Insights: an item that was not taken for now."""
SILENT = {
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED": "true",
}
"""The exporter sends to the address in the connection string, and nothing about itself to anybody else."""


@dataclass(frozen=True)
class Destination:
    """A receiver, by a name that its cursor is kept under."""

    name: str
    send_spans: Callable[[Sequence[ReadableSpan]], bool]
    """Whether all were taken."""
    send_lines: Callable[[Sequence[ReadableLogRecord]], bool]


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
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    spans = OTLPSpanExporter(endpoint=f"{url}/v1/traces", timeout=TIMEOUT_S)
    lines = OTLPLogExporter(endpoint=f"{url}/v1/logs", timeout=TIMEOUT_S)
    return Destination("otlp", _spans(spans, _all), _lines(lines, _all))


def _insights(connection: str) -> Destination:
    """Application Insights. What it does not take is sent again by us, with the same ids, and not kept elsewhere."""
    os.environ.update(SILENT)
    from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter, AzureMonitorTraceExporter

    taken = _Taken()
    options: dict[str, Any] = {
        "connection_string": connection,
        "disable_offline_storage": True,
        "max_envelopes_per_second": 0,
        "retry_total": 0,
        "timeout": TIMEOUT_S,
        "raw_response_hook": taken.note,
    }
    spans, lines = AzureMonitorTraceExporter(**options), AzureMonitorLogExporter(**options)
    return Destination("insights", _spans(spans, taken), _lines(lines, taken))


class _Taken:
    """Whether Application Insights took the last batch whole: of one that it took in part the exporter says nothing."""

    def __init__(self) -> None:
        self._whole = True

    def note(self, response: Any) -> None:
        answer = response.http_response
        self._whole = True
        if answer.status_code == 206:
            try:
                errors = json.loads(answer.text()).get("errors", [])
                refused = [error["statusCode"] for error in errors]
            except (ValueError, KeyError, TypeError, AttributeError):
                refused = []
            self._whole = not any(code in AGAIN for code in refused)
            if self._whole and refused:
                log.warning("Application Insights refuses %d items for good: %s", len(refused), sorted(set(refused)))

    def __call__(self) -> bool:
        return self._whole


def _all() -> bool:
    return True


def _spans(exporter: SpanExporter, whole: Callable[[], bool]) -> Callable[[Sequence[ReadableSpan]], bool]:
    return lambda spans: exporter.export(spans) is SpanExportResult.SUCCESS and whole()


def _lines(exporter: LogRecordExporter, whole: Callable[[], bool]) -> Callable[[Sequence[ReadableLogRecord]], bool]:
    return lambda lines: exporter.export(lines) is LogRecordExportResult.SUCCESS and whole()
