"""A deployment as one folder that serves it elsewhere: model, contract, server, pinned requirements, Dockerfile.

What the server needs of this project's code, and what that needs from elsewhere, is read off the imports, so that
neither list can be forgotten when the server changes.
"""

import ast
import errno
import json
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from core.domain.errors import Conflict, SpecInvalid

ROOT = Path(__file__).resolve().parents[2]
EXPORTED = Path(__file__).parent / "exported"
"""Files of the folder as they are; the scripts end in `.in`, since they are no modules of this project."""
LOCK = "requirements.lock"
STARTS = ("core.serving.__main__", "core.serving.worker", "core.packaging.pyfunc")
"""What is started or loaded by name; the rest is what these import."""
DATA = ("core/swagger_ui/assets",)
"""Folders that are read, not imported."""


def export(model: Path, folder: Path, deployment: Mapping[str, Any]) -> None:
    """Write `folder`, complete as soon as it is there, from a model folder and what `deployment.json` is to say.

    Files may be read by anybody, as an image's user must; there is no key among them. Raises Conflict when `folder`
    holds anything already, SpecInvalid when it cannot be written or what is installed cannot be pinned.
    """
    modules = needed_modules(STARTS)
    requirements = pinned(third_party(modules), (ROOT / LOCK).read_text())
    staged = _staged(folder)
    shutil.copytree(model, staged, dirs_exist_ok=True)
    shutil.rmtree(staged / "code", ignore_errors=True)
    for path in modules:
        _copy(ROOT / path, staged / "code" / path)
    for data in DATA:
        shutil.copytree(ROOT / data, staged / "code" / data)
    for path in EXPORTED.iterdir():
        _copy(path, staged / path.name.removesuffix(".in"))
    (staged / "requirements.txt").write_text(requirements)
    (staged / "deployment.json").write_text(json.dumps(dict(deployment), indent=2))
    for path in (staged, *staged.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    if folder.exists():
        folder.rmdir()
    staged.rename(folder)


def _staged(folder: Path) -> Path:
    """An empty folder beside `folder`, to become it at the end."""
    staged = folder.with_name(f".{folder.name}.part")
    try:
        if folder.exists() and any(folder.iterdir()):
            raise Conflict(f"{folder} is not empty", hint="Name a folder that is empty or does not exist yet")
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise SpecInvalid(f"Cannot write to {folder}: {e.strerror}", hint="Name a folder that you may write") from e
    return staged


def needed_modules(starts: Iterable[str]) -> list[Path]:
    """Every module of this project that these need, below the checkout; with the packages that hold them."""
    found: set[Path] = set()
    waiting = list(starts)
    while waiting:
        path = _path(waiting.pop())
        if path is None or path in found:
            continue
        found.add(path)
        found |= {parent / "__init__.py" for parent in path.parents if (ROOT / parent / "__init__.py").exists()}
        waiting += [name for name in _imports(path) if name.split(".")[0] == "core"]
    return sorted(found)


def third_party(modules: Iterable[Path]) -> set[str]:
    """The first names of what these modules import from elsewhere than here and the standard library."""
    names = {name.split(".")[0] for path in modules for name in _imports(path)}
    return names - {"core"} - set(sys.stdlib_module_names)


def pinned(names: Iterable[str], lock: str) -> str:
    """The blocks of a lock file (exact versions with their hashes) for these distributions. Raises SpecInvalid."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock)
    chosen = []
    for name in sorted(names):
        found = [block for block in blocks if re.match(rf"{re.escape(name)}==", block)]
        if not found:
            raise SpecInvalid(f"'{name}' is imported by the server and has no line in {LOCK}", hint="Run `make lock`")
        chosen += [re.sub(r"\n +# .*", "", block).rstrip() for block in found]
    return "\n".join(chosen) + "\n"


def _imports(path: Path) -> Iterator[str]:
    """Full names of what a module imports; of `from a import b` both `a` and `a.b`, which may be a module."""
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _path(name: str) -> Path | None:
    """Where a module of this project lies; None for a name that is no module."""
    base = Path(*name.split("."))
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in candidates if (ROOT / path).exists()), None)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
