"""Requests as they are told, and what came back: one kept connection, with a try again where the server is busy."""

import base64
import gzip
import http.client
import json
import shlex
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from core.checks.document.security import Credential
from core.checks.registry import BROKEN, SILENCE, Violation
from core.domain.errors import ServiceUnavailable
from core.domain.proof import Target

HANG_S = 10.0
"""An answer that takes longer is a violation; how much shorter it should be is the performance part's question."""
TLS_HINT = "Is it http:// and not https://? SSL_CERT_FILE names further authorities to trust"
SHOWN_CHARS = 200
COMMAND_BODY_MAX_BYTES = 64_000
"""Longer bodies travel packed: Linux takes at most 128 KiB in one argument."""
BUSY = 429
"""Too many requests: the server asks to come again later."""
UNAVAILABLE = 503
BUSY_TRIES = 5
BUSY_PAUSE_S = 0.5
"""Before the next try where the server names no time."""
BUSY_PAUSE_MAX_S = 5.0
BUSY_ALL_S = 60.0
"""One client waits so long in all for a server that is busy, and then takes 429 for an answer."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with its answer; status 0 where none came."""

    method: str
    path: str
    headers: Mapping[str, str]
    """All but Authorization."""
    credential: Credential | None
    body: bytes | None
    status: int = 0
    reply_headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    reply: bytes = b""
    decoded: bool = False
    """`reply` is what the JSON string held that came."""

    @property
    def shown(self) -> str:
        """The answer in a few words."""
        return shown(self.status, self.reply)

    def json(self) -> Any:
        """The answer as strict JSON. Raises Violation."""
        try:
            return json.loads(self.reply, parse_constant=_no_constant)
        except (ValueError, RecursionError) as e:
            raise Violation(f"The answer is not JSON: {self.shown}", self) from e

    def curl(self, target: Target) -> str:
        """A shell command that sends this request again, the key taken from SLIPWAY_KEY."""
        parts = [f"curl -i -X {self.method}"]
        if self.credential:
            parts.append(f'-H "{self.credential.header}: {self.credential.shell}"')
        parts.extend(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self.headers.items())
        if self.body is not None and len(self.body) <= COMMAND_BODY_MAX_BYTES:
            parts.append(f"--data-binary {quoted(self.body)}")
        elif self.body is not None:
            packed = base64.b64encode(gzip.compress(self.body, mtime=0)).decode()
            parts = [f"echo {packed} | base64 -d | gunzip |", *parts, "--data-binary @-"]
        return " ".join([*parts, shlex.quote(target.url + self.path)])


class Client:
    """One kept connection to the target. `sleep` waits so many seconds, where the server is busy."""

    def __init__(
        self, target: Target, tls: ssl.SSLContext | None = None, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._target, self._sleep = target, sleep
        self._connection: http.client.HTTPConnection | None = None
        self._waited_s = 0.0
        if tls is not None:
            self.tls = tls

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Whom it trusts: read once, since reading the certificates costs more than a request."""
        return ssl.create_default_context()

    def send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], credential: Credential | None
    ) -> Exchange:
        """Send one request and wait for its answer; one that is told to come again later does so, within bounds.

        Raises Violation when the connection breaks or nothing comes within `HANG_S`, ServiceUnavailable when nothing
        listens.
        """
        content_type = {} if body is None else {"Content-Type": "application/json"}
        request = Exchange(method, path, content_type | dict(self._target.headers) | dict(headers), credential, body)
        for _ in range(BUSY_TRIES):
            exchange = self._answered(request)
            if not _later(exchange) or self._waited_s >= BUSY_ALL_S:
                break
            pause_s = pause(exchange.reply_headers.get("retry-after", ""))
            self._waited_s += pause_s
            self._sleep(pause_s)
        return exchange

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _answered(self, request: Exchange) -> Exchange:
        # One more try: a server may close a kept connection just as the next request leaves.
        for fresh in (self._connection is None, True):
            try:
                return self._send(request)
            except TimeoutError as e:
                self.close()
                raise Violation(f"No answer within {HANG_S:.0f} s", request, cause=SILENCE) from e
            except (http.client.HTTPException, OSError) as e:
                self.close()
                if fresh:
                    raise Violation(f"The connection broke: {e!r}", request, cause=BROKEN) from e
        raise AssertionError("the second attempt either answers or raises")

    def _send(self, request: Exchange) -> Exchange:
        if self._connection is None:
            self._connection = self._connect()
        root = urlsplit(self._target.url).path.rstrip("/")
        secret = {request.credential.header: request.credential.value} if request.credential else {}
        # A server may refuse a large body and close before all of it is sent: its answer is there to be read.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.request(request.method, root + request.path, request.body, dict(request.headers) | secret)
        reply = self._connection.getresponse()
        names = {name.lower(): value for name, value in reply.getheaders()}
        return replace(request, status=reply.status, reply_headers=names, reply=reply.read())

    def _connect(self) -> http.client.HTTPConnection:
        url = self._target.url
        parts = urlsplit(url)
        host = parts.hostname or ""
        connection = (
            http.client.HTTPSConnection(host, parts.port, timeout=HANG_S, context=self.tls)
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port, timeout=HANG_S)
        )
        try:
            connection.connect()
        except ssl.SSLError as e:
            raise ServiceUnavailable(f"{url} cannot be trusted ({_why(e)})", hint=TLS_HINT) from e
        except socket.gaierror as e:
            raise ServiceUnavailable(
                f"There is no host '{host}' ({e.strerror})", hint="Is the address spelled right?"
            ) from e
        except OSError as e:
            raise ServiceUnavailable(f"Nothing answers at {url} ({e})", hint="Is the endpoint running?") from e
        return connection


def _later(exchange: Exchange) -> bool:
    """Whether the server asks to come again: it is too busy, or not there yet and says when it will be."""
    return exchange.status == BUSY or (exchange.status == UNAVAILABLE and "retry-after" in exchange.reply_headers)


def pause(told: str) -> float:
    """The seconds that a `Retry-After` asks for, as a number or a date (RFC 9110, 10.2.3), within bounds."""
    if told.strip().isascii() and told.strip().isdigit():
        asked_s = float(told)
    else:
        try:
            asked_s = (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            asked_s = BUSY_PAUSE_S
    return max(0.0, min(asked_s, BUSY_PAUSE_MAX_S))


def _why(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate: {error.verify_message}"
    return "it does not speak TLS" if error.reason == "WRONG_VERSION_NUMBER" else str(error.reason or error)


def shown(status: int, reply: bytes) -> str:
    """An answer in a few words."""
    text = reply.decode("utf-8", "replace")
    return f"{status} {text[:SHOWN_CHARS]}{'...' if len(text) > SHOWN_CHARS else ''}".strip()


def quoted(body: bytes) -> str:
    """The bytes as one word for a shell."""
    text = body.decode("utf-8", "replace")
    if "\ufffd" not in text and text.isprintable():
        return shlex.quote(text)
    # Bash's own quoting for bytes that are not printable UTF-8.
    return "$'" + "".join(chr(b) if 32 <= b < 127 and b not in b"'\\" else f"\\x{b:02x}" for b in body) + "'"


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")
