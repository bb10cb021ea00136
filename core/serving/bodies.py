"""Reading the body of a request within its limits, and unpacking it."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from core.domain.endpoint import EndpointLimits
from core.serving.refusals import BodyLate, BodyTooLarge, BodyUnpackable, ClientGone, MediaRefused

Receive = Callable[[], Awaitable[Any]]

MB = 1024 * 1024

GZIP_WBITS = 16 + zlib.MAX_WBITS
"""zlib's way to say: a gzip header and trailer, nothing else."""

ENCODINGS = {b"": False, b"identity": False, b"gzip": True, b"x-gzip": True}
"""Whether a content encoding must be unpacked; x-gzip is its older name (RFC 9110, 8.4.1.3)."""


def check_media(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the body is packed. Raises MediaRefused unless it is JSON in UTF-8, plain or with gzip."""
    media, *parameters = headers.get(b"content-type", b"").lower().split(b";")
    if media.strip() != b"application/json":
        raise MediaRefused(
            f"The content type is '{media.strip().decode('latin-1')[:40]}', expected application/json",
            hint="Send the header Content-Type: application/json",
        )
    for parameter in parameters:
        name, _, value = parameter.strip().partition(b"=")
        if name == b"charset" and value.strip(b'" ') not in (b"utf-8", b"utf8", b"us-ascii"):
            raise MediaRefused("The charset is not UTF-8", hint="JSON travels as UTF-8 (RFC 8259)")
    packed = ENCODINGS.get(headers.get(b"content-encoding", b"").strip().lower())
    if packed is None:
        raise MediaRefused("This content encoding is not supported", hint="Send the body plain or with gzip")
    return packed


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limits: EndpointLimits) -> bytes:
    """The bytes of the body as sent. Raises BodyTooLarge, BodyLate, ClientGone."""
    max_bytes = int(limits.max_body_mb * MB)
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > max_bytes:
        raise BodyTooLarge(limits.max_body_mb)  # before a byte of it is read; the server skips what still comes
    try:
        async with asyncio.timeout(limits.body_timeout_s):
            body, ended = await _collect(receive, max_bytes)
    except TimeoutError as e:
        raise BodyLate(f"The body did not arrive within {limits.body_timeout_s:g} s") from e
    if len(body) > max_bytes:
        raise BodyTooLarge(limits.max_body_mb, drained=ended or await _skip_rest(receive, limits.body_timeout_s))
    return body


def unpack(body: bytes, limits: EndpointLimits) -> bytes:
    """A gzip body unpacked, never beyond the limit. Raises BodyTooLarge, BodyUnpackable."""
    max_bytes = int(limits.max_body_mb * MB)
    unpacker = zlib.decompressobj(GZIP_WBITS)
    try:
        data = unpacker.decompress(body, max_bytes + 1)
    except zlib.error as e:
        raise BodyUnpackable("The body says gzip and is not", hint="Send it plain, or packed with gzip") from e
    if len(data) > max_bytes:
        raise BodyTooLarge(limits.max_body_mb)
    if not unpacker.eof or unpacker.unused_data:
        raise BodyUnpackable("The body is not one complete gzip stream", hint="Send it plain, or packed with gzip")
    return data


async def _next(receive: Receive) -> tuple[bytes, bool]:
    """The next part of the body, and whether it is the last."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), not message.get("more_body", False)


async def _collect(receive: Receive, max_bytes: int) -> tuple[bytes, bool]:
    """The body, cut off behind `max_bytes`, and whether it has ended."""
    part, ended = await _next(receive)
    if ended:
        return part, True
    parts, size = [part], len(part)
    while not ended and size <= max_bytes:
        part, ended = await _next(receive)
        parts.append(part)
        size += len(part)
    return b"".join(parts), ended


async def _skip_rest(receive: Receive, timeout_s: float) -> bool:
    """Read on without keeping, so that a client which reads only after sending gets to see its refusal.

    False when the body does not end in time: then the connection must end with the reply.
    """
    try:
        async with asyncio.timeout(timeout_s):
            ended = False
            while not ended:
                _, ended = await _next(receive)
    except TimeoutError:
        return False
    return True
