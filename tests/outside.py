"""Servers that know nothing of this checkout."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from waiting import wait_until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], folder: Path, url: str, log: Path, **environ: str) -> Iterator[str]:
    """A server of its own, which knows nothing of this checkout."""
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=clean | environ, stdout=out, stderr=out)
    try:
        wait_until(lambda: _healthy(url, process, log), 60)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _healthy(url: str, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False
