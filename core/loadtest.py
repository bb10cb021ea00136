"""Drive a scoring endpoint and say how it held: a closed loop over keep-alive connections.

Each of `concurrency` clients sends its next request when the last one is answered. Latencies are kept one by one, so
the percentiles are exact. The client is an asyncio protocol over httptools, since a general HTTP client costs more than
the server that it measures.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from time import perf_counter
from urllib.parse import urlsplit

import httptools

from core.domain.errors import ServiceUnavailable, SpecInvalid
from core.domain.proof import LoadReport, LoadSpec, Target

HANG_S = 10.0
"""A request still unanswered this long after the load's end counts as failed."""
CONNECT_TIMEOUT_S = 5.0
RECONNECT_PAUSE_S = 0.05
"""Between attempts while a server that was there is gone; each attempt counts as a failed request."""
BROKEN = 0
"""The `by_status` key of requests that got no answer."""


def run(
    spec: LoadSpec, bodies: Sequence[bytes], *, clock: Callable[[], float] = perf_counter, hang_s: float = HANG_S
) -> LoadReport:
    """Send `bodies` in turn to POST /score for `spec.duration_s` seconds and report what came back.

    `clock` gives monotonic seconds. Ends at the latest `hang_s` seconds after the duration, whatever the server does.
    Raises SpecInvalid without bodies, ServiceUnavailable when nothing listens.
    """
    if not bodies:
        raise SpecInvalid("A load needs at least one request body", hint="Make some with core.checks.bodies_for")
    return asyncio.run(_run(spec, bodies, clock, hang_s))


async def _run(spec: LoadSpec, bodies: Sequence[bytes], clock: Callable[[], float], hang_s: float) -> LoadReport:
    address = _Address.of(spec.target)
    requests = tuple(_request(spec.target, address, body) for body in bodies)
    (await _connect(address)).close()
    record_from = clock() + spec.warmup_s
    tally = _Tally(record_from, record_from + spec.duration_s, spec.max_requests)
    clients = [asyncio.create_task(_client(address, requests, n, tally, clock)) for n in range(spec.concurrency)]
    done, hanging = await asyncio.wait(clients, timeout=spec.warmup_s + spec.duration_s + hang_s)
    for client in hanging:
        client.cancel()
        tally.add(BROKEN, record_from, clock())
    await asyncio.gather(*hanging, return_exceptions=True)
    for client in done:
        client.result()
    return _report(spec, tally)


@dataclass(frozen=True, slots=True)
class _Address:
    host: str
    port: int
    path: str
    tls: bool

    @classmethod
    def of(cls, target: Target) -> "_Address":
        parts = urlsplit(target.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SpecInvalid(f"'{target.url}' is not an address", hint="Give it as http://127.0.0.1:8000")
        tls = parts.scheme == "https"
        return cls(parts.hostname, parts.port or (443 if tls else 80), f"{parts.path.rstrip('/')}/score", tls)


@dataclass(slots=True)
class _Tally:
    """What was seen of the requests that began in [record_from, until)."""

    record_from: float
    until: float
    max_requests: int
    latencies_s: list[float] = field(default_factory=list)
    by_status: Counter[int] = field(default_factory=Counter)
    begun: int = 0
    last_end: float = 0.0

    def may_begin(self, now: float) -> bool:
        """Whether another request may begin; one that is to be recorded takes its place in the count."""
        if now >= self.until or (self.max_requests and self.begun >= self.max_requests):
            return False
        self.begun += now >= self.record_from
        return True

    def add(self, status: int, start: float, end: float) -> None:
        if start < self.record_from:
            return
        self.by_status[status] += 1
        self.last_end = max(self.last_end, end)
        if status != BROKEN:
            self.latencies_s.append(end - start)


class _Connection(asyncio.Protocol):
    """One keep-alive connection that carries one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[int] | None = None
        self.reusable = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, request: bytes) -> "asyncio.Future[int]":
        """Write one request; the future gives its status, or ConnectionError when the connection breaks first."""
        self._answer = answer = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            answer.set_exception(ConnectionResetError("The server closed the connection"))
        else:
            self._transport.write(request)
        return answer

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as e:
            self._break(ConnectionError(f"Not HTTP: {e}"))

    def on_message_complete(self) -> None:
        """httptools: one answer is whole."""
        if self._parser.get_status_code() < 200:
            return
        self.reusable = self._parser.should_keep_alive()
        status = self._parser.get_status_code()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        self._break(ConnectionResetError("The server closed the connection"))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _break(self, error: ConnectionError) -> None:
        self.reusable = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.close()


async def _client(
    address: _Address, requests: Sequence[bytes], number: int, tally: _Tally, clock: Callable[[], float]
) -> None:
    # Clients start apart in the cycle of bodies: a constant body flatters branch prediction in tree code.
    turn = number * len(requests) // 7
    connection: _Connection | None = None
    try:
        while tally.may_begin(start := clock()):
            try:
                if connection is None or not connection.reusable:
                    connection = await _connect(address)
                status = await connection.send(requests[turn % len(requests)])
            except (ConnectionError, ServiceUnavailable) as e:
                status, connection = BROKEN, None
                if isinstance(e, ServiceUnavailable):
                    await asyncio.sleep(RECONNECT_PAUSE_S)
            tally.add(status, start, clock())
            turn += 1
    finally:
        if connection is not None:
            connection.close()


async def _connect(address: _Address) -> _Connection:
    tls = ssl.create_default_context() if address.tls else None
    opening = asyncio.get_running_loop().create_connection(_Connection, address.host, address.port, ssl=tls)
    try:
        _, connection = await asyncio.wait_for(opening, CONNECT_TIMEOUT_S)
    except (OSError, TimeoutError) as e:
        raise ServiceUnavailable(
            f"Nothing answers at {address.host}:{address.port} ({e or 'timed out'})", hint="Is the endpoint running?"
        ) from e
    return connection


def _request(target: Target, address: _Address, body: bytes) -> bytes:
    headers = {"Host": f"{address.host}:{address.port}", "Content-Type": "application/json"}
    if target.key:
        headers["Authorization"] = f"Bearer {target.key}"
    headers |= dict(target.headers) | {"Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {address.path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


def _report(spec: LoadSpec, tally: _Tally) -> LoadReport:
    times = sorted(tally.latencies_s)
    duration_s = max(tally.last_end - tally.record_from, 1e-9)
    requests = tally.by_status.total()
    return LoadReport(
        url=spec.target.url,
        requests=requests,
        failed=requests - tally.by_status[200],
        duration_s=duration_s,
        requests_per_s=len(times) / duration_s,
        mean_ms=1e3 * sum(times) / len(times) if times else 0.0,
        p50_ms=_percentile_ms(times, 0.50),
        p95_ms=_percentile_ms(times, 0.95),
        p99_ms=_percentile_ms(times, 0.99),
        max_ms=_percentile_ms(times, 1.0),
        concurrency=spec.concurrency,
        rows=spec.rows,
        by_status=dict(sorted(tally.by_status.items())),
    )


def _percentile_ms(ordered_s: Sequence[float], share: float) -> float:
    """The smallest latency that at least `share` of them do not exceed; 0 when nothing was answered."""
    return 1e3 * ordered_s[ceil(share * len(ordered_s)) - 1] if ordered_s else 0.0
