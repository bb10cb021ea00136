"""How many rows and values a body holds, told before any of them is built.

A value of two bytes takes forty and more once it is built: 16 MB of `{},` would be hundreds of MB. Whatever is counted
here is counted in the bytes, in memory that does not grow with them.
"""

import codecs
from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt

CHUNK_BYTES = 1 << 20
"""Looked at in one go."""

QUOTE, COMMA = ord('"'), ord(",")
OPENING, CLOSING = b"[{", b"]}"

STEPS = np.zeros(256, np.int8)
STEPS[list(OPENING)], STEPS[list(CLOSING)] = 1, -1


class _Holder(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()


class _Body(msgspec.Struct):
    """The rows of any form, left as they are; what else there is, is skipped."""

    data: msgspec.Raw = msgspec.Raw()
    Inputs: _Holder = msgspec.field(default_factory=_Holder)
    input_data: _Holder = msgspec.field(default_factory=_Holder)


_BODY = msgspec.json.Decoder(_Body)


def rows(body: bytes, *, chunk_bytes: int = CHUNK_BYTES) -> int | None:
    """How many rows the body holds, in whatever form; None where it is not JSON, or its rows cannot be found."""
    try:
        top = _BODY.decode(body.removeprefix(codecs.BOM_UTF8))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = [memoryview(raw) for raw in (top.data, top.Inputs.data, top.input_data.data)]
    return max((_elements(raw, chunk_bytes) for raw in found if raw[:1].tobytes() == b"["), default=None)


def values(body: bytes, *, chunk_bytes: int = CHUNK_BYTES) -> int:
    """No more than so many values are built of the body, right or wrong: its elements, its arrays and its objects."""
    return sum(
        int(np.count_nonzero(outside & ((text == COMMA) | (STEPS[text] > 0))))
        for text, outside in _parts(body, chunk_bytes)
    )


def _elements(array: memoryview, chunk_bytes: int) -> int:
    """How many elements an array has, in JSON; an empty one counts as one."""
    commas, before = 0, 0
    for text, outside in _parts(array, chunk_bytes):
        depth = before + np.cumsum(STEPS[text] * outside, dtype=np.int32)
        commas += int(np.count_nonzero(outside & (text == COMMA) & (depth == 1)))
        before = int(depth[-1])
    return commas + 1


def _parts(text: bytes | memoryview, chunk_bytes: int) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]]:
    """The text piece by piece, each with what of it is outside of strings."""
    view, at, quotes = memoryview(text), 0, 0
    while at < len(view):
        piece = bytes(view[at : at + chunk_bytes])
        if (len(piece) - len(piece.rstrip(b"\\"))) % 2:
            piece = bytes(view[at : at + chunk_bytes + 1])  # an escape is not cut in two
        at += len(piece)
        if b"\\" in piece:
            piece = piece.replace(b"\\\\", b"..").replace(b'\\"', b"..")
        part = np.frombuffer(piece, np.uint8)
        passed = quotes + np.cumsum(part == QUOTE, dtype=np.int32)
        quotes = int(passed[-1])
        yield part, passed % 2 == 0
