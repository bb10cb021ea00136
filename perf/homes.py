"""A workspace for each revision: made by the older one, copied, and moved to ports of its own.

A newer revision may bring the store of its copy up to date; an older one would refuse what a newer has touched.
"""

import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

READY_S = 90.0


def command(root: Path, home: Path, *words: str) -> str:
    """Run `python -m core ...` of the checkout in `root`; what it printed."""
    import living

    line = [sys.executable, "-m", "core", *words]
    ran = subprocess.run(line, cwd=root, env=living.environment(home), capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"{' '.join(words)} of {root} failed\n{ran.stdout}\n{ran.stderr}")
    return ran.stdout


def make(root: Path, home: Path, table: Path) -> None:
    """What the quickstart leaves, with a second table and three seconds of requests; nothing of it runs any more."""
    try:
        command(root, home, "quickstart")
        command(root, home, "data", "register", "--name", "second", str(table))
        names = [name for name, _ in _endpoints(home)]
        command(root, home, "loadtest", names[0], "--duration-s", "3")
    finally:
        command(root, home, "service", "stop")


@contextmanager
def copied(made: Path, home: Path, root: Path) -> Iterator[Path]:
    """A copy of the workspace in `made`, served by the checkout in `root` until the block ends."""
    shutil.copytree(made, home, symlinks=True)
    _move(home)
    try:
        command(root, home, "service", "start")
        _wait(home)
        yield home
    finally:
        command(root, home, "service", "stop")


def _move(home: Path) -> None:
    with closing(sqlite3.connect(home / "slipway.db")) as store, store:
        for name, _ in _endpoints(home):
            changes = "port = ?, pid = NULL, pid_started = NULL"
            store.execute(f"UPDATE endpoints SET {changes} WHERE name = ?", (_free_port(), name))
        store.execute("UPDATE facts SET value = ? WHERE key = 'service_port'", (str(_free_port()),))


def _endpoints(home: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(home / "slipway.db")) as store:
        return [(str(name), int(port)) for name, port in store.execute("SELECT name, port FROM endpoints")]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(home: Path) -> None:
    """Until every endpoint of the workspace takes connections."""
    until = time.monotonic() + READY_S
    for name, port in _endpoints(home):
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if time.monotonic() > until:
                raise RuntimeError(f"Endpoint {name} of {home} does not answer on port {port}")
            time.sleep(0.2)
