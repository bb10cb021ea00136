"""One worker: all deployments of an endpoint behind the socket that its parent owns.

Started by the parent as `python -m core.serving.worker --endpoint-file FILE --fd N`. Standard input is the tether: it
closes when the parent dies, and the worker ends. Standard output carries one JSON report per version taken up. SIGUSR1
retires the worker, for another one that has taken its place; SIGTERM and SIGINT end it.
"""

import argparse
import asyncio
import logging
import os
import random
import resource
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec

from core.contract.endpoint_file import WorkerReport
from core.domain.errors import SlipwayError
from core.predict.folder import load_model
from core.serving import logs, metrics
from core.serving.app import App
from core.serving.connection import Connection
from core.serving.deployment import Load
from core.serving.metrics import Metrics
from core.serving.room import Room
from core.serving.state import State
from core.serving.telemetry import Telemetry
from core.serving.tether import when_closed

log = logging.getLogger(__name__)

DRAIN_S = 30.0
"""How long requests in flight may take once the worker was asked to end for good."""
RETIRE_S = 600.0
"""How long those of a retired worker may: nobody waits for its end, and whoever reads slowly gets every byte."""
RETIRE_LINGER_S = 25.0
STOP_LINGER_S = 0.5
"""An ending server tells so to what comes on open connections within this time; then it closes those that are idle."""
BACKLOG = 2048
MODEL_DATA = "model_data"
"""The folder of inputs and answers, beside that of telemetry."""
SWITCH_S = 0.0005
"""How long a thread that scores may keep the interpreter from the event loop: at Python's 5 ms every reply of a server
that sheds would wait several times so long, once for each call to the system."""
SPARE_DESCRIPTORS = 500
"""For files, pipes and libraries, beside connections."""


class Ending:
    """How the worker was asked to end: by retiring, or for good, which may follow."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.asked, self._stopped = asyncio.Event(), asyncio.Event()

    def retire(self) -> None:
        """A request that is on its way to an open connection is still answered, as long as that connection lives."""
        self._room.retire(RETIRE_LINGER_S)
        self.asked.set()

    def stop(self) -> None:
        """Answer what is in flight and end soon."""
        self._room.stop(STOP_LINGER_S)
        self._stopped.set()
        self.asked.set()

    async def drained(self, retire_s: float = RETIRE_S, stop_s: float = DRAIN_S) -> None:
        """Wait until all have left, no longer than `retire_s`, and than `stop_s` once it ends for good."""
        empty = asyncio.create_task(self._room.emptied())
        stopped = asyncio.create_task(self._stopped.wait())
        await asyncio.wait((empty, stopped), timeout=retire_s, return_when=asyncio.FIRST_COMPLETED)
        if stopped.done():
            await asyncio.wait((empty,), timeout=stop_s)
        empty.cancel()
        stopped.cancel()


def main(arguments: list[str], load: Load = load_model) -> int:
    """Serve until told to end; the exit code. An endpoint file that cannot be read is told as `{"error": ...}`."""
    parser = argparse.ArgumentParser(prog="core.serving.worker")
    parser.add_argument("--endpoint-file", type=Path, required=True)
    parser.add_argument("--fd", type=int, required=True)
    given = parser.parse_args(arguments)
    os.umask(0o077)
    sys.setswitchinterval(SWITCH_S)
    logs.configure()
    reports = _own_standard_output()
    try:
        state = State(given.endpoint_file, load)
    except SlipwayError as e:
        sys.stderr.write(logs.fatal(e))
        return 1
    asyncio.run(_serve(state, socket.socket(fileno=given.fd), reports))
    return 0


def connections_possible() -> int:
    """Allow as many open files as the system lets us; how many connections that leaves room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with suppress(ValueError, OSError):  # a sandbox may forbid it: then the soft limit stands
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_DESCRIPTORS


async def _serve(state: State, listener: socket.socket, reports: int) -> None:
    file = state.now.file
    telemetry = Telemetry(Path(file.telemetry_dir), segment_s=file.segment_s)
    counts = Metrics(metrics.folder_of(Path(file.status_file)))
    model_data = Telemetry(Path(file.telemetry_dir).parent / MODEL_DATA, segment_s=file.segment_s, log_fd=None)
    # Which deployment answers is no secret: any generator does.
    draw = random.Random().random  # noqa: S311
    app = App(state, telemetry, draw=draw, metrics=counts, model_data=model_data)
    room = Room(connections_possible())
    ending = Ending(room)
    _listen_to_signals(ending)
    when_closed(sys.stdin.buffer, ending.stop)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(app, room), sock=listener, backlog=BACKLOG)

    def tell(report: WorkerReport) -> None:
        os.write(reports, msgspec.json.encode(report) + b"\n")

    tell(state.now.report())
    watches = [state.watch(tell), room.watch(), _publish(counts, (telemetry, model_data), room)]
    tasks = [asyncio.create_task(watch) for watch in watches]
    for task in tasks:
        task.add_done_callback(partial(_over, ending))
    await ending.asked.wait()
    await accept_no_more(server, listener)
    await ending.drained()
    for task in tasks:
        task.cancel()
    app.close()
    state.close()
    await asyncio.to_thread(telemetry.close)
    await asyncio.to_thread(model_data.close)
    counts.publish()


async def accept_no_more(server: asyncio.Server, listener: socket.socket) -> None:
    """Leave what comes from now on to other workers. What was accepted in this round of the loop is ours to answer."""
    asyncio.get_running_loop().remove_reader(listener)
    # It becomes a connection in the next round, of an open server only: asyncio drops it where the server has closed.
    await asyncio.sleep(0)
    server.close()


def _listen_to_signals(ending: Ending) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.stop)
    loop.add_signal_handler(signal.SIGUSR1, ending.retire)


def _over(ending: Ending, task: "asyncio.Task[None]") -> None:
    """A worker that no longer follows its file or its deadlines must not go on: its parent starts another."""
    if not task.cancelled():
        log.critical("a watch of the worker has ended, and so does the worker", exc_info=task.exception())
        ending.stop()


async def _publish(counts: Metrics, writers: tuple[Telemetry, ...], room: Room) -> None:
    """Let the other workers see what this one counts, for ever."""
    while True:
        await asyncio.sleep(metrics.PUBLISH_S)
        counts.dropped, counts.connections = sum(writer.dropped for writer in writers), len(room)
        counts.write_failures = sum(writer.write_failures for writer in writers)
        counts.publish()


def _own_standard_output() -> int:
    """A descriptor for the reports alone; what anything prints goes to standard error, where it harms nothing."""
    reports = os.dup(1)
    os.dup2(2, 1)
    return reports


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
