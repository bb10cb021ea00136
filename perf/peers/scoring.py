"""The subject `scoring`: one model kind, the same rows, one worker process each, one server at a time.

A peer gives `server(python, shared, port) -> Command`: how to start it on the loopback interface, and how it is asked.
"""

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from core.domain.data import DataAsset
from core.settings import read_settings
from core.sources import ingest, resolve
from perf.peers.comparison import Figure, PeerFailed
from perf.peers.load import Load, ab, wrk
from perf.peers.processes import START, cpu_s, family, pss_mb

TITLE = "Scoring over HTTP: LightGBM on the Bank Marketing table, one worker"
TREES, LEAVES = 300, 31
HEADLINE = "10 clients: throughput"
FIGURES = (
    Figure("cold start to the first answer", "s", 2),
    Figure("ab -c 1, a connection each: throughput", "requests/s"),
    Figure("ab -c 1: p50", "ms"),
    Figure("ab -c 1: p99", "ms"),
    Figure("1 client: throughput", "requests/s"),
    Figure("1 client: p50", "ms", 2),
    Figure(HEADLINE, "requests/s"),
    Figure("10 clients: p50", "ms", 2),
    Figure("10 clients: p99", "ms", 2),
    Figure("10 clients: processor time", "us/request"),
    Figure("50 clients: throughput", "requests/s"),
    Figure("50 clients: p99", "ms", 2),
    Figure("100 rows, 10 clients: throughput", "requests/s"),
    Figure("memory, PSS after all that", "MB"),
    Figure("failed, of all of these", "requests"),
)
SHORT = {
    HEADLINE: "requests/s, 10 clients",
    "10 clients: p99": "p99, ms",
    "100 rows, 10 clients: throughput": "requests/s, 100 rows each",
    "10 clients: processor time": "processor, us a request",
    "memory, PSS after all that": "memory, MB",
    "cold start to the first answer": "cold start, s",
}
KEY = "a-key-for-loopback-only-0123456789"
ROWS, BODIES = 2, 200
MANY_ROWS, MANY_BODIES = 100, 40
START_TIMEOUT_S, STOP_TIMEOUT_S = 90.0, 10.0
WARM_S = 2.0

Rows = Sequence[Mapping[str, Any]]


def records(rows: Rows) -> Any:
    """The body of most servers here, Azure's first form."""
    return {"data": rows}


def result(answer: Any) -> Any:
    """The labels of Azure's first form; some encode it twice."""
    return (json.loads(answer) if isinstance(answer, str) else answer)["result"]


@dataclass(frozen=True)
class Command:
    """How to start a server, its words and variables to add to the environment, and how to ask it."""

    words: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    fitted: Path | None = None
    """Where a server that fits its model at its start writes the seconds that took: no part of a cold start."""
    path: str = "/score"
    body: Callable[[Rows], Any] = records
    labels: Callable[[Any], Any] = result


@dataclass(frozen=True)
class Shared:
    """What all peers of one run have in common."""

    work: Path
    asset: DataAsset
    target: str
    rows: Rows
    options: Any

    @property
    def table(self) -> Path:
        """Parquet."""
        return self.work / "table.parquet"


def prepare(work: Path, options: Any) -> Shared:
    """The table as Parquet, and its own rows for bodies that take turns: a constant body flatters tree code."""
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
        0.0,
    )
    frame = pd.read_parquet(path).drop(columns=[options.target]).head(MANY_ROWS * MANY_BODIES)
    rows = json.loads(frame.to_json(orient="records", double_precision=15))
    return Shared(work, asset, options.target, rows, options)


def about(shared: Shared) -> str:
    """Which table, and whether it is the real one: a twin's figures are never the real table's."""
    asset = shared.asset
    return f"LightGBM {TREES} trees x {LEAVES} leaves; table {asset.name} ({asset.source}, {asset.rows:,} rows)"


def machine() -> str:
    """In a few words."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def circumstances(shared: Shared) -> Mapping[str, Any]:
    """What must agree for rounds of two runs to stand in one table."""
    options = shared.options
    model = str(options.model or f"LightGBM {TREES} x {LEAVES}")
    return {
        "about": about(shared),
        "data": shared.asset.sha256,
        "model": model,
        "machine": machine(),
        "requests": options.requests,
        "seconds": options.seconds,
        "figures": [figure.name for figure in FIGURES],
    }


def measure(peer: ModuleType, python: Path, shared: Shared) -> Mapping[str, float]:
    """Start the peer's server, measure it, stop it. Raises PeerFailed with the end of its log."""
    port = free_port()
    command: Command = peer.server(python, shared, port)
    small, large = _bodies(command, shared, ROWS, BODIES), _bodies(command, shared, MANY_ROWS, MANY_BODIES)
    url = f"http://127.0.0.1:{port}{command.path}"
    began = time.perf_counter()
    with _running(command, shared.work / f"{peer.NAME}.log") as process:
        _wait_until_it_scores(url, small[0], command, process)
        fitting_s = float(command.fitted.read_text()) if command.fitted else 0.0
        figures = [time.perf_counter() - began - fitting_s]
        seconds = shared.options.seconds

        def kept(clients: int, bodies: Sequence[bytes], duration_s: float = seconds) -> Load:
            return wrk(url, KEY, bodies, clients=clients, seconds=duration_s, work=shared.work)

        kept(1, small, WARM_S)
        once = ab(url, KEY, small[0], requests=shared.options.requests, work=shared.work)
        one = kept(1, small)
        before_s = cpu_s(process.pid)
        ten = kept(10, small)
        used_us = (cpu_s(process.pid) - before_s) * 1e6 / max(1, ten.requests)
        fifty, many = kept(50, small), kept(10, large)
        figures += [once.per_s, once.p50_ms, once.p99_ms, one.per_s, one.p50_ms]
        figures += [ten.per_s, ten.p50_ms, ten.p99_ms, used_us, fifty.per_s, fifty.p99_ms, many.per_s]
        figures += [pss_mb(process.pid), sum(load.failed for load in (once, one, ten, fifty, many))]
    return dict(zip((figure.name for figure in FIGURES), figures, strict=True))


def _bodies(command: Command, shared: Shared, rows: int, most: int) -> list[bytes]:
    starts = range(0, min(len(shared.rows), rows * most), rows)
    return [json.dumps(command.body(shared.rows[at : at + rows])).encode() for at in starts]


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
    """End the server and all that it started: its group is asked, then whoever is left is killed."""
    members = family(process.pid)
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(STOP_TIMEOUT_S)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        pass  # it had ended, or does not heed; what follows is for both
    for number, stat in members.items():
        # A number may belong to somebody else by now; a start time tells.
        if family(number).get(number, [])[START : START + 1] == stat[START : START + 1]:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
    process.wait(STOP_TIMEOUT_S)


def _wait_until_it_scores(url: str, body: bytes, command: Command, process: "subprocess.Popen[bytes]") -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    deadline = time.monotonic() + START_TIMEOUT_S
    said = "nothing"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PeerFailed(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as reply:
                return _check(reply.read(), command)
        except urllib.error.HTTPError as e:
            said = f"{e.code} {e.read()[:300]!r}"
        except OSError as e:
            said = str(e)
        time.sleep(0.02)
    raise PeerFailed(f"no answer within {START_TIMEOUT_S:.0f} s, last: {said}")


def _check(reply: bytes, command: Command) -> None:
    """One label a row: some servers answer their errors with 200."""
    try:
        labels = command.labels(json.loads(reply))
    except (KeyError, IndexError, TypeError) as e:
        raise PeerFailed(f"no predictions: {reply[:300]!r}") from e
    if not isinstance(labels, list) or len(labels) != ROWS:
        raise PeerFailed(f"no predictions: {reply[:300]!r}")


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
