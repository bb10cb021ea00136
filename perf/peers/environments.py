"""One Python environment a peer, made on demand in `perf/peers/envs/NAME` and kept: nothing is installed twice."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from perf.peers.comparison import FOLDER, PeerFailed

ENVS = FOLDER / "envs"
INSTALL_TIMEOUT_S = 900


class Installable(Protocol):
    """A peer's module, or whatever else says what an environment is made of."""

    @property
    def NAME(self) -> str: ...

    @property
    def PYTHON(self) -> str: ...

    @property
    def REQUIREMENTS(self) -> Sequence[str]: ...


def python_of(peer: Installable, envs: Path = ENVS) -> Path:
    """The interpreter that has what the peer requires. Raises PeerFailed with the installer's own last words."""
    if there := installed_python(peer, envs):
        return there
    folder = envs / peer.NAME
    python, stamp = folder / "bin" / "python", folder / "installed"
    shutil.rmtree(folder, ignore_errors=True)
    uv = _uv(envs)
    _run([*uv, "venv", "--quiet", "--python", _interpreter(peer), str(folder)])
    _run([*uv, "pip", "install", "--quiet", "--python", str(python), *peer.REQUIREMENTS])
    _run([str(python), "-W", "ignore", "-m", "compileall", "-q", str(folder / "lib")], may_fail=True)
    stamp.write_text(fingerprint(peer))
    return python


def installed_python(peer: Installable, envs: Path = ENVS) -> Path | None:
    """The same where it is there already; nothing is installed."""
    if not peer.REQUIREMENTS:
        return Path(sys.executable)
    stamp = envs / peer.NAME / "installed"
    return envs / peer.NAME / "bin" / "python" if stamp.is_file() and stamp.read_text() == fingerprint(peer) else None


def fingerprint(peer: Installable) -> str:
    """What an environment was made for; another value makes it anew."""
    return hashlib.sha256("\n".join([peer.PYTHON, *peer.REQUIREMENTS]).encode()).hexdigest()


def _uv(envs: Path) -> list[str]:
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv"]
    if found := shutil.which("uv"):
        return [found]
    own = envs / ".uv"
    if not (own / "bin" / "uv").is_file():
        _run([sys.executable, "-m", "venv", str(own)])
        _run([str(own / "bin" / "python"), "-m", "pip", "install", "--quiet", "uv>=0.9,<1"])
    return [str(own / "bin" / "uv")]


def _interpreter(peer: Installable) -> str:
    """This interpreter where the peer takes its version, else the version for uv to find."""
    here = ".".join(map(str, sys.version_info[:2]))
    return sys.executable if here == peer.PYTHON else str(peer.PYTHON)


def _index() -> Mapping[str, str]:
    """uv reads neither pip's configuration nor its environment; a machine behind a mirror has its index there."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False
    )
    index = os.environ.get("PIP_INDEX_URL") or asked.stdout.strip()
    wheels = ",".join(os.environ.get("PIP_FIND_LINKS", "").split())
    found = {"UV_DEFAULT_INDEX": index, "UV_FIND_LINKS": wheels}
    return {name: value for name, value in found.items() if value and name not in os.environ}


def _run(command: list[str], *, may_fail: bool = False) -> None:
    environment = os.environ | dict(_index()) if "uv" in Path(command[0]).name or "uv" in command else None
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        raise PeerFailed(f"{Path(command[0]).name} could not run: {e}") from e
    if done.returncode and not may_fail:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise PeerFailed(f"could not be installed: {' '.join(words[-3:])[:400]}")
