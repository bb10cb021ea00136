"""The ASGI application: routes, refusals and headers of one scoring endpoint (docs/scoring-contract.md)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from core.contract.payload import encode_error
from core.domain.errors import NotFound, SlipwayError
from core.serving import bodies, cors
from core.serving.bodies import Receive
from core.serving.deployment import Deployment, Scored
from core.serving.exchange import Exchange
from core.serving.keys import check_key
from core.serving.metrics import Metrics
from core.serving.refusals import ClientGone, MethodRefused, ModelFailed, NotReady, PathUnknown, ServerFault, TooBusy
from core.serving.state import Snapshot, State
from core.serving.telemetry import Record, Telemetry

log = logging.getLogger(__name__)

# About 80 rows of 20 columns, a millisecond or two: larger bodies are scored beside the event loop, so that health and
# small requests do not wait for them.
INLINE_BODY_BYTES = 32 * 1024

CLIENT_GONE = 499
"""nginx's number for a client that left; only telemetry sees it."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"
METRICS = b"text/plain; version=0.0.4; charset=utf-8"
HTML = b"text/html; charset=utf-8"

# Everything is in the page: a browser that obeys this fetches nothing from elsewhere.
PAGE_POLICY = (
    b"default-src 'self'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'"
)

Send = Callable[[Any], Awaitable[None]]


class Reply(NamedTuple):
    """What goes back, beside the headers that every reply carries."""

    status: int
    body: bytes
    media: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


class App:
    """Answers the requests of one worker. `draw` gives numbers in [0, 1) for the choice by traffic."""

    def __init__(self, state: State, telemetry: Telemetry, *, draw: Callable[[], float]) -> None:
        self._state, self._telemetry, self._draw = state, telemetry, draw
        self._metrics = Metrics()
        self._page = (Path(__file__).parent / "docs.html").read_bytes()
        self._pages = {
            "/": self._health,
            "/swagger.json": self._swagger,
            "/docs": self._docs,
            "/metrics": self._measures,
        }

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        exchange = Exchange(scope)
        now = self._state.now
        try:
            reply = await self._answer(exchange, now, receive)
        except ClientGone:
            self._note(exchange, CLIENT_GONE, 0, problem="ClientGone")
            return
        except SlipwayError as e:
            reply = self._refusal(exchange, e)
        except Exception as e:
            # A bug. The client gets no traceback; the log gets its places, but not its text, which may hold values.
            log.exception("a request failed on a bug of the server")
            reply = self._refusal(exchange, ServerFault("The server failed on this request"), problem=type(e).__name__)
        body = b"" if exchange.method == "HEAD" else reply.body
        headers = [
            (b"content-type", reply.media),
            (b"content-length", str(len(reply.body)).encode()),
            *reply.headers,
            *exchange.reply_headers(),
            *cors.headers(exchange.headers, now.file.limits.cors_origins),
        ]
        self._note(exchange, reply.status, len(reply.body))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, exchange: Exchange, now: Snapshot, receive: Receive) -> Reply:
        exchange.take_ids()
        if exchange.path == "/score":
            if exchange.method == "POST":
                return await self._score(exchange, now, receive)
            if exchange.method == "OPTIONS":
                return Reply(200, b"", TEXT, cors.preflight(exchange.headers, now.file.limits.cors_origins))
            raise MethodRefused(exchange.method, ("OPTIONS", "POST"))
        page = self._pages.get(exchange.path)
        if page is None:
            raise PathUnknown("There is nothing at this path", hint="POST /score scores; GET /docs shows how")
        if exchange.method not in ("GET", "HEAD"):
            raise MethodRefused(exchange.method, ("GET", "HEAD"))
        return page(exchange, now)

    async def _score(self, exchange: Exchange, now: Snapshot, receive: Receive) -> Reply:
        check_key(exchange.headers.get(b"authorization"), now.file.key_digests)
        limits = now.file.limits
        if self._metrics.in_flight >= limits.max_concurrent:
            raise TooBusy(f"{limits.max_concurrent} requests are being answered already", hint="Try again in a second")
        self._metrics.in_flight += 1
        try:
            packed = bodies.check_media(exchange.headers)
            wanted = exchange.headers.get(b"azureml-model-deployment", b"").decode("latin-1")
            deployment = now.choose(wanted, self._draw)
            exchange.deployment = deployment.name
            body = await bodies.read_body(receive, exchange.headers, limits)
            exchange.body_bytes = len(body)
            if packed:
                body = await asyncio.to_thread(bodies.unpack, body, limits)
            scored = await _scored(deployment, body)
        finally:
            self._metrics.in_flight -= 1
        exchange.run_ms, exchange.rows = scored.run_ms, scored.request.rows
        exchange.form, exchange.predict_method = scored.request.form, scored.request.method
        return Reply(200, scored.reply)

    def _health(self, _: Exchange, now: Snapshot) -> Reply:
        if not now.deployments:
            raise NotReady("No deployment is ready", hint="The endpoint's page tells why")
        return Reply(200, b"Healthy", TEXT)

    def _swagger(self, exchange: Exchange, now: Snapshot) -> Reply:
        if now.file.limits.swagger_requires_key:
            check_key(exchange.headers.get(b"authorization"), now.file.key_digests)
        asked = parse_qs(exchange.query.decode("latin-1"), keep_blank_values=True).get("version", ["2"])
        if len(asked) > 1:
            raise NotFound("More than one version was asked for", hint="Ask for one")
        return Reply(200, now.document(asked[0]))

    def _docs(self, _: Exchange, __: Snapshot) -> Reply:
        return Reply(200, self._page, HTML, ((b"content-security-policy", PAGE_POLICY),))

    def _measures(self, exchange: Exchange, now: Snapshot) -> Reply:
        if now.file.host not in LOOPBACK:
            check_key(exchange.headers.get(b"authorization"), now.file.key_digests)
        return Reply(200, self._metrics.text(self._telemetry.dropped).encode(), METRICS)

    def _refusal(self, exchange: Exchange, error: SlipwayError, *, problem: str = "") -> Reply:
        exchange.problem = problem or type(error).__name__
        if isinstance(error, ModelFailed):
            exchange.run_failed = True
            log.error("the model of deployment %s failed", exchange.deployment, exc_info=error.__cause__)
        return Reply(error.status, encode_error(error), headers=getattr(error, "headers", ()))

    def _note(self, exchange: Exchange, status: int, bytes_out: int, *, problem: str = "") -> None:
        """Record a request to /score; what reads pages is counted nowhere."""
        if exchange.path != "/score":
            return
        elapsed_ms = exchange.elapsed_ms()
        self._metrics.count(status, exchange.deployment, exchange.rows, elapsed_ms)
        record = Record(
            at=exchange.started_at,
            request_id=exchange.request_id.decode("latin-1"),
            client_request_id=exchange.client_id.decode("latin-1"),
            trace_id=exchange.trace_id,
            deployment=exchange.deployment,
            status=status,
            rows=exchange.rows,
            method=exchange.predict_method,
            form=exchange.form,
            elapsed_ms=elapsed_ms,
            run_ms=exchange.run_ms,
            bytes_in=exchange.body_bytes,
            bytes_out=bytes_out,
            problem=problem or exchange.problem,
        )
        self._telemetry.put(record)


async def _scored(deployment: Deployment, body: bytes) -> Scored:
    if len(body) <= INLINE_BODY_BYTES:
        return deployment.score(body)
    return await asyncio.to_thread(deployment.score, body)
