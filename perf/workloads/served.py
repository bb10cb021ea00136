"""A request to a scoring server that has a process of its own, on a kept connection.

Client and server share a core while the gate compares, so what the client does hides what the server does: Python's own
took 29 % of a request. Here requests are bytes before the clock starts, and of a reply little more than its length is
read: 6 %.
"""

import json
import os
import socket
import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path
from typing import Any

from perf.workloads.places import checkout, own, remove
from perf.workloads.scoring import KEY, bodies, endpoint_file
from perf.workloads.workload import Inputs, Prepared, Workload

ROWS = 2
UP_S, DOWN_S, LOOK_EVERY_S, ANSWER_S = 30.0, 10.0, 0.01, 10.0
RECEIVE_BYTES = 65_536


HEAD_END, LENGTH = b"\r\n\r\n", b"content-length:"


class Server:
    """The server of the `core` that is importable now, and one connection to it."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.folder, root = folder, checkout()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        words = [sys.executable, "-P", "-m", "core.serving", "--endpoint-file", str(endpoint_file(folder, model, port))]
        with (folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*words, "--tether"],
                cwd=root,
                env={**os.environ, "PYTHONPATH": str(root)},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self._port = port
        self._connection: socket.socket | None = None

    def score(self, request: bytes) -> tuple[int, bytes]:
        """Status and reply of a request that `asked` made. Raises OSError."""
        if self._connection is None:
            self._connection = socket.create_connection(("127.0.0.1", self._port), timeout=ANSWER_S)
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.sendall(request)
        return _reply(self._connection)

    def wait(self, request: bytes) -> None:
        """Until it scores. Raises TimeoutError with the end of its log."""
        until = time.monotonic() + UP_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                if self.score(request)[0] == 200:
                    return
            except OSError:
                self._hang_up()
            time.sleep(LOOK_EVERY_S)
        raise TimeoutError(f"The server does not score: {(self.folder / 'server.log').read_text()[-500:]}")

    def close(self) -> None:
        """End it, and leave nothing of it."""
        self._hang_up()
        self._process.terminate()
        self._process.communicate(timeout=DOWN_S)
        remove(self.folder)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def asked(body: bytes) -> bytes:
    """A whole request to score, as it goes over the wire."""
    head = f"POST /score HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _reply(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of a reply that says its length. Raises ConnectionError when it ends before."""
    got = _more(connection)
    while (end := got.find(HEAD_END)) < 0:
        got += _more(connection)
    length = int(got[:end].lower().partition(LENGTH)[2].partition(b"\r\n")[0])
    while len(got) < end + len(HEAD_END) + length:
        got += _more(connection)
    return int(got[9:12]), got[end + len(HEAD_END) :]


def _more(connection: socket.socket) -> bytes:
    if more := connection.recv(RECEIVE_BYTES):
        return more
    raise ConnectionError("The server hung up before its reply was whole")


def _served(inputs: Inputs) -> Prepared:
    from core.predict.folder import load_model

    sent = [asked(body) for body in bodies(load_model(inputs.single).signature, ROWS)]
    server, turns = Server(own(inputs, "served"), inputs.single), cycle(sent)
    try:
        server.wait(sent[0])
    except BaseException:
        server.close()
        raise

    def check(answer: Any) -> None:
        status, reply = answer
        assert status == 200
        assert len(json.loads(reply)["result"]) == ROWS

    return Prepared(lambda: server.score(next(turns)), check, server.close)


WORKLOADS = (Workload("score over HTTP, 2 rows", "rows x columns, trees", _served, quick=True, own_process=True),)
