"""A request's head and a reply, as values, and the reply's bytes on the wire (RFC 9112)."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from time import gmtime, strftime, time
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"

HeaderList = Iterable[tuple[bytes, bytes]]

STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Head(NamedTuple):
    """What a request says before its body. Header names are in lower case; a name that occurs twice has its last."""

    method: str
    path: str
    query: bytes
    headers: Mapping[bytes, bytes]


class Reply(NamedTuple):
    """What goes back, beside the headers that every reply carries. `body` is sent to all but HEAD."""

    status: int
    body: bytes
    media: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


NO_HEAD = Head("", "", b"", {})
"""Of a request that could not be read."""


def split_target(target: bytes) -> tuple[str, bytes]:
    """Path (decoded) and query of a request target, in origin form or in absolute form (RFC 9112, 3.2).

    Raises ValueError.
    """
    if not target.startswith(b"/"):
        parts = urlsplit(target)
        target = (parts.path or b"/") + (b"?" + parts.query if parts.query else b"") if parts.scheme else target
    path, _, query = target.partition(b"#")[0].partition(b"?")
    if b"%" in path:
        path = unquote_to_bytes(path)
    return path.decode("utf-8", "replace"), query


def encode(reply: Reply, headers: HeaderList, *, with_body: bool, closing: bool | None) -> bytes:
    """The reply's bytes. `closing`: True says that the connection ends, False that it stays; None leaves it unsaid."""
    lines = [STATUS_LINES[reply.status], b"content-type: ", reply.media, b"\r\n"]
    for name, value in headers:
        lines += (name, b": ", value, b"\r\n")
    if reply.status != HTTPStatus.NOT_MODIFIED:  # its length would be that of the page (RFC 9110, 8.6)
        lines.append(b"content-length: %d\r\n" % len(reply.body))
    lines += (b"date: ", _date())
    if closing is not None:
        lines.append(b"\r\nconnection: close" if closing else b"\r\nconnection: keep-alive")
    lines.append(b"\r\n\r\n")
    if with_body:
        lines.append(reply.body)
    return b"".join(lines)


class _Date:
    """The Date header's value, made once a second."""

    second = 0
    text = b""


def _date() -> bytes:
    now = int(time())
    if now != _Date.second:
        _Date.second, _Date.text = now, strftime("%a, %d %b %Y %H:%M:%S GMT", gmtime(now)).encode()
    return _Date.text
