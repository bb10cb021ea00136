"""Sends what a check asks for; no answer in time, and a connection that breaks, are violations."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from core.checks.document.security import Credential
from core.checks.outcome import BROKEN, SILENCE, Violation
from core.checks.probe.exchange import Exchange
from core.domain.proof import Target
from core.loadtest.busy import PATIENT
from core.loadtest.sender import TIMED_OUT, NoAnswer, Sender

HANG_S = 10.0
"""An answer that takes longer is a violation; how much shorter it should be is the performance part's question."""
PATIENCE = PATIENT
"""How long a server that is busy is waited for; then 429 is its answer."""


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
