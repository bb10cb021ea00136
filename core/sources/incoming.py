"""What comes in by a stream: written in pieces, below a limit."""

from pathlib import Path
from typing import BinaryIO

from core.domain.data import DataSource
from core.domain.errors import PayloadTooLarge, SourceUnreadable
from core.domain.rules import shown
from core.settings import Settings
from core.sources.find import Source

CHUNK_BYTES = 1 << 20
MB = 1 << 20
"""As Streamlit counts it, whose uploader refuses by the same setting."""
NAME_CHARS_MAX = 255


def own_name(filename: str) -> str:
    """A file's name without folders, as browsers of all systems send it. Raises SourceUnreadable for none at all."""
    name = filename.replace("\\", "/").rstrip("/").rpartition("/")[2].strip()
    name = "".join(letter for letter in name if letter.isprintable())[-NAME_CHARS_MAX:]
    if not name.strip("."):
        raise SourceUnreadable(f"{shown(filename)} is no name of a file", hint="Name it as the file is called")
    return name


def uploaded(filename: str, name: str, path: Path, settings: Settings) -> Source:
    """A file that somebody has sent, at `path`: bounded also once it is unpacked."""
    limit = settings.unpacked_max_mb * MB
    return Source(DataSource.UPLOAD, filename, name, path, unpacked_max_bytes=limit)


def receive(stream: BinaryIO, path: Path, name: str, settings: Settings) -> None:
    """Write all that a stream gives to `path`. Raises PayloadTooLarge, SourceUnreadable for nothing, OSError."""
    limit, got = settings.upload_max_mb * MB, 0
    with path.open("wb") as file:
        while chunk := stream.read(CHUNK_BYTES):
            got += len(chunk)
            if got > limit:
                raise PayloadTooLarge(
                    f"'{name}' is larger than {settings.upload_max_mb:,} MB",
                    hint="SLIPWAY_UPLOAD_MAX_MB allows more; a file in a data folder, or registered with "
                    "`python -m core data register PATH`, may have any size",
                )
            file.write(chunk)
    if not got:
        raise SourceUnreadable(f"'{name}' is empty: it has no bytes", hint="Choose the file again")
