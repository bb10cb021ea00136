"""The HTTP client of the semantic and wire checks: sends exactly what it is told, keeps what came back."""

import base64
import gzip
import http.client
import json
import shlex
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeVar
from urllib.parse import urlsplit

from core.checks import azure
from core.checks.document import Described
from core.checks.forms import ONE
from core.checks.registry import Depth, NotApplicable, Profile, Violation
from core.checks.replies import answers_in
from core.checks.security import Credential
from core.contract import samples
from core.domain.errors import ServiceUnavailable
from core.domain.proof import Target

T = TypeVar("T")

HANG_S = 10.0
"""An answer that takes longer is a violation; how much shorter it should be is the performance part's question."""
TLS_HINT = "Is it http:// and not https://? SSL_CERT_FILE names further authorities to trust"
SHOWN_CHARS = 200
COMMAND_BODY_MAX_BYTES = 64_000
"""Longer bodies travel packed: Linux takes at most 128 KiB in one argument."""


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


class Probe:
    """One endpoint under examination. Not for use by several threads at once."""

    def __init__(
        self,
        target: Target,
        described: Described,
        *,
        seed: int,
        depth: Depth,
        profile: Profile = Profile.STRICT,
    ) -> None:
        self.target, self.described, self.seed, self.depth, self.profile = target, described, seed, depth, profile
        self.rows = depth.rows if described.max_rows is None else max(1, min(depth.rows, described.max_rows))
        self._random = Random(seed)  # noqa: S311 - draws test data
        self._client = Client(target)
        self._known: dict[Any, Any] = {}

    def once(self, compute: Callable[["Probe"], T]) -> T:
        """What `compute` gave at its first call for this endpoint."""
        if compute not in self._known:
            self._known[compute] = compute(self)
        found: T = self._known[compute]
        return found

    def sample(self, count: int) -> list[dict[str, Any]]:
        """`count` valid rows made from the document, or as many as it allows at once.

        Raises NotApplicable when it describes no columns.
        """
        if not self.described.signature.used:
            raise NotApplicable("the document describes no columns")
        most = self.described.max_rows
        count = count if most is None else max(1, min(count, most))
        return samples.rows(self.described.drawn, count, self._random.randrange(2**31))

    def send(self, method: str, path: str, body: bytes | None = None, credential: Credential | None = None) -> Exchange:
        """Send one request with exactly this credential. Raises Violation, ServiceUnavailable as `Client.send`."""
        return self._meant(self._client.send(method, path, body, {}, credential))

    def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> Exchange:
        """POST to the scoring path with the key. Raises Violation, ServiceUnavailable as `Client.send`."""
        path = self.described.score_path
        return self._meant(self._client.send("POST", path, body, headers or {}, self.credential))

    @property
    def credential(self) -> Credential | None:
        """The key as the document says that it is sent; None without a key."""
        return self.described.scheme.credential(self.target.key) if self.target.key else None

    def body(self, rows: Sequence[Mapping[str, Any]], method: str | None = None) -> bytes:
        """A request body with these rows in the document's first form."""
        return self.described.body(rows, method)

    def needs_at_once(self, rows: int) -> None:
        """Raises NotApplicable where the document does not allow so many rows in one request."""
        most = self.described.max_rows
        if self.described.one_row or (most is not None and most < rows):
            raise NotApplicable(f"the document allows {1 if self.described.one_row else most} row(s) at once")

    def promised(self, exchange: Exchange, name: str) -> bool:
        """Whether the document gives this refusal a body with the property `name`; ours have one shape everywhere."""
        errors = self.described.errors
        told = errors.get(str(exchange.status), errors.get("default", frozenset()))
        return self.profile is Profile.SLIPWAY or (exchange.path == self.described.score_path and name in told)

    def score(
        self, rows: Sequence[Mapping[str, Any]], method: str | None = None, form: str = ""
    ) -> tuple[list[Any], Exchange]:
        """The answers to `rows`, one a row, unwrapped. Raises Violation for anything but a 200 of that shape."""
        form = form or self.described.primary_form
        if form == ONE and len(rows) > 1:
            alone = [self.score([row], method, form) for row in rows]
            return [answer for (answer,), _ in alone], alone[-1][1]
        exchange = self.post(self.described.body(list(rows), method, form))
        if exchange.status != 200:
            raise Violation(f"Valid rows were refused: {exchange.shown}", exchange)
        answers = self.unwrap(exchange, form)
        if len(answers) != len(rows):
            raise Violation(f"{len(rows)} rows were sent, {len(answers)} answers came back: {exchange.shown}", exchange)
        return answers, exchange

    def unwrap(self, exchange: Exchange, form: str) -> list[Any]:
        """The answers in a reply to this form. Raises Violation where it has another shape."""
        reply = exchange.json()
        if isinstance(reply, str):
            # Whether the document says so is a check of its own: here only what was answered counts.
            status, once = azure.meant(exchange.status, exchange.reply)
            reply = replace(exchange, status=status, reply=once).json()
        keys = self.described.reply_keys[form]
        answers = answers_in(reply, keys)
        if answers is None:
            under = " under " + " and ".join(map(repr, keys)) if any(keys) else ""
            raise Violation(f"Expected a list of answers{under}: {exchange.shown}", exchange)
        return answers

    def _meant(self, exchange: Exchange) -> Exchange:
        if self.profile is not Profile.AZURE:
            return exchange
        status, reply = azure.meant(exchange.status, exchange.reply)
        return replace(exchange, status=status, reply=reply)

    @contextmanager
    def another(self) -> Iterator["Probe"]:
        """Another client of the same endpoint, with a connection of its own, for use in another thread."""
        other = Probe(self.target, self.described, seed=self.seed, depth=self.depth, profile=self.profile)
        try:
            yield other
        finally:
            other.close()

    def close(self) -> None:
        """Drop the kept connection."""
        self._client.close()


class Client:
    """One kept connection to the target."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection: http.client.HTTPConnection | None = None

    def send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], credential: Credential | None
    ) -> Exchange:
        """Send one request and wait for its answer.

        Raises Violation when the connection breaks or nothing comes within `HANG_S`, ServiceUnavailable when nothing
        listens.
        """
        content_type = {} if body is None else {"Content-Type": "application/json"}
        request = Exchange(method, path, content_type | dict(self._target.headers) | dict(headers), credential, body)
        # One more try: a server may close a kept connection just as the next request leaves.
        for fresh in (self._connection is None, True):
            try:
                return self._send(request)
            except TimeoutError as e:
                self.close()
                raise Violation(f"No answer within {HANG_S:.0f} s", request) from e
            except (http.client.HTTPException, ConnectionError) as e:
                self.close()
                if fresh:
                    raise Violation(f"The connection broke: {e!r}", request) from e
        raise AssertionError("the second attempt either answers or raises")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, request: Exchange) -> Exchange:
        if self._connection is None:
            self._connection = _connect(self._target)
        root = urlsplit(self._target.url).path.rstrip("/")
        secret = {request.credential.header: request.credential.value} if request.credential else {}
        # A server may refuse a large body and close before all of it is sent: its answer is there to be read.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.request(request.method, root + request.path, request.body, dict(request.headers) | secret)
        reply = self._connection.getresponse()
        names = {name.lower(): value for name, value in reply.getheaders()}
        return replace(request, status=reply.status, reply_headers=names, reply=reply.read())


def _connect(target: Target) -> http.client.HTTPConnection:
    parts = urlsplit(target.url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, parts.port, timeout=HANG_S, context=context)
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=HANG_S)
    try:
        connection.connect()
    except ssl.SSLError as e:
        raise ServiceUnavailable(f"{target.url} cannot be trusted ({_why(e)})", hint=TLS_HINT) from e
    except socket.gaierror as e:
        raise ServiceUnavailable(
            f"There is no host '{host}' ({e.strerror})", hint="Is the address spelled right?"
        ) from e
    except OSError as e:
        raise ServiceUnavailable(f"Nothing answers at {target.url} ({e})", hint="Is the endpoint running?") from e
    return connection


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
