"""Requests as they are told, and what came back: one kept connection, with a try again where the server is busy."""

import base64
import gzip
import json
import shlex
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.checks.document.security import Credential
from core.checks.outcome import BROKEN, SILENCE, Violation
from core.domain.proof import Target
from core.loadtest.busy import Patience
from core.loadtest.sender import TIMED_OUT, NoAnswer, Sender

HANG_S = 10.0
"""An answer that takes longer is a violation; how much shorter it should be is the performance part's question."""
PATIENCE = Patience()
"""How long a server that is busy is waited for; then 429 is its answer."""
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
    """Sends to the target what a check asks for. `sleep` waits so many seconds, where the server is busy."""

    def __init__(
        self, target: Target, tls: ssl.SSLContext | None = None, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._target = target
        self._sender = Sender(target, tls, sleep=sleep, patience=PATIENCE, hang_s=HANG_S)

    @property
    def tls(self) -> ssl.SSLContext:
        """Whom it trusts."""
        return self._sender.tls

    def send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], credential: Credential | None
    ) -> Exchange:
        """Send one request and wait for its answer; one that is told to come again later does so, within bounds.

        Raises Violation when the connection breaks or nothing comes within `HANG_S`, ServiceUnavailable when nothing
        listens.
        """
        content_type = {} if body is None else {"Content-Type": "application/json"}
        request = Exchange(method, path, content_type | dict(self._target.headers) | dict(headers), credential, body)
        secret = {credential.header: credential.value} if credential else {}
        try:
            answer = self._sender.send(method, path, body, dict(request.headers) | secret)
        except NoAnswer as e:
            if e.cause == TIMED_OUT:
                raise Violation(f"No answer within {HANG_S:.0f} s", request, cause=SILENCE) from e.__cause__
            raise Violation(f"The connection broke: {e.__cause__!r}", request, cause=BROKEN) from e.__cause__
        return replace(request, status=answer.status, reply_headers=answer.headers, reply=answer.body)

    def close(self) -> None:
        self._sender.close()


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
