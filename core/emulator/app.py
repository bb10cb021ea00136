"""From HTTP to a handler and back: reads a request, checks its token, finds who answers, and shapes refusals."""

import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.concurrency import run_in_threadpool

from core.emulator import entra, failing
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.jobs import discovery
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.names import host_kind
from core.emulator.routes import Router

log = logging.getLogger(__name__)

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

NEEDS_TOKEN = frozenset({"arm", "api", "insights"})
"""Kinds of host that ask for Entra's token; the others check what they take themselves."""

Inspect = Callable[[Request, Reply], None]


def no_inspection(request: Request, reply: Reply) -> None:
    """Nobody looks."""


class App:
    """The ASGI application. `inspect` sees every request with its reply before that is sent: tests compare them."""

    def __init__(self, emulation: Emulation, router: Router, inspect: Inspect = no_inspection) -> None:
        self._emulation, self._router, self._inspect = emulation, router, inspect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = await _read(scope, receive)
        try:
            reply = await run_in_threadpool(self.answer, request)
        except failing.Dropped:
            await _cut(send)
            return
        body = reply.encoded()
        headers = {
            "content-type": "application/json; charset=utf-8",
            "date": formatdate(usegmt=True),
            "x-ms-request-id": str(uuid.uuid4()),
            **{name.lower(): value for name, value in reply.headers.items()},
        }
        if request.method != "HEAD":
            headers["content-length"] = str(len(body))
        start = {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
        await send(start)
        await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})

    def answer(self, request: Request) -> Reply:
        """The reply to a request; a bug is a 500 with its traceback in the log. Faults come last, unseen by `inspect`.

        Raises Dropped where a fault ends the connection.
        """
        kind = host_kind(request.host)
        try:
            reply = failing.before(self._emulation, kind, request) or self._handled(kind, request)
        except AzureError as e:
            reply = Reply(e.status, _shape(kind, request.path, e), e.headers)
        except failing.Dropped:
            raise
        except Exception:
            log.exception("%s %s%s", request.method, request.host, request.path)
            reply = Reply(
                500,
                _shape(
                    kind, request.path, AzureError(500, "InternalServerError", "A bug in the emulation; see its log")
                ),
            )
        self._inspect(request, reply)
        return failing.after(self._emulation, kind, request, reply)

    def _handled(self, kind: str, request: Request) -> Reply:
        if kind in NEEDS_TOKEN and not request.path.startswith(discovery.OPEN):
            entra.claims(self._emulation, request)
        if kind == "arm" and not request.api_version:
            raise AzureError(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            )
        handler, found = self._router.find(kind, request)
        return handler(self._emulation, found)


def _shape(kind: str, path: str, error: AzureError) -> Any:
    if isinstance(error, entra.OAuthError):
        return error.shape()
    if kind == "api" and path.startswith("/mlflow/"):
        return {"error_code": error.code, "message": error.message}
    if kind == "blob":
        # Storage answers in XML (https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2).
        text = error.message.replace("&", "&amp;").replace("<", "&lt;")
        return (
            f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{error.code}</Code><Message>{text}</Message></Error>'
        ).encode()
    said = {"code": error.code, "message": error.message, "target": None, "details": error.details}
    body: Document = {"error": said | {"additionalInfo": _more(error)}}
    return body


def _more(error: AzureError) -> list[Document]:
    """What Azure tells its own support of a refusal."""
    values = {
        "ComponentName": "managementfrontend",
        "Correlation": {"operation": uuid.uuid4().hex, "request": uuid.uuid4().hex[:16]},
        "Environment": "emulation",
        "Location": "emulation",
        "Time": iso(time.time()),
        "InnerError": {"code": error.code, "innerError": None},
    }
    return [{"type": name, "info": {"value": value}} for name, value in values.items()]


async def _read(scope: Scope, receive: Receive) -> Request:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    raw_query = scope["query_string"].decode("latin-1")
    return Request(
        method=scope["method"],
        host=headers.get("host", "").partition(":")[0].lower(),
        path=unquote(scope["raw_path"].decode("latin-1")),
        query={name.lower(): value for name, value in parse_qsl(raw_query, keep_blank_values=True)},
        headers=headers,
        body=bytes(body),
        raw_query=raw_query,
        raw_path=scope["raw_path"].decode("latin-1"),
    )


async def _cut(send: Send) -> None:
    """End the connection under an answer that has not begun; ASGI has no word for it, uvicorn's cycle its transport."""
    cycle = getattr(send, "__self__", None)
    cycle.transport.abort()  # type: ignore[union-attr]
    cycle.disconnected = True  # type: ignore[union-attr]
