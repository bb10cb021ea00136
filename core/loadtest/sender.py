"""One request after the other to a target over one kept connection; a server that is busy is asked again."""

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from core.domain.errors import ServiceUnavailable
from core.domain.proof import Target
from core.loadtest.busy import PATIENT, Patience
from core.loadtest.way import BEHIND, meant_status, proxy_to

HANG_S = 10.0
TLS_HINT = "Is it http:// and not https://? SSL_CERT_FILE names further authorities to trust"
TIMED_OUT, RESET = "timed out", "reset"


class NoAnswer(Exception):
    """A request without an answer; `cause` is one of refused, reset, timed out, not HTTP, not connected."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Sender:
    """One kept connection to the target. `sleep` waits so many seconds, where the server is busy."""

    def __init__(
        self,
        target: Target,
        tls: ssl.SSLContext | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        patience: Patience = PATIENT,
        hang_s: float = HANG_S,
    ) -> None:
        self._target, self._sleep, self._patience, self._hang_s = target, sleep, patience, hang_s
        self._connection: http.client.HTTPConnection | None = None
        self._waited_s = 0.0
        if tls is not None:
            self.tls = tls

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Whom it trusts: read once, since reading the certificates costs more than a request."""
        return ssl.create_default_context()

    def score(self, body: bytes) -> Reply:
        """POST a body to where the target scores, with its key and headers. Raises as `send`."""
        return self.send("POST", self._target.path, body, {"Content-Type": "application/json", **self._target.sent})

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Send one request with these headers; one that is told to come again later does so, within its patience.

        Raises NoAnswer when the connection breaks or nothing comes for too long, ServiceUnavailable when nothing
        listens.
        """
        for _ in range(self._patience.tries):
            answer = self._answered(method, path, body, headers)
            wait_s = self._patience.wait_s(answer.status, answer.headers.get("retry-after"))
            if wait_s is None or self._waited_s >= self._patience.all_s:
                break
            self._waited_s += wait_s
            self._sleep(wait_s)
        return answer

    def close(self) -> None:
        """Drop the kept connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _answered(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        # One more try: a server may close a kept connection just as the next request leaves.
        for fresh in (self._connection is None, True):
            try:
                return self._send(method, path, body, headers)
            except TimeoutError as e:
                self.close()
                raise NoAnswer(TIMED_OUT) from e
            except (http.client.HTTPException, OSError) as e:
                self.close()
                if fresh:
                    raise NoAnswer(RESET) from e
        raise AssertionError("the second attempt either answers or raises")

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        if self._connection is None:
            self._connection = self._connect()
        root = urlsplit(self._target.url).path.rstrip("/")
        # A server may refuse a large body and close before all of it is sent: its answer is there to be read.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.request(method, root + path, body, headers)
        reply = self._connection.getresponse()
        status = meant_status(reply.status, reply.getheader(BEHIND))
        return Reply(status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())

    def _connect(self) -> http.client.HTTPConnection:
        url = self._target.url
        parts = urlsplit(url)
        host = parts.hostname or ""
        connection = self._unconnected(parts.scheme, host, parts.port)
        try:
            connection.connect()
        except ssl.SSLError as e:
            raise ServiceUnavailable(f"{url} cannot be trusted ({_why(e)})", hint=TLS_HINT) from e
        except socket.gaierror as e:
            raise ServiceUnavailable(
                f"There is no host '{host}' ({e.strerror})", hint="Is the address spelled correctly?"
            ) from e
        except OSError as e:
            raise ServiceUnavailable(f"Nothing answers at {url} ({e})", hint="Is the endpoint running?") from e
        return connection

    def _unconnected(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        if scheme != "https":
            return http.client.HTTPConnection(host, port, timeout=self._hang_s)
        if (proxy := proxy_to(self._target.url)) is None:
            return http.client.HTTPSConnection(host, port, timeout=self._hang_s, context=self.tls)
        tunneled = http.client.HTTPSConnection(proxy.host, proxy.port, timeout=self._hang_s, context=self.tls)
        tunneled.set_tunnel(host, port or 443, dict(proxy.headers))
        return tunneled


def _why(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate: {error.verify_message}"
    return "it does not speak TLS" if error.reason == "WRONG_VERSION_NUMBER" else str(error.reason or error)
