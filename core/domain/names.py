"""The one rule of names: what may be a name, what an address makes of it, and what its folder is called.

Data assets, models and computes keep the name that they were given. What must be part of an address (an endpoint, a
deployment) has plain letters, digits and dashes only.
"""

import hashlib
import re
import unicodedata
import zlib
from typing import Any

from core.domain.errors import SpecInvalid
from core.domain.rules import check_text, shown

BYTES_MAX = 200
"""Names stand in listings and were folders once; file systems take 255 bytes."""
ENDPOINT = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")
"""Azure ML's rule for endpoint names: 3 to 32 characters, a letter first, no dash at the end."""
DEPLOYMENT = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
"""1 to 32 characters: `v1` is a deployment's usual name."""
LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
"""Latin letters that are no plain letter with a mark."""
PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]*")
"""A name that every file system keeps apart from all others of this kind."""
SLUG_CHARS_MAX = 40
TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".data", ".json", ".jsonl", ".ndjson", ".parquet", ".gz", ".xz", ".bz2")


def check_name(what: str, name: Any) -> None:
    """Any letters, but nothing that would make a reference mean two things or that cannot be written.

    A slash makes a path of it, a dot in front hides it, and a colon with a number at the end is a version. Raises
    SpecInvalid.
    """
    check_text(f"The name of {what}", name)
    if "/" in name or name[0] in ".:":
        raise SpecInvalid(
            f"{shown(name)} is not a name for {what}", hint="Do not use a slash, or a dot or colon at the start"
        )
    if reference(name) != (name, 0):
        raise SpecInvalid(
            f"{shown(name)} is not a name for {what}: it ends like a version",
            hint="Do not end it in a colon and a number",
        )
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise SpecInvalid(f"{shown(name)} is not a name for {what}: it contains a character that cannot be stored")
    if len(name.encode()) > BYTES_MAX:
        raise SpecInvalid(f"A name for {what} has at most {BYTES_MAX} bytes, got {len(name.encode())}")


def reference(text: str) -> tuple[str, int]:
    """`name` or `name:version` (also `name:latest`) as name and version, 0 for the newest."""
    name, _, version = text.rpartition(":")
    if name and version in ("", "latest"):
        return name, 0
    return (name, int(version)) if name and version.isdecimal() else (text, 0)


def slug(text: str) -> str:
    """What is left of a name in an address: `Données Été` -> `donnees-ete`; nothing of one without Latin letters."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(LETTERS))
    return re.sub(r"[^a-z0-9]+", "-", "".join(c for c in plain if not unicodedata.combining(c))).strip("-")


def endpoint_name(text: str) -> str:
    """A valid endpoint name made of any table's or model's name: `Données Été` -> `donnees-ete`.

    A name of which no letter is left (`状态`) gives one of its own, so that two such tables do not meet.
    """
    name = slug(text)
    if not name and not text.isascii():
        name = f"e-{zlib.crc32(text.encode()):08x}"
    if not name or not name[0].isalpha():
        name = f"e-{name}".rstrip("-")
    name = name[:32].rstrip("-")
    return name if len(name) >= 3 else f"{name}-endpoint"


def folder_name(text: str) -> str:
    """The folder of a thing of this name. No two names share one, whatever a file system does to capitals and marks."""
    if PLAIN.fullmatch(text):
        return text
    return f"{slug(text)[:SLUG_CHARS_MAX]}~{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def table_name(source: str) -> str:
    """The data asset's name for a path or a known name: `tables/adult.csv.xz` -> `adult`."""
    name = source.rstrip("/").rpartition("/")[2]
    while (cut := name.rpartition("."))[0] and f".{cut[2].lower()}" in TABLE_ENDINGS:
        name = cut[0]
    return (name if reference(name) == (name, 0) else name.replace(":", "-")) or source
