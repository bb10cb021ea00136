"""A scoring server as a process of its own, over a model folder, for as long as a block lasts."""

import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

from core.contract import samples
from core.domain.proof import Target
from core.predict.folder import load_model
from core.settings import CHECKOUT
from perf.workloads.scoring import KEY, endpoint_file

ROWS = 2
START_TIMEOUT_S, STOP_TIMEOUT_S = 30.0, 10.0
LOOK_EVERY_S = 0.002
SEED = 11


class ServerFailed(Exception):
    """It did not score in time; the text is the end of its log."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server that scores."""

    target: Target
    process: "subprocess.Popen[bytes]"
    ready_s: float
    """From the start of its process to its first good score, s."""


def bodies(model: Path, count: int = 64) -> list[bytes]:
    """Different requests of two rows each: one alone flatters tree code."""
    rows = samples.rows(load_model(model).signature, ROWS * count, SEED)
    return [samples.body(rows[at : at + ROWS]) for at in range(0, len(rows), ROWS)]


@contextmanager
def serving(model: Path, folder: Path) -> Iterator[Served]:
    """Serve a model folder on a free port; `folder` is the server's own. Raises ServerFailed."""
    port = free_port()
    file, body = endpoint_file(folder, model, port), bodies(model, 1)[0]
    target = Target(f"http://127.0.0.1:{port}", KEY)
    words = [sys.executable, "-m", "core.serving", "--endpoint-file", str(file), "--tether"]
    with (folder / "server.log").open("wb") as log:
        started = perf_counter()
        process = subprocess.Popen(words, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            _wait(target, body, process, folder / "server.log")
            yield Served(target, process, perf_counter() - started)
        finally:
            process.terminate()
            process.communicate(timeout=STOP_TIMEOUT_S)


def score(target: Target, body: bytes) -> list[object]:
    """The answers to one body, on a connection of its own. Raises OSError."""
    headers = {"Authorization": f"Bearer {target.key}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{target.url}/score", body, headers), timeout=10) as reply:
        return list(json.load(reply)["result"])


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(target: Target, body: bytes, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = perf_counter() + START_TIMEOUT_S
    while perf_counter() < deadline and process.poll() is None:
        try:
            answers: Sequence[object] = score(target, body)
        except OSError:
            sleep(LOOK_EVERY_S)
            continue
        assert len(answers) == ROWS, answers
        return
    raise ServerFailed(f"No good score; its log ends: {log.read_text('utf-8', 'replace')[-500:]}")
