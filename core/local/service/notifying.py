"""One message to a webhook, or to a program's standard input: taken, or ServiceUnavailable with the reason."""

import http.client
import logging
import os
import select
import shlex
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import IO
from urllib.parse import urlsplit

from core.domain.errors import ServiceUnavailable

log = logging.getLogger(__name__)

POST_TIMEOUT_S = 10.0
COMMAND_TIMEOUT_S = 30.0
LOOK_S = 0.1
SAID_MAX_BYTES = 4096
"""So much of what a program prints goes to the service's log."""


def send_post(url: str, body: bytes, timeout_s: float = POST_TIMEOUT_S) -> None:
    """POST JSON to an address. Raises ServiceUnavailable for any answer but 2xx; the address's path is not told.

    Who answers with another place of his own is asked there; nobody can send us to another host, nor keep us for longer
    than `timeout_s` by answering a byte at a time.
    """
    where = _origin(url)
    if where[0] not in ("http", "https") or not where[1]:
        raise ServiceUnavailable("the address is none of http:// or https://")
    headers = {"Content-Type": "application/json", "User-Agent": "slipway"}
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - checked above
    deadline = _Deadline(timeout_s)
    try:
        with (
            deadline,
            urllib.request.build_opener(_SameHost, *deadline.handlers()).open(request, timeout=timeout_s) as reply,
        ):
            status = int(reply.status)
    except urllib.error.HTTPError as e:
        e.close()
        raise ServiceUnavailable(f"{where[1]} answered {e.code}{_elsewhere(e)}") from None
    except (OSError, http.client.HTTPException, ValueError) as e:
        if deadline.over:
            raise ServiceUnavailable(f"{where[1]} did not answer within {timeout_s:g} s") from None
        reason = getattr(e, "reason", None) or e
        raise ServiceUnavailable(f"{where[1]} did not answer: {reason}") from None
    if not 200 <= status < 300:
        raise ServiceUnavailable(f"{where[1]} answered {status}")


class _Deadline:
    """Cuts connections off when the time for all that is asked through them is over: a socket's own counts anew with
    each byte.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timer = threading.Timer(timeout_s, self._cut)
        self._timer.daemon = True
        self._sockets: list[socket.socket] = []
        self.over = False

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def handlers(self) -> tuple[urllib.request.BaseHandler, ...]:
        """What opens connections that are cut off in time."""
        opened = self._opened

        class Plain(http.client.HTTPConnection):
            def connect(self) -> None:
                super().connect()
                opened(self.sock)

        class Secure(http.client.HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                opened(self.sock)

        class PlainHandler(urllib.request.HTTPHandler):
            def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
                return self.do_open(Plain, req)

        class SecureHandler(urllib.request.HTTPSHandler):
            def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
                return self.do_open(Secure, req)

        return PlainHandler(), SecureHandler()

    def _opened(self, opened: socket.socket) -> None:
        self._sockets.append(opened)
        if self.over:
            self._cut()

    def _cut(self) -> None:
        self.over = True
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirect that keeps the method, to the same scheme, host and port."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if code in (307, 308) and _origin(newurl) == _origin(req.full_url):
            return urllib.request.Request(newurl, req.data, req.headers, method="POST")  # noqa: S310 - the same origin
        return None

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme.lower(), (parts.hostname or ""), parts.port
    except ValueError:
        return "", "", None


def _elsewhere(error: urllib.error.HTTPError) -> str:
    return " (a redirect to another host is not followed)" if 300 <= error.code < 400 else ""


def run_command(
    command: str, body: bytes, stopping: Callable[[], bool] = lambda: False, timeout_s: float = COMMAND_TIMEOUT_S
) -> None:
    """Run a program with a message on its standard input, and end it with all that it has started.

    Raises ServiceUnavailable where it cannot be started, exits with another code than 0, or takes too long.
    """
    try:
        words = shlex.split(command)
        program = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )
    except (OSError, ValueError, IndexError) as e:
        raise ServiceUnavailable(f"the program cannot be started: {e}") from None
    try:
        said = _attend(program, body, stopping, time.monotonic() + timeout_s)
    finally:
        in_time = _ended(program)
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        code = program.wait()
        for end in (program.stdin, program.stdout):
            if end is not None:
                end.close()
    for line in said.decode(errors="replace").splitlines():
        log.info("%s: %s", words[0], line)
    if not in_time:
        raise ServiceUnavailable(f"the program did not end within {timeout_s:g} s")
    if code != 0:
        raise ServiceUnavailable(f"the program ended with exit code {code}")


def _attend(program: "subprocess.Popen[bytes]", body: bytes, stopping: Callable[[], bool], until: float) -> bytes:
    """Give it the message, and take what it prints, until it has ended or its time is over."""
    assert program.stdin is not None
    assert program.stdout is not None
    into, out, said = program.stdin.fileno(), program.stdout.fileno(), b""
    os.set_blocking(into, False)
    while time.monotonic() < until and not stopping():
        readable, writable, _ = select.select([out] if out >= 0 else [], [into] if body else [], [], LOOK_S)
        if writable:
            body = body[_written(into, body) :]
            if not body:
                program.stdin.close()
        if readable:
            chunk = os.read(out, 65536)
            said = (said + chunk)[:SAID_MAX_BYTES]
            out = out if chunk else -1  # it has closed its output, and may go on
        if _ended(program) and (not readable or len(said) == SAID_MAX_BYTES):
            break
    return said


def _ended(program: "subprocess.Popen[bytes]") -> bool:
    """Whether it has; its number stays its own, so that its group can be ended too."""
    return os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _written(into: int, body: bytes) -> int:
    """How much of the message it has taken; all of it counts as taken where it does not want more."""
    try:
        return os.write(into, body)
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        return len(body)
