"""The code that a step brings along, as one archive: the same files give the same bytes, wherever and whenever."""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from core.domain.errors import SpecInvalid

CODE_MAX_MB = 50
FILES_MAX = 10_000
SKIPPED = frozenset(
    {"__pycache__", ".git", ".hg", ".venv", "venv", ".tox", ".slipway", "node_modules", ".ipynb_checkpoints"}
    | {".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".DS_Store"}
)
"""What is made of the code, or is no part of it."""


def pack(path: Path) -> bytes:
    """A folder's files, or one file, as a tar archive: sorted, without times and owners.

    Raises SpecInvalid for what is not there, is too large, or leads out of the folder.
    """
    if not path.exists():
        raise SpecInvalid(f"There is no code at '{path}'", hint="A path is relative to the definition's file")
    root = path.resolve()
    found = dict(sorted(_files(root))) if root.is_dir() else {root.name: root}
    if not found:
        raise SpecInvalid(f"The folder '{path}' contains no file")
    archive, left = io.BytesIO(), CODE_MAX_MB * 1_000_000
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, file in found.items():
            content = _content(file, path, left)
            left -= len(content)
            tar.addfile(_entry(name, len(content), os.access(file, os.X_OK)), io.BytesIO(content))
    return archive.getvalue()


def packed(code: Mapping[str, str], folder: Path) -> dict[str, bytes]:
    """The archive of each step; `code` names them as a definition in that folder does. Raises SpecInvalid."""
    found = {}
    for step, path in code.items():
        try:
            found[step] = pack(folder / Path(path).expanduser())
        except SpecInvalid as e:
            raise SpecInvalid(f"Step '{step}': {e.message}", hint=e.hint) from e
        except (OSError, ValueError, RuntimeError) as e:
            raise SpecInvalid(f"Step '{step}': the code at '{path}' cannot be read: {e}") from e
    return found


def identity(archive: bytes) -> str:
    """The SHA-256 by which an archive of code is known."""
    return hashlib.sha256(archive).hexdigest()


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    count = 0
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED]
        for name in folders:
            if (link := Path(folder, name)).is_symlink():
                raise SpecInvalid(f"'{link}' is a link to a folder", hint="Put the folder itself there")
        for name in names:
            if name in SKIPPED or name.endswith(".pyc"):
                continue
            count += 1
            if count > FILES_MAX:
                raise SpecInvalid(f"The folder '{root}' has more than {FILES_MAX:,} files", hint=_SMALLER)
            yield _named(Path(folder, name), root), _inside(Path(folder, name), root)


_SMALLER = "Give the folder of the step's code alone"


def _named(path: Path, root: Path) -> str:
    name = path.relative_to(root).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError as e:
        raise SpecInvalid(f"{name!r} is not a file name in UTF-8") from e
    return name


def _inside(path: Path, root: Path) -> Path:
    """The file that is copied: a link inside the folder is followed, one out of it refused."""
    real = path.resolve()
    if path.is_symlink() and not real.is_relative_to(root):
        raise SpecInvalid(f"'{path}' is a link out of the folder", hint="Copy the file into the folder")
    if not real.is_file():
        raise SpecInvalid(f"'{path}' is not a file", hint="A step's code is files and folders")
    return real


def _content(file: Path, path: Path, left: int) -> bytes:
    with file.open("rb") as opened:
        content = opened.read(left + 1)
    if len(content) > left:
        raise SpecInvalid(f"The code at '{path}' has more than {CODE_MAX_MB} MB", hint=_SMALLER)
    return content


def _entry(name: str, size: int, executable: bool) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o755 if executable else 0o644
    return entry
