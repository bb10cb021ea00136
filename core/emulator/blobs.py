"""The blobs of the emulated storage account: content as files in folders, and what is known of each as a document.

Names of blobs keep their case and may be anything up to 1,024 letters, so a file lies under its own name wherever a
file system allows that, and aside under a digest where it does not (`a` and `a/b` may both be blobs).
"""

import base64
import hashlib
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from core.emulator.emulation import Emulation

SEGMENT_BYTES_MAX = 240
CHUNK_BYTES = 1 << 20
ASIDE = ".aside"
OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Blob:
    """What is known of a blob without its content."""

    container: str
    name: str
    file: str
    """Where its content lies, below the folder of all blobs."""
    size: int
    etag: str
    md5: str
    """Of the content, as base64; empty where nobody has computed it."""
    created_at: float
    modified_at: float
    content: Mapping[str, str] = field(default_factory=dict)
    """What its reader is told: `content-type`, `content-encoding`, `cache-control` and their like."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    kind: str = "BlockBlob"
    blocks: tuple[tuple[str, int], ...] = ()
    """Id and size of each block that it was put together from."""


def folder(emulation: Emulation) -> Path:
    """Where the content of all blobs lies."""
    return emulation.folder / "blobs"


def path_of(emulation: Emulation, container: str, name: str) -> Path:
    """The file of a blob, or the folder of all whose names begin with `name/`, whether it is there or not."""
    blob = find(emulation, container, name)
    if blob is None and (folder(emulation) / container / name).is_dir() and _tame(name):
        return folder(emulation) / container / name
    return folder(emulation) / (blob.file if blob else _place(emulation, container, name))


def find(emulation: Emulation, container: str, name: str) -> Blob | None:
    """A blob, or None."""
    kept = emulation.state.get(_key(container, name))
    return _blob(kept) if kept else None


def listed(emulation: Emulation, container: str, prefix: str = "") -> list[Blob]:
    """All blobs whose names begin with the prefix, by name."""
    found = (_blob(kept) for _, kept in emulation.state.below(_key(container, prefix)))
    return sorted(found, key=lambda blob: blob.name)


def read(emulation: Emulation, container: str, name: str) -> bytes:
    """The content of a blob. Raises FileNotFoundError."""
    blob = find(emulation, container, name)
    if blob is None:
        raise FileNotFoundError(f"There is no blob '{container}/{name}'")
    return (folder(emulation) / blob.file).read_bytes()


def write(
    emulation: Emulation,
    container: str,
    name: str,
    content: bytes | BinaryIO,
    *,
    headers: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Blob:
    """Make a blob, or give it another content; readers see the old one or the new one."""
    with Draft(emulation) as draft:
        if isinstance(content, bytes):
            draft.add(content)
        else:
            while chunk := content.read(CHUNK_BYTES):
                draft.add(chunk)
        return draft.publish(container, name, headers or {}, metadata or {})


def write_folder(emulation: Emulation, container: str, prefix: str, source: Path) -> list[Blob]:
    """Make a blob `prefix/...` of every file below a folder."""
    made = []
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            made.append(write(emulation, container, f"{prefix}/{path.relative_to(source).as_posix()}", file))
    return made


def append(emulation: Emulation, container: str, name: str, content: bytes) -> Blob:
    """Put more behind what a blob has, such as a log that grows; one that is not there comes into being."""
    with emulation.state.lock:
        blob = find(emulation, container, name)
        if blob is None:
            return write(emulation, container, name, content)
        with (folder(emulation) / blob.file).open("ab") as file:
            file.write(content)
        return _keep(emulation, blob, size=blob.size + len(content), md5="")


def describe(emulation: Emulation, blob: Blob, **changed: Any) -> Blob:
    """Change what is said of a blob, such as its `metadata`, and not its content."""
    return _keep(emulation, blob, **changed)


def delete(emulation: Emulation, container: str, name: str) -> bool:
    """Whether there was such a blob."""
    with emulation.state.lock:
        blob = find(emulation, container, name)
        if blob is None:
            return False
        emulation.state.delete(_key(container, name))
        _remove(emulation, blob)
        return True


def containers(emulation: Emulation) -> dict[str, dict[str, Any]]:
    """Name -> what is kept of each container that was made; the workspace's own is always there."""
    made = {key.partition("/")[2]: kept for key, kept in emulation.state.below("container/")}
    return {emulation.names.container: {}, "azureml": {}} | made


class Draft:
    """Content that comes in pieces, and is a blob when `publish` says so; until then nobody sees it."""

    def __init__(self, emulation: Emulation) -> None:
        self._emulation = emulation
        self._path = folder(emulation) / ".drafts" / uuid.uuid4().hex
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._digest = hashlib.md5(usedforsecurity=False)
        self.size = 0
        self._file = self._path.open("wb")

    def __enter__(self) -> "Draft":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    @property
    def md5(self) -> str:
        return base64.b64encode(self._digest.digest()).decode()

    def add(self, content: bytes) -> None:
        self._file.write(content)
        self._digest.update(content)
        self.size += len(content)

    def publish(
        self,
        container: str,
        name: str,
        headers: Mapping[str, str],
        metadata: Mapping[str, str],
        **more: Any,
    ) -> Blob:
        """The blob that it has become, in the place of one that may have had the name."""
        self._file.close()
        emulation = self._emulation
        with emulation.state.lock:
            before, now = find(emulation, container, name), emulation.clock.now()
            place = before.file if before else _place(emulation, container, name)
            target = folder(emulation) / place
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.replace(target)
            described = {"content-type": OCTETS} | dict(headers)
            created_at = before.created_at if before else now
            blob = Blob(
                container, name, place, self.size, "", self.md5, created_at, now, described, dict(metadata), **more
            )
            return _keep(emulation, blob)


def pieces(path: Path, start: int, length: int) -> Iterator[bytes]:
    """A part of a file, in chunks."""
    with path.open("rb") as file:
        file.seek(start)
        while length > 0 and (chunk := file.read(min(CHUNK_BYTES, length))):
            yield chunk
            length -= len(chunk)


def _keep(emulation: Emulation, blob: Blob, **changed: Any) -> Blob:
    now = emulation.clock.now()
    made = _blob(asdict(blob) | {"etag": f'"0x{uuid.uuid4().hex[:15].upper()}"', "modified_at": now} | changed)
    emulation.state.put(_key(blob.container, blob.name), asdict(made))
    return made


def _blob(kept: Mapping[str, Any]) -> Blob:
    return Blob(**{**kept, "blocks": tuple((number, size) for number, size in kept["blocks"])})


def _key(container: str, name: str) -> str:
    """Keys of the state are compared without their case, and names of blobs with it: hence the digits."""
    return f"blob/{container}/{name.encode('utf-8', 'surrogatepass').hex()}"


def _place(emulation: Emulation, container: str, name: str) -> str:
    """Where the content of a new blob may lie."""
    if _tame(name):
        root = folder(emulation) / container
        path = root / name
        inside: Iterable[Path] = path.relative_to(root).parents
        if not path.is_dir() and not any((root / parent).is_file() for parent in inside):
            return f"{container}/{name}"
    return f"{ASIDE}/{container}/{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _tame(name: str) -> bool:
    """Whether a file may have the name, and lies inside of the container's folder with it."""
    if re.search(r"[\x00-\x1f]", name):
        return False
    try:
        segments = [os.fsencode(segment) for segment in name.split("/")]
    except UnicodeEncodeError:
        return False
    return all(segment not in (b"", b".", b"..") and len(segment) <= SEGMENT_BYTES_MAX for segment in segments)


def _remove(emulation: Emulation, blob: Blob) -> None:
    """The content, and the folders that are empty without it."""
    root = folder(emulation)
    path = root / blob.file
    path.unlink(missing_ok=True)
    with suppress(OSError):  # not empty
        while (path := path.parent) != root:
            path.rmdir()
