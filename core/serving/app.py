"""Routes, refusals and headers of one scoring endpoint (docs/scoring-contract.md), free of sockets.

A connection hands in a request in two steps: `begin` with its head and, unless that settles it, `finish` with its body.
Neither raises: whatever goes wrong is a reply.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import parse_qs

from core.contract.payload import encode_error
from core.domain.errors import NotFound, SlipwayError
from core.serving import bodies, causes, cors, pages
from core.serving.causes import Causes
from core.serving.costs import COUNTED_BYTES, INLINE_S, rows_at_most
from core.serving.deployment import Deployment, Scored
from core.serving.exchange import DEPLOYMENT, Exchange
from core.serving.http import JSON, NO_HEAD, TEXT, Head, Reply, encode
from core.serving.keeping import kept
from core.serving.keys import authorize
from core.serving.metrics import Metrics
from core.serving.mirror import Mirror
from core.serving.pace import Lanes
from core.serving.refusals import MethodRefused, ModelFailed, NotReady, PathUnknown, ServerFault, TooBusy
from core.serving.state import Snapshot, State
from core.serving.telemetry import Telemetry, record_of
from core.serving.work import Work

log = logging.getLogger(__name__)

T = TypeVar("T")

PACKED_TIMES = 8
"""JSON of rows shrinks to an eighth or so when it is packed: what a packed body holds is told by that."""
ROW_BYTES = 400
"""Of a usual row, while none has come."""

CLIENT_GONE = 499
"""nginx's number for a client that left; only telemetry sees it."""

NOBODY = Reply(CLIENT_GONE, b"")
"""To a client that left: it is never sent."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
METRICS = b"text/plain; version=0.0.4; charset=utf-8"


class App:
    """Answers the requests of one worker. `draw` gives numbers in [0, 1) for the choice by traffic."""

    def __init__(
        self,
        state: State,
        telemetry: Telemetry,
        *,
        draw: Callable[[], float],
        metrics: Metrics,
        model_data: Telemetry | None = None,
    ) -> None:
        """`model_data` keeps inputs and answers where the endpoint's `collect_model_data` asks for it."""
        self._state, self._telemetry, self._draw, self._metrics = state, telemetry, draw, metrics
        self._model_data = model_data
        self._lanes = Lanes()
        self._causes = Causes(telemetry.put)
        self._mirror = Mirror(telemetry, metrics, draw, self._causes)
        self._routes = {"/": self._health, "/swagger.json": self._swagger, "/metrics": self._measures}

    @property
    def now(self) -> Snapshot:
        """What the endpoint is at this moment."""
        return self._state.now

    def begin(self, head: Head, refusal: SlipwayError | None = None) -> tuple[Exchange, Reply | None]:
        """The request's exchange, and its reply where the head alone settles it; None when its body is wanted."""
        exchange = Exchange(head, self._state.now)
        if refusal is not None:
            return exchange, self._refusal(exchange, refusal)
        return exchange, self._guarded(exchange, self._begun)

    def finish(self, exchange: Exchange, body: bytes) -> "Reply | asyncio.Future[Reply]":
        """The reply to a request whose body is here; a future one where it is scored beside the event loop."""
        exchange.body_bytes = exchange.plain_bytes = len(body)
        target = exchange.target
        assert target is not None
        rows = _packed_rows(target, body) if exchange.packed else rows_at_most(body)
        small = not exchange.packed and len(body) <= COUNTED_BYTES
        if not (small and target.costs.little[rows.bit_length()]):
            cost = target.costs.of(rows, len(body))
            if not small or cost.cpu_s > INLINE_S:
                exchange.work = work = Work(exchange, target, body, cost)
                work.reply = asyncio.get_running_loop().create_task(self._beside(exchange, work))
                return work.reply
        return self._guarded(exchange, lambda e: self._scored(e, target.score(body, rows), body))

    def refuse(self, error: Exception, exchange: Exchange | None = None) -> tuple[Exchange, Reply]:
        """What the connection itself found: a refusal, or a bug. Without an exchange, of what could not be read."""
        exchange = exchange or Exchange(NO_HEAD, self._state.now)
        if isinstance(error, SlipwayError):
            return exchange, self._refusal(exchange, error)
        return exchange, self._fault(exchange, error)

    def abandon(self, exchange: Exchange) -> None:
        """The client is gone: there is nobody to answer. What waits is called off, what runs keeps its place."""
        exchange.problem = "ClientGone"
        exchange.gone = True
        if exchange.work is None or exchange.work.call_off():
            self._give_back(exchange)
        self._record(exchange, CLIENT_GONE, 0)

    def encode(self, exchange: Exchange, reply: Reply, *, closing: bool | None) -> bytes:
        """The reply's bytes with every header that it must carry; the request is then noted as answered."""
        headers = [
            *reply.headers,
            *exchange.reply_headers(),
            *cors.headers(exchange.headers, exchange.now.file.limits.cors_origins),
        ]
        self._give_back(exchange)
        self._record(exchange, reply.status, len(reply.body))
        return encode(reply, headers, with_body=exchange.method != "HEAD", closing=closing)

    def close(self) -> None:
        """End what runs beside the event loop."""
        self._lanes.close()
        self._mirror.close()

    def _begun(self, exchange: Exchange) -> Reply | None:
        exchange.take_ids()
        if exchange.path == "/score":
            if exchange.method == "POST":
                self._admit(exchange)
                return None
            if exchange.method == "OPTIONS":
                return Reply(200, b"", TEXT, cors.preflight(exchange.headers, exchange.now.file.limits.cors_origins))
            raise MethodRefused(exchange.method, ("OPTIONS", "POST"))
        page = self._routes.get(exchange.path) or pages.find(exchange.path)
        if page is None:
            raise PathUnknown("Nothing is served at this path", hint="POST /score scores; GET /docs shows how")
        if exchange.method not in ("GET", "HEAD"):
            raise MethodRefused(exchange.method, ("GET", "HEAD"))
        return page(exchange)

    def _admit(self, exchange: Exchange) -> None:
        """Everything that is known before the body: who asks, whether there is room, who will answer."""
        now = exchange.now
        key = authorize(exchange.headers.get(b"authorization"), now.file.key_digests)
        exchange.origin = now.file.origins.get(key, "")
        limits = now.file.limits
        if self._metrics.in_flight >= limits.max_concurrent:
            raise TooBusy(f"{limits.max_concurrent} requests are already being answered")
        exchange.packed = bodies.check_media(exchange.headers)
        wanted = exchange.headers.get(DEPLOYMENT, b"").decode("latin-1")
        exchange.target = now.choose(wanted, self._draw)
        exchange.deployment = exchange.target.name
        bodies.check_length(exchange.headers, limits)
        if exchange.target.costs.dear:
            self._expect(exchange, exchange.target)
        self._metrics.in_flight += 1
        exchange.admitted = True

    def _expect(self, exchange: Exchange, target: Deployment) -> None:
        """Tell a lane what comes, by the length that the head names. Raises TooBusy: the body need not be read."""
        length = int(exchange.headers.get(b"content-length", b"0"))
        cost = target.costs.of(target.costs.rows_in(length * PACKED_TIMES if exchange.packed else length))
        if cost.cpu_s > INLINE_S:
            self._lanes.of(cost.run_s).arrived(cost.run_s)
            exchange.charged = True

    def _scored(self, exchange: Exchange, scored: Scored, body: bytes) -> Reply:
        exchange.run_ms, exchange.rows = scored.run_ms, scored.request.rows
        exchange.form, exchange.predict_method = scored.request.form, scored.request.method
        file = exchange.now.file
        if file.mirror:
            self._mirror.offer(exchange, body, scored)
        if self._model_data is not None and (values := kept(exchange, scored, self._draw)) is not None:
            self._model_data.put(values, exchange.plain_bytes + len(scored.reply))
        return Reply(200, scored.reply)

    async def _beside(self, exchange: Exchange, work: Work) -> Reply:
        """Score in a lane, where waiting is bounded."""
        lane, run_s = self._lanes.of(work.cost.run_s), work.cost.run_s
        try:
            if not exchange.charged:
                lane.arrived(run_s)
            scored = await lane.run(run_s, work)
            return NOBODY if exchange.gone else self._scored(exchange, scored, work.body)
        except SlipwayError as e:
            return self._refusal(exchange, e)
        except Exception as e:  # noqa: BLE001 - a bug is told as 500 and logged
            return self._fault(exchange, e)
        finally:
            exchange.work = None
            if exchange.gone:
                self._give_back(exchange)

    def _guarded(self, exchange: Exchange, answer: Callable[[Exchange], T]) -> T | Reply:
        try:
            return answer(exchange)
        except SlipwayError as e:
            return self._refusal(exchange, e)
        except Exception as e:  # noqa: BLE001 - a bug is told as 500 and logged
            return self._fault(exchange, e)

    def _fault(self, exchange: Exchange, error: Exception) -> Reply:
        # A bug. The client gets no traceback; the log gets its places, but not its text, which may hold values.
        log.error("a request failed on a bug of the server", exc_info=error)
        exchange.cause = self._causes.key_of(error)
        fault = ServerFault("The server failed to handle this request")
        return self._refusal(exchange, fault, problem=type(error).__name__)

    def _refusal(self, exchange: Exchange, error: SlipwayError, *, problem: str = "") -> Reply:
        exchange.problem = problem or type(error).__name__
        if isinstance(error, ModelFailed):
            exchange.run_failed = True
            exchange.cause = self._causes.key_of(error)
            log.error("the model of deployment %s failed", exchange.deployment, exc_info=error.__cause__)
        elif error.status < 500:
            exchange.reasons = causes.reasons(error, exchange.now.file.limits)
        return Reply(error.status, encode_error(error), JSON, getattr(error, "headers", ()))

    def _give_back(self, exchange: Exchange) -> None:
        """The request's place is free again."""
        if exchange.admitted:
            self._metrics.in_flight -= 1
            exchange.admitted = False

    def _record(self, exchange: Exchange, status: int, bytes_out: int) -> None:
        """Keep what came of the request, if it asked to score; what reads pages is counted nowhere."""
        if exchange.path != "/score":
            return
        record = record_of(exchange, status, bytes_out)
        self._metrics.count(status, exchange.deployment, exchange.rows, record.elapsed_ms)
        if exchange.now.file.limits.app_insights:
            self._telemetry.put(record)

    def _health(self, exchange: Exchange) -> Reply:
        if not exchange.now.deployments:
            raise NotReady("No deployment is ready", hint="The endpoint's page shows the reason")
        return Reply(200, b"Healthy", TEXT)

    def _swagger(self, exchange: Exchange) -> Reply:
        file = exchange.now.file
        if file.limits.swagger_requires_key:
            authorize(exchange.headers.get(b"authorization"), file.key_digests)
        asked = parse_qs(exchange.query.decode("latin-1"), keep_blank_values=True).get("version", ["2"])
        if len(asked) > 1:
            raise NotFound("More than one version was requested", hint="Ask for one")
        return Reply(200, exchange.now.document(asked[0]))

    def _measures(self, exchange: Exchange) -> Reply:
        file = exchange.now.file
        if file.host not in LOOPBACK:
            authorize(exchange.headers.get(b"authorization"), file.key_digests)
        writers = [self._telemetry, *([self._model_data] if self._model_data else [])]
        self._metrics.dropped = sum(writer.dropped for writer in writers)
        self._metrics.write_failures = sum(writer.write_failures for writer in writers)
        return Reply(200, self._metrics.text().encode(), METRICS)


def _packed_rows(target: Deployment, body: bytes) -> int:
    return target.costs.rows_in(PACKED_TIMES * len(body)) or PACKED_TIMES * len(body) // ROW_BYTES
