"""Bytes: unpacking by what a file is (not by what it is called), text in any usual encoding, whole files or none."""

import bz2
import codecs
import errno
import gzip
import hashlib
import io
import lzma
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from core.domain.errors import PayloadTooLarge, SourceUnreadable, StorageFull

CHUNK = 1 << 20
HINT = "Give a table as CSV, TSV, JSON lines or Parquet, uncompressed or compressed with gzip, xz or bzip2"

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FOREIGN = {
    b"\x28\xb5\x2f\xfd": "compressed with zstd, which is not supported",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x7fELF": "a program",
}
PACKED: Mapping[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": lambda packed: gzip.GzipFile(fileobj=packed),
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"BZh": bz2.BZ2File,
}


@contextmanager
def unpacked(packed: BinaryIO, what: str) -> Iterator[BinaryIO]:
    """The bytes inside a gzip, xz or bzip2 stream, or the stream itself. Raises SourceUnreadable when it is damaged."""
    magic = packed.read(6)
    packed.seek(0)
    for signature, kind in FOREIGN.items():
        if magic.startswith(signature):
            raise SourceUnreadable(f"{what} is {kind}, not a table", hint=HINT)
    unpack = next((opener for signature, opener in PACKED.items() if magic.startswith(signature)), None)
    try:
        yield unpack(packed) if unpack else packed
    except (EOFError, lzma.LZMAError, zlib.error, OSError) as e:
        if isinstance(e, OSError) and e.errno is not None:  # the system's error, not gzip's or bzip2's opinion
            raise
        raise SourceUnreadable(f"{what} is damaged or incomplete: {e}", hint="Copy or download it again") from e


@contextmanager
def opened(path: Path, what: str) -> Iterator[BinaryIO]:
    """The unpacked bytes of a file that people know as `what`.

    Raises SourceUnreadable when it is missing, forbidden or damaged.
    """
    try:
        file = path.open("rb")
    except OSError as e:
        raise SourceUnreadable(f"{what} cannot be read: {e.strerror}", hint="Check the path and its permissions") from e
    with file, unpacked(file, what) as stream:
        yield stream


def check_unpacked(size: int, limit_bytes: int | None, what: str) -> None:
    """Raise PayloadTooLarge for a table that grows beyond what its sender may have us write."""
    if limit_bytes is not None and size > limit_bytes:
        raise PayloadTooLarge(
            f"{what} is larger than {limit_bytes >> 20:,} MB once it is unpacked",
            hint="SLIPWAY_UNPACKED_MAX_MB allows more; a file in a data folder may have any size",
        )


def _chunks(source: BinaryIO, limit_bytes: int | None, what: str) -> Iterator[bytes]:
    size = 0
    while chunk := source.read(CHUNK):
        size += len(chunk)
        check_unpacked(size, limit_bytes, what)
        yield chunk


def copy_bytes(path: Path, target: Path, what: str, limit_bytes: int | None = None) -> str:
    """Unpack a file and give the SHA-256 of what was in it. Raises PayloadTooLarge above the limit."""
    digest = hashlib.sha256()
    with opened(path, what) as source, target.open("wb") as out:
        for chunk in _chunks(source, limit_bytes, what):
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class CopiedText:
    """A text as it was copied: the SHA-256 of its unpacked bytes, its encoding, and how many signs were not read."""

    sha256: str
    encoding: str
    lost: int = 0


def copy_text(path: Path, target: Path, what: str, limit_bytes: int | None = None) -> CopiedText:
    """Unpack a text file as UTF-8 with plain line ends and without a byte order mark.

    UTF-8 and UTF-16 are known by their mark, UTF-16 without one by its zeros; other text that is not UTF-8 is read as
    Windows-1252, the superset of Latin-1. Raises SourceUnreadable for what is not text, PayloadTooLarge.
    """
    with opened(path, what) as source:
        start = source.read(64)
    if encoding := _utf_16(start):
        return _transcode(path, target, what, encoding, "replace", limit_bytes)
    try:
        return _transcode(path, target, what, "utf-8-sig", "strict", limit_bytes)
    except UnicodeDecodeError:
        return _transcode(path, target, what, "cp1252", "replace", limit_bytes)


def _utf_16(start: bytes) -> str:
    """The kind of UTF-16 that a file begins with; empty for anything else."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = start[0::2], start[1::2]
    if len(start) >= 4 and even and odd and not any(odd) and all(even):
        return "utf-16-le"
    return "utf-16-be" if len(start) >= 4 and not any(even) and all(odd) else ""


def _transcode(path: Path, target: Path, what: str, encoding: str, errors: str, limit_bytes: int | None) -> CopiedText:
    digest, lost = hashlib.sha256(), 0
    decode = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(errors), translate=True).decode
    with opened(path, what) as source, target.open("w", encoding="utf-8", newline="") as out:
        for chunk in chain(_chunks(source, limit_bytes, what), (b"",)):
            digest.update(chunk)
            text = decode(chunk, final=not chunk)
            if "\0" in text:
                raise SourceUnreadable(f"{what} is not a table: it holds binary data", hint=HINT)
            lost += text.count("\ufffd") if errors == "replace" else 0
            out.write(text)
    return CopiedText(digest.hexdigest(), encoding, lost)


def write_whole(path: Path, content: bytes) -> None:
    """Readers see the old file or the new one, also after a power cut."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        put_in_place(part, path)
    finally:
        part.unlink(missing_ok=True)


def put_in_place(part: Path, path: Path) -> None:
    """Make `part`, which must be in the same filesystem, the file at `path`, readable by its owner alone."""
    part.chmod(0o600)
    for flush, target in ((part, path), (path.parent, None)):
        handle = os.open(flush, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if target is not None:
            os.replace(part, target)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Tell a full disk, and only that, in our words."""
    try:
        yield
    except OSError as e:
        if e.errno in NO_SPACE:
            raise full(path.name) from e
        raise


def full(what: str) -> StorageFull:
    """The error for a disk or quota that is full."""
    return StorageFull(f"There is no space left to write {what}", hint="Free some space and try again; nothing is lost")
