"""Bytes of one client to heads and bodies of requests (HTTP/1.1 and HTTP/1.0).

The parser is llhttp, in its strict mode: it refuses what two readers could read in two ways (RFC 9112, 11.2), and what
it takes and two readers could still read in two ways is refused here.
"""

from collections.abc import Callable
from typing import Protocol

import httptools

from core.domain.endpoint import EndpointLimits
from core.serving.http import Head, split_target
from core.serving.refusals import HeaderTooLong, HttpInvalid

KB = 1024

ONCE = (b"host", b"authorization", b"content-type", b"content-encoding", b"content-length", b"transfer-encoding")
"""Headers that say which request this is: twice, two readers could take it for two different ones."""


class Taker(Protocol):
    """Takes in what a reader finds. What it raises, `feed` raises."""

    def head(self, head: Head, *, stays: bool, version: str) -> None:
        """A head is complete; `stays`: the client wants the connection to go on behind this request."""

    def body(self, part: bytes) -> None: ...
    def complete(self) -> None:
        """The request that began with the last head is here in full."""


class Reader:
    """Feeds one connection's bytes to the parser, and counts heads against `limits`, which may change meanwhile."""

    def __init__(self, taker: Taker, limits: Callable[[], EndpointLimits]) -> None:
        self._taker, self._limits = taker, limits
        self._parser = httptools.HttpRequestParser(self)
        self.in_head = False
        """A head has begun and is not complete."""
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._head_bytes = 0
        self._moved, self._unmoved_bytes = False, 0
        """Whether these bytes have brought the reader on, and how many came since such ones."""
        self._repeated = False
        self._upgrading = self._muted = False

    def feed(self, data: bytes) -> None:
        """Take in more bytes. Raises HttpInvalid, HeaderTooLong and what the taker raises, and reads no more then."""
        self._moved = False
        self._feed(data)
        if self._moved:
            self._unmoved_bytes = 0
        else:
            # The parser tells of a header, a trailer or a chunk when it is whole, and keeps what it has of it until
            # then: an endless one must be noticed before.
            self._unmoved_bytes += len(data)
            self._check_length(self._unmoved_bytes)

    # The parser's calls

    def on_message_begin(self) -> None:
        if self._muted:
            return
        self._target, self._headers, self._repeated = b"", {}, False
        self._head_bytes = 0
        self.in_head = self._moved = True

    def on_url(self, target: bytes) -> None:
        self._target += target

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._muted:
            return
        if not self.in_head:  # a trailer
            self._head_bytes += len(name) + len(value)
            return self._check_length(self._head_bytes)
        name = name.lower()
        self._head_bytes += len(name) + len(value) + 4
        if name in self._headers and name in ONCE:
            self._repeated = True
        self._headers[name] = value

    def on_headers_complete(self) -> None:
        if self._muted:
            return
        self.in_head, self._moved = False, True
        self._check_head()
        self._upgrading = self._parser.should_upgrade()
        path, query = self._split_target()
        head = Head(self._parser.get_method().decode("ascii"), path, query, self._headers)
        stays = self._parser.should_keep_alive()
        self._taker.head(head, stays=stays, version=self._parser.get_http_version())

    def on_body(self, part: bytes) -> None:
        self._moved = True
        self._taker.body(part)

    def on_message_complete(self) -> None:
        self._moved = True
        if not self._upgrading or self._muted:
            self._taker.complete()

    def _feed(self, data: bytes | memoryview) -> None:
        while data:
            data = self._fed(data)

    def _fed(self, data: bytes | memoryview) -> bytes | memoryview:
        """Feed the parser as far as it reads; what is left to feed."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as e:
            self._go_on_without_upgrade()
            return memoryview(data)[e.args[0] :]
        except httptools.HttpParserCallbackError as e:
            # Raised in a callback: a refusal, or a bug of ours, and either way not the parser's word.
            raise e.__context__ or e from None
        except httptools.HttpParserError as e:
            raise HttpInvalid(f"This is not a valid HTTP/1.1 request: {e}") from e
        return b""

    def _go_on_without_upgrade(self) -> None:
        """Read in HTTP/1.1 a request that offers another protocol (RFC 9110, 7.8), as Java's client does with h2c.

        llhttp leaves off behind such a head, so a new parser is put where the old one stood: at the body.
        """
        length, coding = self._headers.get(b"content-length", b"0"), self._headers.get(b"transfer-encoding")
        framing = b"transfer-encoding: chunked" if coding else b"content-length: " + length
        self._parser, self._muted = httptools.HttpRequestParser(self), True
        self._fed(b"POST / HTTP/1.1\r\n" + framing + b"\r\n\r\n")
        self._muted = self._upgrading = False

    def _split_target(self) -> tuple[str, bytes]:
        try:
            return split_target(self._target)
        except ValueError as e:
            raise HttpInvalid("The request has an invalid address") from e

    def _check_head(self) -> None:
        """Raise HttpInvalid or HeaderTooLong for a head that the parser took and is no request for us."""
        version = self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise HttpInvalid(f"HTTP/{version} is not supported", hint="Use HTTP/1.1")
        if self._repeated:
            raise HttpInvalid("A header that may appear only once was sent twice")
        if version == "1.1" and b"host" not in self._headers:
            raise HttpInvalid("The header Host is missing")
        if self._headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            raise HttpInvalid("The only supported transfer coding is chunked")
        if version == "1.0" and b"transfer-encoding" in self._headers:
            raise HttpInvalid("HTTP/1.0 has no transfer coding")
        if self._parser.get_method() == b"CONNECT":
            raise HttpInvalid("This server is not a proxy")
        self._check_length(self._head_bytes + len(self._target))

    def _check_length(self, head_bytes: int) -> None:
        if head_bytes <= KB:  # no limit is smaller
            return
        limit_kb = self._limits().max_header_kb
        if head_bytes > limit_kb * KB:
            raise HeaderTooLong(f"The request headers are larger than {limit_kb} KB")
