"""Which code of ours does something, as one SHA-256: a module with every module of ours that it imports."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.domain.pipeline import StepKind
from core.settings import CHECKOUT

HOUSE = Path(__file__).parents[1]
LOCK = "requirements.lock"
ALSO: Mapping[StepKind, tuple[str, ...]] = {StepKind.AUTOML: ("local/worker/automl.py", "ml")}
"""What does a step's work besides its own module, below `core`: the training is a job of its own, and the learners are
loaded by name."""

_IMPORTS = re.compile(
    rb"^[ \t]*(?:from[ \t]+(core[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)|import[ \t]+(core[\w., \t]*))", re.MULTILINE
)
"""Found as text: parsing takes a second for what this finds in 20 ms. It may find too much, in a text that reads like
an import, and then a step runs once more than it had to."""
_WORDS = re.compile(rb"[\w.]+")


@dataclass(frozen=True, slots=True)
class _Seen:
    """Files as they were when they were read, and the digest of all of them."""

    files: frozenset[Path]
    stamp: tuple[tuple[int, int], ...]
    digest: str


_seen: dict[str, _Seen] = {}


def step_code(kind: StepKind) -> str:
    """The code of a built-in kind of step as it lies there now: a newer Slipway may come while this process runs."""
    return _kept(kind, lambda: closure(_roots(kind)))


def lock_file() -> str:
    """The packages that are pinned, by the file that does it."""
    return _kept(LOCK, lambda: frozenset({CHECKOUT / LOCK}))


def _roots(kind: StepKind) -> Iterator[Path]:
    yield HOUSE / "local" / "worker" / f"step_{kind}.py"
    for path in (HOUSE / each for each in ALSO.get(kind, ())):
        yield from path.rglob("*.py") if path.is_dir() else (path,)


def _kept(name: str, find: Callable[[], frozenset[Path]]) -> str:
    """Files are read again only where one has changed; looking costs a third of a millisecond."""
    seen = _seen.get(name)
    if seen is None or _stamp(seen.files) != seen.stamp:
        files = find()
        seen = _seen[name] = _Seen(files, _stamp(files), _digest(files))
    return seen.digest


def _stamp(files: Iterable[Path]) -> tuple[tuple[int, int], ...]:
    found = (file.stat() for file in sorted(files) if file.exists())
    return tuple((stat.st_mtime_ns, stat.st_size) for stat in found)


def closure(files: Iterable[Path]) -> frozenset[Path]:
    """These modules with all of ours that they import, on whatever way."""
    found: set[Path] = set()
    todo = list(files)
    while todo:
        file = todo.pop()
        if file not in found and file.is_file():
            found.add(file)
            todo += (path for name in _imported(file.read_bytes()) for path in _files(name))
    return frozenset(found)


def _imported(source: bytes) -> Iterator[str]:
    for module, names, plain in _IMPORTS.findall(source):
        yield from (word.decode() for word in _WORDS.findall(plain))
        if module:
            yield module.decode()
            yield from (f"{module.decode()}.{name.decode()}" for name in _WORDS.findall(names))


@cache
def _files(name: str) -> tuple[Path, ...]:
    """The files that are run when a module of ours is imported; none for a name within one."""
    parts = name.split(".")[1:]
    folders = [HOUSE.joinpath(*parts[:i]) / "__init__.py" for i in range(len(parts) + 1)]
    module = HOUSE.joinpath(*parts).with_suffix(".py") if parts else folders[0]
    return tuple(file for file in {module, *folders} if file.is_file())


def _digest(files: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes() if file.exists() else b""
        whole.update(f"{os.path.relpath(file, HOUSE)} {hashlib.sha256(content).hexdigest()}\n".encode())
    return whole.hexdigest()
