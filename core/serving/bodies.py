"""What a body may be, and how a packed one is unpacked within its limits."""

import zlib
from collections.abc import Mapping

from core.domain.endpoint import EndpointLimits
from core.serving.refusals import BodyTooLarge, BodyUnpackable, MediaRefused

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
            raise MediaRefused("The charset is not UTF-8", hint="JSON must be UTF-8 (RFC 8259)")
    packed = ENCODINGS.get(headers.get(b"content-encoding", b"").strip().lower())
    if packed is None:
        raise MediaRefused("This content encoding is not supported", hint="Send the body uncompressed or with gzip")
    return packed


def check_length(headers: Mapping[bytes, bytes], limits: EndpointLimits) -> None:
    """Raise BodyTooLarge for a body that says so itself, before a byte of it is read."""
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > limits.max_body_mb * MB:
        raise BodyTooLarge(limits.max_body_mb)


def unpack(body: bytes, limits: EndpointLimits) -> bytes:
    """A gzip body unpacked, never beyond the limit. Raises BodyTooLarge, BodyUnpackable."""
    max_bytes = int(limits.max_body_mb * MB)
    unpacker = zlib.decompressobj(GZIP_WBITS)
    try:
        data = unpacker.decompress(body, max_bytes + 1)
    except zlib.error as e:
        raise BodyUnpackable(
            "The body is declared as gzip but is not gzip", hint="Send it uncompressed, or compressed with gzip"
        ) from e
    if len(data) > max_bytes:
        raise BodyTooLarge(limits.max_body_mb)
    if not unpacker.eof or unpacker.unused_data:
        raise BodyUnpackable(
            "The body is not one complete gzip stream", hint="Send it uncompressed, or compressed with gzip"
        )
    return data
