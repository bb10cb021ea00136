"""Values of ours in the tags and properties of Azure's things: as JSON, packed, in pieces that they have room for.

Azure ML allows 50 properties of 1,000 characters each on a run (its page on limits); what it says nothing of is held
to the same.
"""

import base64
import zlib
from collections.abc import Callable, Mapping
from itertools import count, takewhile
from typing import Any, TypeVar

import msgspec

from core.domain.errors import SpecInvalid
from core.domain.plain import plain

T = TypeVar("T")
Earlier = Callable[[Mapping[str, Any]], dict[str, Any]]
PIECE_CHARS = 1000
PIECES_MAX = 40


def kept(key: str, value: Any) -> dict[str, str]:
    """A domain value as properties `key.0`, `key.1`, ... Raises SpecInvalid for one that is too large."""
    packed = base64.b64encode(zlib.compress(msgspec.json.encode(plain(value)), 9)).decode()
    pieces = [packed[at : at + PIECE_CHARS] for at in range(0, len(packed), PIECE_CHARS)]
    if len(pieces) > PIECES_MAX:
        raise SpecInvalid(
            f"Azure ML has no room for all that is to be kept of this ({len(packed):,} characters, at most"
            f" {PIECES_MAX * PIECE_CHARS:,})",
            hint="Use fewer columns, or shorter names",
        )
    return {f"{key}.{number}": piece for number, piece in enumerate(pieces)}


def found(key: str, held: Mapping[str, str] | None, kind: type[T], earlier: Earlier = dict) -> T | None:
    """The value that `kept` wrote; None where there is none, or none that this Slipway can read.

    `earlier` gives what an earlier release has kept by today's names.
    """
    held = held if isinstance(held, Mapping) else {}
    names = takewhile(held.__contains__, (f"{key}.{number}" for number in count()))
    if not (packed := "".join(str(held[name]) for name in names)):
        return None
    try:
        body = msgspec.json.decode(zlib.decompress(base64.b64decode(packed)), type=dict[str, Any])
        return msgspec.convert(earlier(body), kind)
    except (zlib.error, ValueError, msgspec.DecodeError, SpecInvalid):
        return None
