"""An OTLP collector and Application Insights' ingestion, as their exporters see them; each takes what it is told to."""

import gzip
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver(ThreadingHTTPServer):
    """Takes what is sent to it, unless it is told not to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.asked = 0
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.taken_max = 1_000_000
        self.strangers: list[str] = []
        """Other hosts that were asked for by us as a proxy."""
        self.partly: list[int] = []
        """Of Application Insights: how many items of each next request are taken, and the rest is to come again."""
        self.item_status = 429
        """What is said of that rest."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def connection(self) -> str:
        return f"InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint={self.url}/"

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        self.asked += 1
        if self.status != 200 or len(self.taken) >= self.taken_max:
            return self.status if self.status != 200 else 503, b""
        self.taken.append((path, headers, body))
        if "/track" not in path:
            return 200, b""
        items = len(json.loads(body))
        accepted = self.partly.pop(0) if self.partly else items
        errors = [{"index": i, "statusCode": self.item_status, "message": "not so"} for i in range(accepted, items)]
        told = {"itemsReceived": items, "itemsAccepted": accepted, "errors": errors}
        return (206 if errors else 200), json.dumps(told).encode()

    def items(self) -> list[dict[str, Any]]:
        """What Application Insights was sent."""
        return [item for path, _, body in self.taken if "/track" in path for item in json.loads(body)]

    def spans(self) -> list[Any]:
        """What a collector was sent to /v1/traces: (resource's attributes, span)."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        found = []
        for _, _, body in (one for one in self.taken if one[0] == "/v1/traces"):
            for told in ExportTraceServiceRequest.FromString(body).resource_spans:
                found += [(named(told.resource.attributes), span) for of in told.scope_spans for span in of.spans]
        return found

    def lines(self) -> list[Any]:
        """What a collector was sent to /v1/logs."""
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

        found = []
        for _, _, body in (one for one in self.taken if one[0] == "/v1/logs"):
            for told in ExportLogsServiceRequest.FromString(body).resource_logs:
                found += [line for of in told.scope_logs for line in of.log_records]
        return found


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        status, answer = self.server.answer(self.path, headers, body)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_CONNECT(self) -> None:
        """As a proxy: somebody wants to reach another host."""
        self.server.strangers.append(self.path)
        self.send_error(502)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def named(attributes: Any) -> dict[str, Any]:
    """OTLP's attributes by name."""
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in attributes}
