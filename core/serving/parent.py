"""The parent of an endpoint: owns the listening socket, keeps the workers alive, writes the status file.

The socket never closes while the endpoint lives, so a connection that waits to be accepted survives its worker. A
worker is replaced (SIGHUP, or a change that a running one cannot take up) only once the new one answers.
"""

import asyncio
import logging
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Coroutine
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from core.contract.endpoint_file import EndpointFile
from core.domain.errors import PortInUse, SpecInvalid
from core.serving import endpoint_file, metrics
from core.serving.places import Places
from core.serving.spells import Spell
from core.serving.status import Status
from core.serving.tether import when_closed

log = logging.getLogger(__name__)

T = TypeVar("T")

WORKER = "core.serving.worker"

BACKLOG = 2048

# The workers of a parent that was killed let go of the port within a moment; a stranger does not.
BIND_PATIENCE_S = 1.5
BIND_EVERY_S = 0.05

END_GRACE_S = 35.0
"""A little more than a worker's own time to drain."""
RETRY_S = 0.5
"""How soon a file that could not be written is tried again."""
REPORT_BYTES_MAX = 16 * 1024 * 1024


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. Raises PortInUse when it cannot be had, SpecInvalid when there is no such port."""
    deadline = time.monotonic() + BIND_PATIENCE_S
    while True:
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(BACKLOG)
        except OverflowError as e:
            listener.close()
            raise SpecInvalid(f"{port} is not a valid port", hint="Give the endpoint a port of 1 to 65535") from e
        except OSError as e:
            listener.close()
            if time.monotonic() > deadline:
                raise PortInUse(
                    f"Port {port} on {host} cannot be used: {e.strerror}",
                    hint="Stop the process that uses it, or give the endpoint another port",
                ) from e
            time.sleep(BIND_EVERY_S)
        else:
            listener.set_inheritable(True)
            return listener


class Worker:
    """One process. `id` is its own for good, which the system's number for it is not."""

    def __init__(self, id: int, process: Process, status: Status, stop: Callable[["Worker"], None]) -> None:
        self.id, self.process = id, process
        self._status, self._stop = status, stop
        self.started = asyncio.get_running_loop().time()
        self.ready = asyncio.Event()
        self.retired = False
        """Another one has its place; it ends when its connections have."""
        self.life: asyncio.Future[int]
        """Ends with the process and gives its exit code."""

    def heard(self, line: bytes) -> None:
        """Take in what the process said."""
        if not self.retired:
            self._status.heard(self.id, line)
        self.ready.set()

    def retire(self) -> None:
        self.retired = True
        self._status.lost(self.id)
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGUSR1)

    def stop(self) -> None:
        self._stop(self)


class Parent:
    """Runs the workers of one endpoint until SIGTERM, SIGINT or, with `tether`, the end of standard input."""

    def __init__(self, path: Path, file: EndpointFile, listener: socket.socket, *, tether: bool) -> None:
        self._path, self._file, self._listener, self._tether = path, file, listener, tether
        status_file = Path(file.status_file)
        self._status = Status(status_file, listener.getsockname()[1])
        self._counts = metrics.folder_of(status_file)
        self._spell = Spell("what ended workers have counted")
        self._stopping, self._roll = asyncio.Event(), asyncio.Event()
        self._failed = False
        self._ids = count()
        self._living: dict[int, Worker] = {}
        """Every process by its id, retired ones too."""
        self._unkept: set[int] = set()
        """Processes that have ended and whose counts are still in files of their own."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._places = Places(self._start, self._guarded)

    async def run(self) -> int:
        """Serve, then drain: no new connections, answers to what is in flight, at most about half a minute.

        The exit code: 1 where a part of it has failed on a bug, so that whoever supervises it starts it anew.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self._roll.set)
        if self._tether:
            when_closed(sys.stdin.buffer, self._stopping.set)
        self._spell.attempt(lambda: metrics.begin(self._counts))
        self._man()
        watches = [self._guarded(watch) for watch in (self._follow(), self._roll_on(), self._catch_up())]
        await self._stopping.wait()
        for watch in watches:
            watch.cancel()
        await self._places.leave()
        self._listener.close()
        living = list(self._living.values())
        await asyncio.gather(*(self._end(worker) for worker in living), return_exceptions=True)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._keep_counts()
        return 1 if self._failed else 0

    def _man(self) -> None:
        """As many workers as the endpoint file asks for."""
        self._places.man(max(1, self._file.limits.workers))

    def _guarded(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """A task without which the server must not go on: should it fail, the server ends, and is started again."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("a part of the server has failed, and so the server ends", exc_info=error)
            self._failed = True
            self._stopping.set()

    async def _follow(self) -> None:
        """Take up what a worker cannot take up by itself: their number, and where telemetry goes."""
        seen = endpoint_file.stamp(self._path)
        while True:
            await asyncio.sleep(endpoint_file.POLL_S)
            now = endpoint_file.stamp(self._path)
            if now != seen:
                seen = now
                self._take_up()

    async def _roll_on(self) -> None:
        """New workers in all places, whenever that is wished for."""
        while await self._roll.wait():
            self._roll.clear()
            await self._places.roll()

    async def _catch_up(self) -> None:
        """Write again what could not be written."""
        while True:
            await asyncio.sleep(RETRY_S)
            self._status.retry()
            self._keep_counts()

    def _take_up(self) -> None:
        try:
            file = endpoint_file.read(self._path)
        except SpecInvalid as e:
            log.error("%s; going on as before", e.message)
            return
        before, self._file = self._file, file
        self._man()
        if (before.telemetry_dir, before.segment_s) != (file.telemetry_dir, file.segment_s):
            self._roll.set()

    async def _start(self, number: int) -> Worker:
        """A worker for that place; it does not know which it is. Raises OSError."""
        fd = self._listener.fileno()
        command = ("-m", WORKER, "--endpoint-file", str(self._path), "--fd", str(fd))
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdin=PIPE, stdout=PIPE, pass_fds=(fd,), limit=REPORT_BYTES_MAX
        )
        log.info("worker %d is process %d", number, process.pid)
        worker = Worker(next(self._ids), process, self._status, self._stop)
        self._living[worker.id] = worker
        worker.life = self._guarded(self._listen_to(worker))
        return worker

    async def _listen_to(self, worker: Worker) -> int:
        """Hear a worker's reports until it ends; its exit code."""
        process = worker.process
        assert process.stdout is not None
        async for line in process.stdout:
            worker.heard(line)
        code = await process.wait()
        del self._living[worker.id]
        self._status.lost(worker.id)
        self._unkept.add(process.pid)
        self._keep_counts()
        return code

    def _keep_counts(self) -> None:
        for pid in list(self._unkept):
            if self._spell.attempt(partial(metrics.keep, self._counts, pid)):
                self._unkept.discard(pid)

    def _stop(self, worker: Worker) -> None:
        self._guarded(self._end(worker))

    async def _end(self, worker: Worker) -> None:
        process = worker.process
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_GRACE_S)
        except TimeoutError:
            log.error("worker %d did not end in time and is killed", process.pid)
            process.kill()
