"""Reads UBJSON as XGBoost writes it; nothing but numbers, texts, lists and objects can come of it."""

import struct
from typing import Any

import numpy as np

from core.domain.errors import ModelUnreadable

DEPTH_MAX = 32
"""XGBoost's own documents are nine deep."""
NUMBERS = {
    b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4", b"D": ">f8",
}  # fmt: skip
CONSTANTS: dict[bytes, Any] = {b"Z": None, b"T": True, b"F": False}


def decode(content: bytes) -> Any:
    """The value; typed arrays become lists. Raises ModelUnreadable for anything that is cut off or of another kind."""
    reader = _Reader(content)
    try:
        return reader.value(reader.take(1), 0)
    except (struct.error, UnicodeDecodeError, ValueError) as e:
        raise ModelUnreadable(f"its UBJSON is damaged at byte {reader.at}: {e}") from e


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.content):
            raise ModelUnreadable(f"its UBJSON is cut off at byte {self.at}")
        self.at += size
        return self.content[self.at - size : self.at]

    def value(self, marker: bytes, depth: int) -> Any:
        if depth > DEPTH_MAX:
            raise ModelUnreadable(f"its UBJSON is more than {DEPTH_MAX} deep")
        if marker in NUMBERS:
            return self._numbers(marker, 1)[0]
        if marker in CONSTANTS:
            return CONSTANTS[marker]
        if marker == b"S":
            return self._text()
        if marker == b"[":
            return self._list(depth)
        if marker == b"{":
            return self._object(depth)
        raise ModelUnreadable(f"its UBJSON is damaged: {marker!r} at byte {self.at} begins no value")

    def _numbers(self, marker: bytes, count: int) -> list[Any]:
        kind = np.dtype(NUMBERS[marker])
        return list(np.frombuffer(self.take(kind.itemsize * count), kind).tolist())

    def _length(self) -> int:
        marker = self.take(1)
        if marker not in (b"i", b"U", b"I", b"l", b"L"):
            raise ModelUnreadable(f"its UBJSON is damaged: {marker!r} at byte {self.at} begins no length")
        return int(self._numbers(marker, 1)[0])

    def _text(self) -> str:
        return self.take(self._length()).decode()

    def _list(self, depth: int) -> list[Any]:
        found: list[Any] = []
        marker = self.take(1)
        if marker == b"$":
            kind = self.take(1)
            if kind not in NUMBERS or self.take(1) != b"#":
                raise ModelUnreadable(f"its UBJSON is damaged: a list of {kind!r} at byte {self.at}")
            return self._numbers(kind, self._length())
        if marker == b"#":
            # Every element takes a byte at least, so a count that lies ends with the content.
            return [self.value(self.take(1), depth + 1) for _ in range(self._length())]
        while marker != b"]":
            found.append(self.value(marker, depth + 1))
            marker = self.take(1)
        return found

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while (marker := self.take(1)) != b"}":
            self.at -= len(marker)
            name = self._text()
            found[name] = self.value(self.take(1), depth + 1)
        return found
