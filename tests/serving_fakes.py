"""A predictor by rule, and an endpoint's files, for tests of the scoring server."""

import asyncio
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from signatures import bank_signature, mixed_signature
from waiting import wait_until

from core.contract.samples import body, typical_row
from core.contract.signature import to_json
from core.domain.signature import Signature
from core.predict.encoder import ColumnCode, Encoder
from core.predict.folder import part_arrays, part_json
from core.predict.members import Linear, Neighbors
from core.predict.part import Part
from core.serving.app import App
from core.serving.connection import PATIENCE, Connection, Patience
from core.serving.costs import rows_at_most
from core.serving.metrics import Metrics
from core.serving.room import Room
from core.serving.state import State
from core.serving.telemetry import Telemetry

KEY = "primary-key-of-the-tests"
SECOND_KEY = "secondary-key-of-the-tests"
ROW = typical_row(mixed_signature())
BODY = body([ROW])
BANK_BODY = body([typical_row(bank_signature(exclude=["duration"]))])
SCORE_HEAD = (
    f"POST /score HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\n".encode()
)
"""A scoring request but for how long its body is, and the empty line."""
CHECKOUT = Path(__file__).resolve().parent.parent


def parsed(raw: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the one reply in `raw`."""
    head, _, body = raw.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert len(body) == int(headers["content-length"])
    return int(status.split()[1]), headers, body


class RulePredictor:
    """Says class 1 with probability count / 10. `failures` is a queue of errors for the next calls.

    A test that sets `held` makes calls wait for it; `entered` tells that one does.
    """

    signature = mixed_signature()

    def __init__(self) -> None:
        self.failures: deque[Exception] = deque()
        self.calls: list[int] = []
        self.entered, self.held = threading.Event(), threading.Event()
        self.held.set()

    def probabilities(self, columns: Sequence[Sequence[Any]]) -> np.ndarray:
        self.calls.append(len(columns[0]))
        self.entered.set()
        assert self.held.wait(10)
        if self.failures:
            raise self.failures.popleft()
        share = np.array([value / 10 for value in columns[0]])
        return np.column_stack([1 - share, share])


def dear(client: "Client", body: bytes, run_s: float = 0.05) -> None:
    """Have the deployment `v1` know that bodies like this one are more than the event loop may do."""
    client.state.now.deployments["v1"].costs.ran(rows_at_most(body), len(body), run_s, run_s)


class Loader:
    """Gives one predictor per folder and remembers them; a folder named `broken` does not load."""

    def __init__(self) -> None:
        self.made: dict[str, RulePredictor] = {}
        self.loads: list[str] = []

    def __call__(self, folder: Path) -> RulePredictor:
        self.loads.append(folder.name)
        if folder.name.startswith("broken"):
            raise ValueError("first line\nthe arrays are damaged")
        return self.made.setdefault(folder.name, RulePredictor())


def digest(key: str) -> str:
    """A key as the endpoint file holds it."""
    return hashlib.sha256(key.encode()).hexdigest()


class EndpointFiles:
    """An endpoint file below a folder, written anew with every change."""

    def __init__(self, folder: Path, port: int = 5001) -> None:
        self.path = folder / "endpoint.json"
        self.telemetry = folder / "telemetry"
        self.status = folder / "status.json"
        self.content: dict[str, Any] = {
            "format": 1,
            "version": 0,
            "endpoint": "bank-marketing",
            "host": "127.0.0.1",
            "port": port,
            "key_digests": [digest(key) for key in (KEY, SECOND_KEY)],
            "traffic": {"v1": 100},
            "mirror": {},
            "limits": {},
            "telemetry_dir": str(self.telemetry),
            "status_file": str(self.status),
            "deployments": {"v1": self.deployment("one")},
        }
        self.write()

    @staticmethod
    def deployment(folder: str, version: int = 1, **settings: Any) -> dict[str, Any]:
        return {"folder": folder, "model": "bank", "model_version": version, **settings}

    def write(self, **changes: Any) -> None:
        """Replace the file as a supervisor does: all of it, atomically, with the next version."""
        self.content |= changes
        self.content["version"] += 1
        new = self.path.with_suffix(".tmp")
        new.write_text(json.dumps(self.content))
        new.replace(self.path)

    def records(self) -> list[dict[str, Any]]:
        """Every telemetry record in every segment."""
        segments = sorted(self.telemetry.glob("seg-*.jsonl*"))
        return [json.loads(line) for segment in segments for line in segment.read_text().splitlines()]


class Client:
    """The verbs of a scoring endpoint whose server lives in this process, behind a real socket."""

    def __init__(
        self,
        files: EndpointFiles,
        *,
        draw: float = 0.0,
        patience: Patience = PATIENCE,
        model_data: Telemetry | None = None,
        log_fd: int | None = None,
    ) -> None:
        self.files, self._patience = files, patience
        self.loader = Loader()
        self.state = State(files.path, self.loader)
        self.telemetry = Telemetry(files.telemetry, log_fd=log_fd)
        self.draws: list[float] = [draw]
        self.metrics = Metrics()
        self.app = App(
            self.state, self.telemetry, draw=lambda: self.draws[0], metrics=self.metrics, model_data=model_data
        )
        self._runner = asyncio.Runner()
        self.room = Room(1000)
        self.port: int = self.run(self._listen())

    def close(self) -> None:
        self._runner.close()
        self.app.close()
        self.telemetry.close()

    async def _listen(self) -> int:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, "127.0.0.1", 0)
        self._watching = loop.create_task(self.room.watch())
        return self._server.sockets[0].getsockname()[1]

    def _connection(self) -> Connection:
        return Connection(self.app, self.room, self._patience)

    def run(self, coroutine: Any) -> Any:
        return self._runner.run(coroutine)

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=20) as client:
            return await client.request(method, path, **options)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A bare connection, closed at the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what the server does, at most ten seconds."""
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.005)

    def talk(self, *parts: bytes) -> bytes:
        """Everything that the server says to these bytes until it closes; our own side stays open."""

        async def speak() -> bytes:
            async with self.connected() as (reader, writer), asyncio.timeout(10):
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                return await reader.read()

        return self.run(speak())

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.run(self.send(method, path, **options))

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.request("GET", path, headers=headers)

    def score(self, content: Any = BODY, *, key: str | None = KEY, headers: Any = ()) -> httpx.Response:
        sent = {"content-type": "application/json"} | dict(headers)
        if key is not None:
            sent.setdefault("authorization", f"Bearer {key}")
        return self.request("POST", "/score", content=content, headers={k: v for k, v in sent.items() if v is not None})

    def change(self, **changes: Any) -> bool:
        """Write the endpoint file and take it up at once."""
        self.files.write(**changes)
        return self.state.refresh()

    def limit(self, **limits: Any) -> None:
        assert self.change(limits=limits)


def write_model(folder: Path, signature: Signature, *, members: int = 1, kept_rows: int = 0) -> Path:
    """A real model folder: the last class the more probable, the larger the signature's first column.

    With many equal members it says the same. With `kept_rows` it is one of so many neighbors, of two classes, all of
    which it looks at for every answer: that takes long on any machine.
    """
    columns = signature.used
    outputs = len(signature.classes) if len(signature.classes) > 2 else 1
    codes = [ColumnCode(c.name, c.kind, c.levels) for c in columns]
    no_text = np.array([], np.int32)
    linear = Linear(
        numeric=np.array([0], np.int32),
        center=np.array([float(columns[0].typical or 0)]),
        scale=np.array([1.0]),
        coef=np.linspace(0.0, 1.0, outputs + 1)[1:].reshape(1, outputs),
        absent=np.zeros((1, outputs)),
        text=no_text,
        start=no_text,
        size=no_text,
        table=np.empty((0, outputs)),
        intercept=np.zeros(outputs),
        link="softmax" if outputs > 1 else "sigmoid" if signature.classes else "value",
    )
    part = Part(_neighbors(linear, kept_rows) if kept_rows else linear, 1.0 / members)
    names = [f"m{number}_" for number in range(members)]
    votes = [part_json(part, name) for name in names]
    model = {"format": 1, "encoder": Encoder(codes).to_json(), "members": votes, "info": {}}
    folder.mkdir(parents=True)
    (folder / "signature.json").write_text(json.dumps(to_json(signature)))
    (folder / "model.json").write_text(json.dumps(model))
    np.savez(folder / "arrays.npz", **{k: v for name in names for k, v in part_arrays(part, name).items()})
    return folder


def _neighbors(place: Linear, rows: int) -> Neighbors:
    """Of so many rows on a line, the one at its end surely of the last class."""
    along = np.linspace(0.0, 1.0, rows)
    return Neighbors(place, along[:, None], np.column_stack([1.0 - along, along]), np.ones(rows), 1)


class ServerProcess:
    """`python -m core.serving` over a real model, of the Bank Marketing columns where no other signature is given."""

    def __init__(
        self,
        folder: Path,
        *,
        members: int = 1,
        kept_rows: int = 0,
        signature: Signature | None = None,
        **changes: Any,
    ) -> None:
        columns = signature or bank_signature(exclude=["duration"])
        model = write_model(folder / "model", columns, members=members, kept_rows=kept_rows)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.files = EndpointFiles(folder, self.port)
        self.files.write(deployments={"v1": self.files.deployment(str(model))}, **changes)
        self.log = folder / "server.log"
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str, **environ: str) -> "ServerProcess":
        """Start it, with these variables of its environment too, and wait until its status is there."""
        command = [sys.executable, "-m", "core.serving", "--endpoint-file", str(self.files.path), *options]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=out, stderr=out, cwd=CHECKOUT, env=os.environ | environ
            )
        wait_until(lambda: self.status().get("deployments"), 20)
        return self

    def status(self) -> dict[str, Any]:
        """What this process wrote to the status file; empty before."""
        if not self.files.status.exists():
            return {}
        status = json.loads(self.files.status.read_text())
        return status if status["pid"] == self.process.pid else {}

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def score(self, key: str = KEY, content: bytes | None = None) -> httpx.Response:
        body_sent = BANK_BODY if content is None else content
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        return httpx.post(f"{self.url}/score", content=body_sent, headers=headers, timeout=20)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=20)

    def end(self) -> None:
        """Kill what is left of it."""
        if self.process is None:
            return
        self.process.stdin.close()
        workers = self.workers() if self.process.poll() is None else []
        self.process.kill()
        self.process.wait()
        for worker in workers:
            with suppress(psutil.NoSuchProcess):
                worker.kill()
