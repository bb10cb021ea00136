"""The subject `scoring`: one model kind, the same request bodies, one worker process each, one server at a time.

A peer gives `server(python, shared, port) -> Command`: how to start it on the loopback interface.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from core import loadtest
from core.domain.data import DataAsset
from core.domain.proof import LoadSpec, Target
from core.settings import read_settings
from core.sources import ingest, resolve
from perf.peers.comparison import Figure, PeerFailed

TITLE = "Scoring over HTTP, LightGBM on the Bank Marketing table, 2 rows a request, one worker"
FIGURES = (
    Figure("cold start to the first answer", "s", 2),
    Figure("ab -c 1, a connection each: throughput", "requests/s"),
    Figure("ab -c 1: p50", "ms"),
    Figure("ab -c 1: p99", "ms"),
    Figure("ab -c 1: failed", "requests"),
    Figure("10 clients, kept connections: throughput", "requests/s"),
    Figure("10 clients: p50", "ms", 2),
    Figure("10 clients: p99", "ms", 2),
    Figure("10 clients: failed", "requests"),
)
KEY = "a-key-for-loopback-only-0123456789"
ROWS, BODIES = 2, 200
START_TIMEOUT_S, STOP_TIMEOUT_S, AB_TIMEOUT_S = 90.0, 10.0, 300.0
WARM_REQUESTS = 50


@dataclass(frozen=True)
class Command:
    """How to start a server: its words, and variables to add to the environment."""

    words: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    fitted: Path | None = None
    """Where a server that fits its model at its start writes the seconds that took: no part of a cold start."""


@dataclass(frozen=True)
class Shared:
    """What all peers of one run have in common."""

    work: Path
    asset: DataAsset
    target: str
    bodies: tuple[bytes, ...]
    options: Any

    @property
    def table(self) -> Path:
        """Parquet."""
        return Path(self.asset.path)

    @property
    def body_file(self) -> Path:
        return self.work / "body.json"


def prepare(work: Path, options: Any) -> Shared:
    """The table as Parquet, and bodies of its own rows in turn: a constant body flatters tree code."""
    source = resolve(options.data, read_settings(os.environ), lambda text: print(text, file=sys.stderr))
    path = work / "table.parquet"
    table = ingest(source, path)
    asset = DataAsset(
        source.name,
        1,
        source.kind,
        source.origin,
        table.rows,
        table.columns,
        table.sha256,
        table.size_bytes,
        str(path),
        0.0,
    )
    frame = pd.read_parquet(path).drop(columns=[options.target]).head(ROWS * BODIES)
    rows = json.loads(frame.to_json(orient="records", double_precision=15))
    bodies = tuple(json.dumps({"data": rows[at : at + ROWS]}).encode() for at in range(0, len(rows), ROWS))
    shared = Shared(work, asset, options.target, bodies, options)
    shared.body_file.write_bytes(bodies[0])
    return shared


def about(shared: Shared) -> str:
    """Which table, and whether it is the real one: a twin's figures are never the real table's."""
    asset = shared.asset
    return f"table {asset.name} ({asset.source}, {asset.rows:,} rows)"


def measure(peer: ModuleType, python: Path, shared: Shared) -> Mapping[str, float]:
    """Start the peer's server, measure it, stop it. Raises PeerFailed with the end of its log."""
    port = _free_port()
    command: Command = peer.server(python, shared, port)
    target = Target(f"http://127.0.0.1:{port}", KEY)
    with _running(command, shared.work / f"{peer.NAME}.log") as process:
        began = time.perf_counter()
        _wait_until_it_scores(target, shared.bodies[0], process)
        fitting_s = float(command.fitted.read_text()) if command.fitted else 0.0
        figures = [time.perf_counter() - began - fitting_s]
        warm = LoadSpec(target, duration_s=30, warmup_s=0, max_requests=WARM_REQUESTS)
        loadtest.run(warm, shared.bodies)
        figures += _ab(target, shared)
        spec = LoadSpec(target, duration_s=shared.options.seconds, concurrency=10, rows=ROWS)
        report = loadtest.run(spec, shared.bodies)
        figures += [report.requests_per_s, report.p50_ms, report.p99_ms, report.failed]
    return dict(zip((figure.name for figure in FIGURES), figures, strict=True))


def read_ab(output: str) -> list[float]:
    """Requests per second, p50 and p99 in ms, and failed requests, from what `ab` printed. Raises PeerFailed."""
    patterns = (
        r"Requests per second:\s+([\d.]+)",
        r"\n\s+50%\s+(\d+)",
        r"\n\s+99%\s+(\d+)",
        r"Failed requests:\s+(\d+)",
    )
    found = [re.search(pattern, output) for pattern in patterns]
    if not all(found):
        raise PeerFailed(f"ab said: {' '.join(output.split())[-300:]}")
    figures = [float(match[1]) for match in found if match]
    refused = re.search(r"Non-2xx responses:\s+(\d+)", output)
    return [*figures[:3], figures[3] + (float(refused[1]) if refused else 0)]


def _ab(target: Target, shared: Shared) -> list[float]:
    words = ["ab", "-q", "-n", str(shared.options.requests), "-c", "1", "-p", str(shared.body_file)]
    words += ["-T", "application/json", "-H", f"Authorization: Bearer {KEY}", f"{target.url}/score"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=AB_TIMEOUT_S, check=False)
    except FileNotFoundError as e:
        raise PeerFailed("ab is not installed (apt-get install apache2-utils)") from e
    except subprocess.TimeoutExpired as e:
        raise PeerFailed(f"ab had not ended after {AB_TIMEOUT_S:.0f} s") from e
    return read_ab(done.stdout + done.stderr)


@contextmanager
def _running(command: Command, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as file:
        process = subprocess.Popen(
            command.words,
            env=os.environ | dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        except PeerFailed as e:
            file.flush()
            raise PeerFailed(f"{e}; its log ends: {log.read_text('utf-8', 'replace')[-500:].strip()}") from e
        finally:
            _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End the whole process group: servers fork workers."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(STOP_TIMEOUT_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _wait_until_it_scores(target: Target, body: bytes, process: "subprocess.Popen[bytes]") -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    deadline = time.monotonic() + START_TIMEOUT_S
    said = "nothing"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PeerFailed(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{target.url}/score", body, headers), timeout=10) as r:
                return _check(r.read())
        except urllib.error.HTTPError as e:
            said = f"{e.code} {e.read()[:200]!r}"
        except OSError as e:
            said = str(e)
        time.sleep(0.02)
    raise PeerFailed(f"no answer within {START_TIMEOUT_S:.0f} s, last: {said}")


def _check(reply: bytes) -> None:
    """One label a row, encoded once or twice: some servers answer their errors with 200."""
    answer = json.loads(reply)
    answer = json.loads(answer) if isinstance(answer, str) else answer
    if not isinstance(answer, dict) or len(answer.get("result", ())) != ROWS:
        raise PeerFailed(f"no predictions: {reply[:300]!r}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
