"""A request to a scoring server that has a process of its own, on a kept connection."""

import http.client
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
UP_S, DOWN_S, LOOK_EVERY_S = 30.0, 10.0, 0.01


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
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self._headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}

    def score(self, body: bytes) -> tuple[int, bytes]:
        """Status and reply."""
        self._connection.request("POST", "/score", body, self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def wait(self, body: bytes) -> None:
        """Until it scores. Raises TimeoutError with the end of its log."""
        until = time.monotonic() + UP_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                if self.score(body)[0] == 200:
                    return
            except OSError:
                self._connection.close()
            time.sleep(LOOK_EVERY_S)
        raise TimeoutError(f"The server does not score: {(self.folder / 'server.log').read_text()[-500:]}")

    def close(self) -> None:
        """End it, and leave nothing of it."""
        self._connection.close()
        self._process.terminate()
        self._process.communicate(timeout=DOWN_S)
        remove(self.folder)


def _served(inputs: Inputs) -> Prepared:
    from core.predict.folder import load_model

    sent = bodies(load_model(inputs.single).signature, ROWS)
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
