"""One request and what its reply must carry: ids, trace, run time, deployment."""

import re
import time
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from core.domain.endpoint import DEPLOYMENT_HEADER
from core.domain.version import VERSION
from core.serving.http import Head
from core.serving.refusals import HeaderTooLong

if TYPE_CHECKING:
    from core.serving.deployment import Deployment
    from core.serving.state import Snapshot

# Azure ML refuses longer ids with 431 (azureml-inference-server-http, routes.py).
ID_CHARS_MAX = 100

# https://www.w3.org/TR/trace-context/#traceparent-header; version ff and ids of zeros are invalid.
TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")

DEPLOYMENT = DEPLOYMENT_HEADER.encode()
SERVER_VERSION = f"slipway/{VERSION}".encode()


class Begun(Protocol):
    """What was begun for a request, and may be called off."""

    def call_off(self) -> bool:
        """Whether it had not run, and now never will."""


class Exchange:
    """What is known of a request while it is answered; the routes note here what the log and the headers tell."""

    __slots__ = (
        "admitted",
        "body_bytes",
        "cause",
        "charged",
        "client_id",
        "deployment",
        "form",
        "gone",
        "headers",
        "legacy_id",
        "method",
        "now",
        "origin",
        "packed",
        "path",
        "plain_bytes",
        "predict_method",
        "problem",
        "query",
        "reasons",
        "request_id",
        "rows",
        "run_failed",
        "run_ms",
        "started",
        "started_at",
        "target",
        "work",
    )

    def __init__(self, head: Head, now: "Snapshot") -> None:
        self.started_at, self.started = time.time(), time.perf_counter()
        self.now = now
        """The endpoint as it was when the request came: it ends with what it began with."""
        self.method, self.path, self.query = head.method, head.path, head.query
        self.headers: Mapping[bytes, bytes] = head.headers
        self.target: Deployment | None = None
        self.admitted = self.packed = False
        self.charged = False
        """A lane has been told that this comes."""
        self.gone = False
        """The client has left, and what was done for it may still be running."""
        self.work: Begun | None = None
        """What is scored, or waits to be, beside the event loop."""
        self.request_id = self.headers.get(b"x-request-id", b"") or str(uuid.uuid4()).encode()
        self.client_id = b""
        self.legacy_id = b""
        self.deployment = self.problem = self.form = self.predict_method = self.origin = ""
        self.cause = self.reasons = ""
        """Why it failed, or was refused."""
        self.rows = self.body_bytes = 0
        self.plain_bytes = 0
        """How long the body is unpacked."""
        self.run_ms = 0.0
        self.run_failed = False

    def take_ids(self) -> None:
        """Settle the three request ids as Azure ML's server does. Raises HeaderTooLong.

        `x-ms-request-id` is the deprecated name of `x-ms-client-request-id`: each stands in for the other.
        """
        if len(self.request_id) > ID_CHARS_MAX:
            self.request_id = str(uuid.uuid4()).encode()
            raise HeaderTooLong(f"x-request-id must not exceed {ID_CHARS_MAX} characters")
        legacy = self.headers.get(b"x-ms-request-id", b"")
        client = self.headers.get(b"x-ms-client-request-id", b"") or legacy
        if len(legacy) > ID_CHARS_MAX or len(client) > ID_CHARS_MAX:
            raise HeaderTooLong(f"x-ms-request-id and x-ms-client-request-id must not exceed {ID_CHARS_MAX} characters")
        self.client_id, self.legacy_id = client, legacy or client or self.request_id

    @property
    def trace_id(self) -> str:
        """The trace that the request belongs to: from `traceparent`, else from `TraceId`, else empty."""
        parent = self.headers.get(b"traceparent")
        if parent and (match := TRACEPARENT.fullmatch(parent)):
            return match[1].decode()
        return self.headers.get(b"traceid", b"")[:ID_CHARS_MAX].decode("latin-1")

    def elapsed_ms(self) -> float:
        return (time.perf_counter() - self.started) * 1000.0

    def reply_headers(self) -> list[tuple[bytes, bytes]]:
        """What every reply carries, refusals included."""
        headers = [
            (b"x-request-id", self.request_id),
            (b"x-ms-run-function-failed", b"True" if self.run_failed else b"False"),
            (b"x-ms-run-fn-exec-ms", f"{self.run_ms:.3f}".encode()),
            (b"x-ms-server-version", SERVER_VERSION),
        ]
        if self.legacy_id:
            headers.append((b"x-ms-request-id", self.legacy_id))
        if self.client_id:
            headers.append((b"x-ms-client-request-id", self.client_id))
        if trace := self.headers.get(b"traceid"):
            headers.append((b"traceid", trace))
        if self.deployment:
            headers.append((DEPLOYMENT, self.deployment.encode()))
        return headers
