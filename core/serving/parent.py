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
from collections.abc import Coroutine
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from core.domain.errors import PortInUse, SpecInvalid
from core.serving import endpoint_file, metrics
from core.serving.endpoint_file import EndpointFile
from core.serving.status import Status
from core.serving.tether import when_closed

log = logging.getLogger(__name__)

WORKER = "core.serving.worker"

BACKLOG = 2048

# The workers of a parent that was killed let go of the port within a moment; a stranger does not.
BIND_PATIENCE_S = 1.5
BIND_EVERY_S = 0.05

BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
STABLE_S = 10.0
"""A worker that lived this long starts the backoff anew."""

END_GRACE_S = 35.0
"""A little more than a worker's own time to drain."""
READY_S = 60.0
"""A replacement that has not loaded its models by then is given up; the old worker serves on."""


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
            raise SpecInvalid(f"{port} is no port", hint="Give the endpoint a port of 1 to 65535") from e
        except OSError as e:
            listener.close()
            if time.monotonic() > deadline:
                raise PortInUse(
                    f"Port {port} of {host} cannot be had: {e.strerror}",
                    hint="End the process that holds it, or give the endpoint another port",
                ) from e
            time.sleep(BIND_EVERY_S)
        else:
            listener.set_inheritable(True)
            return listener


class Worker:
    """One process. `number` is its place among the workers, `id` its own for good."""

    def __init__(self, number: int, id: int, process: Process) -> None:
        self.number, self.id, self.process = number, id, process
        self.started = time.monotonic()
        self.ready = asyncio.Event()
        self.retired = False
        """Another one has its place; it ends when its connections have."""
        self.life: asyncio.Task[int]
        """Ends with the process and gives its exit code."""


class Parent:
    """Runs the workers of one endpoint until SIGTERM, SIGINT or, with `tether`, the end of standard input."""

    def __init__(self, path: Path, file: EndpointFile, listener: socket.socket, *, tether: bool) -> None:
        self._path, self._file, self._listener, self._tether = path, file, listener, tether
        status_file = Path(file.status_file)
        self._status = Status(status_file, listener.getsockname()[1])
        self._counts = metrics.folder_of(status_file)
        self._stopping, self._roll = asyncio.Event(), asyncio.Event()
        self._ids = count()
        self._living: dict[int, Worker] = {}
        """Every process by its id, retired ones too."""
        self._places: dict[int, Worker] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve, then drain: no new connections, answers to what is in flight, at most about half a minute."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self._roll.set)
        if self._tether:
            when_closed(sys.stdin.buffer, self._stopping.set)
        metrics.begin(self._counts)
        self._man()
        following = asyncio.create_task(self._follow())
        await self._stopping.wait()
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        self._listener.close()
        living = list(self._living.values())
        await asyncio.gather(*(self._end(worker) for worker in living))
        await asyncio.gather(*self._tasks, *(worker.life for worker in living))

    def _man(self) -> None:
        """As many workers as the endpoint file asks for."""
        wanted = max(1, self._file.limits.workers)
        for number in range(wanted):
            if number not in self._places:
                self._spawn_task(self._keep(number))
        for number in [number for number in self._places if number >= wanted]:
            self._retire(self._places.pop(number))

    def _spawn_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self) -> None:
        """Take up what a worker cannot take up by itself: their number, where telemetry goes, a wish for new ones."""
        seen = endpoint_file.stamp(self._path)
        while True:
            await asyncio.sleep(endpoint_file.POLL_S)
            now = endpoint_file.stamp(self._path)
            if now != seen:
                seen = now
                self._take_up()
            if self._roll.is_set():
                self._roll.clear()
                for number in sorted(self._places):
                    await self._replace(number)

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

    async def _keep(self, number: int) -> None:
        """Keep a worker in place `number`, again and again."""
        deaths = 0
        self._places[number] = await self._start(number)
        while worker := self._places.get(number):
            code = await worker.life
            if self._stopping.is_set():
                return
            if worker.retired:
                continue
            deaths = 0 if time.monotonic() - worker.started >= STABLE_S else deaths
            wait_s = BACKOFF_S[min(deaths, len(BACKOFF_S) - 1)]
            deaths += 1
            log.warning("worker %d ended with code %d; starting it again in %g s", number, code, wait_s)
            await self._pause(wait_s)
            if self._stopping.is_set():
                return
            if number in self._places:
                self._places[number] = await self._start(number)

    async def _replace(self, number: int) -> None:
        """Put a new worker in the place of one that lives, once the new one serves."""
        old = self._places[number]
        new = await self._start(number)
        ready = asyncio.create_task(new.ready.wait())
        await asyncio.wait((new.life, ready), timeout=READY_S, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if not new.ready.is_set():
            log.error("the replacement of worker %d did not come up; the old one serves on", number)
            await self._end(new)
        elif self._places.get(number) is old:
            self._places[number] = new
            self._retire(old)
            log.info("worker %d was replaced", number)
        else:
            self._retire(new)  # its place was given up meanwhile, or the old one had died and was started again

    def _retire(self, worker: Worker) -> None:
        worker.retired = True
        self._status.lost(worker.id)
        if worker.process.returncode is None:
            worker.process.send_signal(signal.SIGUSR1)

    async def _start(self, number: int) -> Worker:
        fd = self._listener.fileno()
        command = ("-m", WORKER, "--endpoint-file", str(self._path), "--fd", str(fd))
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdin=PIPE, stdout=PIPE, pass_fds=(fd,)
        )
        worker = Worker(number, next(self._ids), process)
        self._living[worker.id] = worker
        worker.life = asyncio.create_task(self._listen_to(worker))
        if self._stopping.is_set():
            process.terminate()
        return worker

    async def _listen_to(self, worker: Worker) -> int:
        """Hear a worker's reports until it ends; its exit code."""
        process = worker.process
        assert process.stdout is not None
        async for line in process.stdout:
            if not worker.retired:
                self._status.heard(worker.id, line)
            worker.ready.set()
        code = await process.wait()
        del self._living[worker.id]
        self._status.lost(worker.id)
        metrics.keep(self._counts, process.pid)
        return code

    async def _end(self, worker: Worker) -> None:
        process = worker.process
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_GRACE_S)
        except TimeoutError:
            log.error("worker %d did not end in time and is killed", process.pid)
            process.kill()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
