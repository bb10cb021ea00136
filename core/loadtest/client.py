"""A load's HTTP client: an asyncio protocol over httptools; a general one costs more than the server."""

import asyncio
import re
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools

from core.domain.endpoint import DEPLOYMENT_HEADER
from core.domain.errors import SpecInvalid
from core.domain.proof import LoadSpec, Target
from core.loadtest.busy import BUSY, PATIENT, UNAVAILABLE
from core.loadtest.sender import NoAnswer
from core.loadtest.way import Proxy, proxy_to

CONNECT_TIMEOUT_S = 5.0
HEAD_MAX_BYTES = 16_384
RETRY_AFTER = re.compile(rb"(?i)\r\nretry-after:[ \t]*([^\r\n]*)")


class ComeLater(Exception):
    """The server is busy and asks to come again after so many seconds."""

    def __init__(self, status: int, wait_s: float) -> None:
        super().__init__(status)
        self.status, self.wait_s = status, wait_s


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go."""

    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None
    """Whom to trust, None without TLS: read once a load, since reading the certificates costs more than a request."""
    proxy: Proxy | None = None
    """Who makes the tunnel to it."""

    @classmethod
    def of(cls, target: Target) -> "Address":
        """Raises SpecInvalid for what is no address."""
        parts = urlsplit(target.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SpecInvalid(f"'{target.url}' is not an address", hint="Give it as http://127.0.0.1:8000")
        tls = ssl.create_default_context() if parts.scheme == "https" else None
        return cls(
            parts.hostname,
            parts.port or (443 if tls else 80),
            parts.path.rstrip("/") + target.path,
            tls,
            proxy_to(target.url),
        )

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        # Whoever serves many hosts by their names does not look for one with the usual port behind it.
        return host if self.port == 443 and self.tls else f"{host}:{self.port}"


def request_bytes(spec: LoadSpec, address: Address, body: bytes) -> bytes:
    """One whole request."""
    headers = {"Host": address.authority, "Content-Type": "application/json"}
    if spec.deployment:
        headers[DEPLOYMENT_HEADER] = spec.deployment
    if spec.fresh_connections:
        headers["Connection"] = "close"
    headers |= dict(spec.target.sent) | {"Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {address.path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


class Connection(asyncio.Protocol):
    """One connection that carries one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[int] | None = None
        self.reusable = True
        """False once the server said or did that this connection ends."""
        self._head = b""
        self._begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, request: bytes) -> "asyncio.Future[int]":
        """Write one request; the future gives its status, or NoAnswer."""
        self._answer = answer = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            answer.set_exception(NoAnswer("reset"))
        else:
            self._transport.write(request)
        return answer

    def data_received(self, data: bytes) -> None:
        # Kept as it came: a call for each header of each answer would cost more than the rare look at one.
        if not self._begun:
            self._head, self._begun = data, True
        elif len(self._head) < HEAD_MAX_BYTES:
            self._head += data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._break("not HTTP")

    def on_message_complete(self) -> None:
        """httptools: one answer is whole."""
        self._begun = False
        if self._parser.get_status_code() < 200:
            return
        self.reusable = self._parser.should_keep_alive()
        status = self._parser.get_status_code()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        self._break("reset")

    @property
    def retry_after(self) -> str | None:
        """What the last answer's header of this name says."""
        found = RETRY_AFTER.search(self._head.partition(b"\r\n\r\n")[0])
        return found[1].decode("latin-1") if found else None

    def close(self) -> None:
        """End the connection; what is unanswered on it stays so."""
        if self._transport is not None:
            self._transport.abort()

    def _break(self, cause: str) -> None:
        self.reusable = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NoAnswer(cause))
        self.close()


class Pool:
    """At most `size` connections; a request takes one that is free, or a new one, or waits."""

    def __init__(self, address: Address, size: int, *, fresh: bool) -> None:
        self._address, self._fresh = address, fresh
        self._places = asyncio.Semaphore(size)
        self._free: list[Connection] = []

    async def request(self, request: bytes) -> int:
        """The status of the answer. Raises NoAnswer, ComeLater."""
        async with self._places:
            connection = self._take() or await connect(self._address)
            try:
                status = await connection.send(request)
            except BaseException:
                connection.close()
                raise
            if connection.reusable and not self._fresh:
                self._free.append(connection)
            else:
                connection.close()
            if status in (BUSY, UNAVAILABLE):
                wait_s = PATIENT.wait_s(status, connection.retry_after)
                if wait_s is not None:
                    raise ComeLater(status, wait_s)
            return status

    def close(self) -> None:
        """End the connections that are free."""
        while self._free:
            self._free.pop().close()

    def _take(self) -> Connection | None:
        """A free connection that the server has not ended meanwhile."""
        while self._free:
            connection = self._free.pop()
            if connection.reusable:
                return connection
        return None


async def connect(address: Address) -> Connection:
    """A new connection. Raises NoAnswer."""
    try:
        return await asyncio.wait_for(_opened(address), CONNECT_TIMEOUT_S)
    except TimeoutError as e:
        raise NoAnswer("timed out") from e
    except ConnectionRefusedError as e:
        raise NoAnswer("refused") from e
    except OSError as e:
        raise NoAnswer("reset" if isinstance(e, ConnectionError) else "not connected") from e


async def _opened(address: Address) -> Connection:
    """Raises OSError."""
    loop = asyncio.get_running_loop()
    if address.proxy is None:
        _, connection = await loop.create_connection(Connection, address.host, address.port, ssl=address.tls)
        return connection
    tunnel = await _tunnel(address, address.proxy)
    _, connection = await loop.create_connection(
        Connection, sock=tunnel, ssl=address.tls, server_hostname=address.host if address.tls else None
    )
    return connection


async def _tunnel(address: Address, proxy: Proxy) -> socket.socket:
    """A socket to the server, through the proxy. Raises OSError, also where the proxy refuses."""
    loop = asyncio.get_running_loop()
    tunnel = await loop.run_in_executor(None, socket.create_connection, (proxy.host, proxy.port), CONNECT_TIMEOUT_S)
    tunnel.setblocking(False)
    try:
        await loop.sock_sendall(tunnel, proxy.asking(address.host, address.port))
        said = b""
        while b"\r\n\r\n" not in said and len(said) < HEAD_MAX_BYTES:
            # Byte by byte: what comes behind the head is the server's, and belongs to TLS.
            if not (more := await loop.sock_recv(tunnel, 1)):
                break
            said += more
        if b" 200 " not in said.partition(b"\r\n")[0] + b" ":
            raise OSError(f"The proxy refuses: {said.partition(chr(13).encode())[0][:80]!r}")
    except BaseException:
        tunnel.close()
        raise
    return tunnel
