"""One worker: all deployments of an endpoint behind the socket that its parent owns.

Started by the parent as `python -m core.serving.worker --endpoint-file FILE --fd N`. Standard input is the tether: it
closes when the parent dies, and the worker ends. Standard output carries one JSON report per version taken up.
"""

import argparse
import asyncio
import os
import random
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from core.domain.errors import SlipwayError
from core.predict.folder import load_model
from core.serving import logs
from core.serving.app import App
from core.serving.deployment import Load
from core.serving.endpoint_file import EndpointFile
from core.serving.state import State
from core.serving.telemetry import Telemetry
from core.serving.tether import when_closed

DRAIN_S = 30
"""How long requests in flight may take once the worker was asked to end."""


class Server(uvicorn.Server):
    """uvicorn's server, ended by signals without raising them again: telemetry is written after it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        yield

    def stop(self) -> None:
        """Take no more connections, answer what is in flight, end."""
        self.should_exit = True


def main(arguments: list[str], load: Load = load_model) -> int:
    """Serve until told to end; the exit code. An endpoint file that cannot be read is told as `{"error": ...}`."""
    parser = argparse.ArgumentParser(prog="core.serving.worker")
    parser.add_argument("--endpoint-file", type=Path, required=True)
    parser.add_argument("--fd", type=int, required=True)
    given = parser.parse_args(arguments)
    os.umask(0o077)
    logs.configure()
    reports = _own_standard_output()
    try:
        state = State(given.endpoint_file, load)
    except SlipwayError as e:
        sys.stderr.write(logs.fatal(e))
        return 1
    with socket.socket(fileno=given.fd) as listener:
        asyncio.run(_serve(state, listener, reports))
    return 0


async def _serve(state: State, listener: socket.socket, reports: int) -> None:
    file = state.now.file
    telemetry = Telemetry(Path(file.telemetry_dir), segment_s=file.segment_s)
    # Which deployment answers is no secret: any generator does.
    app = App(state, telemetry, draw=random.Random().random)  # noqa: S311
    server = Server(_config(app, file))

    def tell(report: dict[str, Any]) -> None:
        os.write(reports, msgspec.json.encode(report) + b"\n")

    when_closed(sys.stdin.buffer, server.stop)
    tell(state.now.report())
    watching = asyncio.create_task(state.watch(tell))
    # A worker that no longer follows the endpoint file must not go on: its parent starts another.
    watching.add_done_callback(lambda _: server.stop())
    try:
        await server.serve(sockets=[listener])
    finally:
        watching.cancel()
        await asyncio.to_thread(telemetry.close)


def _config(app: App, file: EndpointFile) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=round(file.limits.idle_timeout_s),
        timeout_graceful_shutdown=DRAIN_S,
    )


def _own_standard_output() -> int:
    """A descriptor for the reports alone; what anything prints goes to standard error, where it harms nothing."""
    reports = os.dup(1)
    os.dup2(2, 1)
    return reports


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
