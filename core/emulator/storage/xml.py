"""Storage's answers and requests in XML."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote
from xml.sax.saxutils import escape

UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
HEAD = '<?xml version="1.0" encoding="utf-8"?>'


def element(name: str, inside: str = "") -> str:
    """An element around what is XML already."""
    return f"<{name}>{inside}</{name}>" if inside else f"<{name} />"


def text(name: str, value: object) -> str:
    """An element around a text."""
    return element(name, escape(str(value)))


def texts(values: Mapping[str, object]) -> str:
    """An element for each text that there is."""
    return "".join(text(name, value) for name, value in values.items() if value not in ("", None))


def named(name: str) -> str:
    """The name of a blob: XML cannot hold every letter, and such names are sent encoded."""
    if UNPRINTABLE.search(name):
        return f'<Name Encoded="true">{quote(name, safe="")}</Name>'
    return text("Name", name)


def document(name: str, inside: Iterable[str], attributes: Mapping[str, str] | None = None) -> bytes:
    """A whole document."""
    said = "".join(f' {key}="{escape(value, {chr(34): "&quot;"})}"' for key, value in (attributes or {}).items())
    return f"{HEAD}<{name}{said}>{''.join(inside)}</{name}>".encode("utf-8", "replace")


def block_ids(body: bytes) -> list[tuple[str, str]]:
    """(Latest, Committed or Uncommitted; id) of each block of a list, in its order."""
    found = re.findall(rb"<(Latest|Committed|Uncommitted)>\s*([^<\s]+)\s*</", body)
    return [(kind.decode(), number.decode("ascii", "replace")) for kind, number in found]
