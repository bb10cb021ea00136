"""The service's HTTP door on the loopback address: trigger pipelines, watch and cancel jobs, poke the service."""

import hmac
import logging
import socket
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from core.domain.errors import PayloadTooLarge, SlipwayError, SpecInvalid, Unauthorized
from core.domain.job import JobKind
from core.domain.plain import plain
from core.domain.version import VERSION
from core.local.service.door_document import Accepted, Health, Poked, Trigger, document
from core.workspace import Workspace

log = logging.getLogger(__name__)

BODY_MAX_BYTES = 1_000_000
OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
"""A page of another site can make a browser call us under that site's name (DNS rebinding), but not under these."""
OPEN_PATHS = ("/health",)
JOBS_MAX = 1000
START_TIMEOUT_S = 10.0


class Door:
    """A running HTTP server in a thread of its own while it is entered."""

    def __init__(self, workspace: Workspace, key: str, listener: socket.socket, poke: Callable[[], None]) -> None:
        # log_config=None: uvicorn's lines go where the service's own go.
        config = uvicorn.Config(
            app(workspace, key, poke), lifespan="off", access_log=False, log_config=None, log_level="warning"
        )
        self._listener = listener
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, name="door")

    def __enter__(self) -> "Door":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(START_TIMEOUT_S)
        self._listener.close()

    def check(self) -> None:
        """Raises RuntimeError when the server's thread has ended: a service without its door is none."""
        if not self._thread.is_alive():
            raise RuntimeError("The HTTP door has stopped; its traceback is above")


def app(workspace: Workspace, key: str, poke: Callable[[], None]) -> ASGIApp:
    """The door as an ASGI application: every route but `/health` asks for `key`."""
    doors = _Routes(workspace, poke)
    routes = Starlette(
        routes=[
            Route("/health", doors.health),
            Route("/openapi.json", doors.openapi),
            Route("/pipelines", doors.pipelines),
            Route("/pipelines/{id}", doors.trigger, methods=["POST"]),
            Route("/jobs", doors.jobs),
            Route("/jobs/{id}", doors.job),
            Route("/jobs/{id}/cancel", doors.cancel, methods=["POST"]),
            Route("/runs/{id}", doors.run),
            Route("/poke", doors.poke, methods=["POST"]),
        ],
        exception_handlers={SlipwayError: _explained, HTTPException: _http, Exception: _bug},
    )
    return _Guard(routes, key)


class _Routes:
    def __init__(self, workspace: Workspace, poke: Callable[[], None]) -> None:
        self._workspace, self._poke = workspace, poke

    async def health(self, _: Request) -> Response:
        return _json(Health("ok", VERSION))

    async def openapi(self, _: Request) -> Response:
        return _json(document())

    async def pipelines(self, _: Request) -> Response:
        return _json(await run_in_threadpool(self._workspace.pipelines.list))

    async def trigger(self, request: Request) -> Response:
        wanted = _decode(await _body(request))
        run = await run_in_threadpool(
            self._workspace.pipelines.trigger,
            request.path_params["id"],
            wanted.ExperimentName,
            wanted.ParameterAssignments,
        )
        self._poke()
        return _json(Accepted(run.id))

    async def jobs(self, request: Request) -> Response:
        kind, limit = _listing(request)
        return _json(await run_in_threadpool(self._workspace.jobs.list, kind, limit))

    async def job(self, request: Request) -> Response:
        return _json(await run_in_threadpool(self._workspace.jobs.get, request.path_params["id"]))

    async def cancel(self, request: Request) -> Response:
        job = await run_in_threadpool(self._workspace.jobs.cancel, request.path_params["id"])
        self._poke()
        return _json(job)

    async def run(self, request: Request) -> Response:
        return _json(await run_in_threadpool(self._workspace.pipelines.get_run, request.path_params["id"]))

    async def poke(self, _: Request) -> Response:
        self._poke()
        return _json(Poked())


class _Guard:
    """Before any route: the host's name, then the key."""

    def __init__(self, inner: ASGIApp, key: str) -> None:
        self._inner, self._expected = inner, f"Bearer {key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        headers = dict(scope["headers"])
        refused: SlipwayError | None = None
        host = headers.get(b"host", b"").decode("latin-1")
        if _name(host) not in OWN_NAMES:
            refused = SpecInvalid(f"'{host[:100]}' is not a host name of this machine", hint="Use 127.0.0.1")
        elif scope["path"] not in OPEN_PATHS and not self._knows(headers.get(b"authorization", b"")):
            refused = Unauthorized(
                "The service key is missing or wrong",
                hint="Send it as `Authorization: Bearer KEY`; `python -m core service key` prints it",
            )
        await (_error(refused) if refused else partial(self._inner))(scope, receive, send)

    def _knows(self, given: bytes) -> bool:
        return hmac.compare_digest(given, self._expected)


def _name(host: str) -> str:
    """The host without its port, in lower case."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            raise PayloadTooLarge(f"The body is larger than {BODY_MAX_BYTES} bytes")
    return bytes(body)


def _decode(body: bytes) -> Trigger:
    try:
        wanted = msgspec.json.decode(body, type=Trigger)
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise SpecInvalid(f"The body is not a trigger: {e}", hint='Send {"ExperimentName": "..."}') from e
    if wanted.DataPathAssignments or wanted.DataSetDefinitionValueAssignments:
        raise SpecInvalid(
            "Data can only be set through ParameterAssignments", hint="The pipeline's parameter `data` names it"
        )
    return wanted


def _listing(request: Request) -> tuple[JobKind | None, int]:
    if twice := [name for name in ("kind", "limit") if len(request.query_params.getlist(name)) > 1]:
        raise SpecInvalid(f"{twice[0]} is given more than once")
    kind, limit = request.query_params.get("kind"), request.query_params.get("limit", "100")
    if kind is not None and kind not in list(JobKind):
        raise SpecInvalid(f"There is no job kind '{kind[:40]}'", hint=f"One of: {', '.join(JobKind)}")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= JOBS_MAX):
        raise SpecInvalid(f"limit is '{limit[:40]}', expected 1 to {JOBS_MAX}")
    return None if kind is None else JobKind(kind), int(limit)


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(plain(value)), status, headers, media_type="application/json")


def _error(error: SlipwayError) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthorized) else None
    return _refusal(error.status, error.message, error.hint, headers)


def _refusal(status: int, message: str, hint: str = "", headers: dict[str, str] | None = None) -> Response:
    return _json({"error": {"status": status, "message": message, "hint": hint}}, status, headers)


async def _explained(_: Request, error: Exception) -> Response:
    assert isinstance(error, SlipwayError)
    return _error(error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"{request.method} {request.url.path[:100]}: {error.detail}"
    return _refusal(error.status_code, message, "See /openapi.json", dict(error.headers or {}))


async def _bug(_: Request, error: Exception) -> Response:
    log.error("a bug behind the door", exc_info=error)
    return _refusal(500, "A bug in Slipway", "The traceback is in service.log")
