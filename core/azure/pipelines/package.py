"""Slipway itself as the code of a step: one archive of the rooms that a step needs, and the environment it runs in."""

import hashlib
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path

from core.settings import CHECKOUT

ARCHIVE, OWN = "slipway.zip", "own.tar"
LEFT_OUT = frozenset({"ui", "emulator", "local", "quickstart", "cli", "__pycache__"})
"""Rooms of `core` that no step needs."""
BESIDE = ("schemathesis.toml",)
"""Files beside `core`, which a gate reads."""
SUFFIXES = (".py", ".yaml", ".yml", ".json", ".c", ".h", ".in", ".txt")
WHEN = (1980, 1, 1, 0, 0, 0)
IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest"
PYTHON = "3.11"
PACKAGES = (
    *("azure-ai-ml", "azure-identity", "httpx", "msgspec", "PyYAML", "APScheduler", "duckdb", "numpy", "pyarrow"),
    *("pandas", "psutil", "uvicorn", "httptools", "schemathesis", "hypothesis"),
)
"""What a step imports besides the standard library; pinned as they are here."""


@cache
def archive() -> bytes:
    """The same files give the same bytes, so that Azure keeps them once."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in _files(CHECKOUT / "core"):
            info = zipfile.ZipInfo(path.relative_to(CHECKOUT).as_posix(), WHEN)
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, path.read_bytes())
    return made.getvalue()


def _files(core: Path) -> Iterator[Path]:
    yield from (CHECKOUT / name for name in BESIDE if (CHECKOUT / name).exists())
    for path in sorted(core.rglob("*")):
        parts = path.relative_to(core).parts
        if path.is_file() and path.suffix in SUFFIXES and not LEFT_OUT.intersection(parts):
            yield path


def code_folder(place: Path, own: bytes = b"") -> Path:
    """A folder with Slipway, and with the code that a step brings along."""
    content = archive()
    folder = place / hashlib.sha256(content + own).hexdigest()[:16]
    if not folder.exists():
        made = folder.with_suffix(".part")
        made.mkdir(parents=True, exist_ok=True, mode=0o700)
        (made / ARCHIVE).write_bytes(content)
        if own:
            (made / OWN).write_bytes(own)
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    return folder


def conda() -> dict[str, object]:
    """The environment's packages, as conda reads them."""
    return {
        "name": "slipway-step",
        "channels": ["conda-forge"],
        "dependencies": [f"python={PYTHON}", "pip", {"pip": list(_pinned())}],
    }


def environment_version() -> str:
    """Another one with other packages."""
    return hashlib.sha256("\n".join((IMAGE, PYTHON, *_pinned())).encode()).hexdigest()[:12]


def _pinned() -> Iterator[str]:
    for name in PACKAGES:
        try:
            yield f"{name}=={version(name)}"
        except PackageNotFoundError:
            yield name
