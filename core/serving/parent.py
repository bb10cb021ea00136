"""The parent of an endpoint: owns the listening socket, keeps the workers alive, writes the status file."""

import asyncio
import logging
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from core.domain.errors import PortInUse
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


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. Raises PortInUse when it cannot be had."""
    deadline = time.monotonic() + BIND_PATIENCE_S
    while True:
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(BACKLOG)
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


class Parent:
    """Runs the workers of one endpoint until SIGTERM, SIGINT or, with `tether`, the end of standard input."""

    def __init__(self, path: Path, file: EndpointFile, listener: socket.socket, *, tether: bool) -> None:
        self._path, self._listener, self._tether = path, listener, tether
        self._count = max(1, file.limits.workers)
        self._status = Status(Path(file.status_file), listener.getsockname()[1])
        self._stopping = asyncio.Event()
        self._running: dict[int, Process] = {}

    async def run(self) -> None:
        """Serve, then drain: no new connections, answers to what is in flight, at most about half a minute."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        if self._tether:
            when_closed(sys.stdin.buffer, self._stopping.set)
        keepers = [asyncio.create_task(self._keep(number)) for number in range(self._count)]
        await self._stopping.wait()
        self._listener.close()
        await asyncio.gather(*(self._end(process) for process in self._running.values()))
        await asyncio.gather(*keepers)

    async def _keep(self, number: int) -> None:
        """Start worker `number`, again and again."""
        deaths = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            code = await self._run_worker(number)
            if self._stopping.is_set():
                return
            deaths = 0 if time.monotonic() - started >= STABLE_S else deaths
            wait_s = BACKOFF_S[min(deaths, len(BACKOFF_S) - 1)]
            deaths += 1
            log.warning("worker %d ended with code %d; starting it again in %g s", number, code, wait_s)
            await self._pause(wait_s)

    async def _run_worker(self, number: int) -> int:
        """One life of a worker; its exit code."""
        fd = self._listener.fileno()
        command = ("-m", WORKER, "--endpoint-file", str(self._path), "--fd", str(fd))
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdin=PIPE, stdout=PIPE, pass_fds=(fd,)
        )
        self._running[number] = process
        if self._stopping.is_set():
            process.terminate()
        assert process.stdout is not None
        async for line in process.stdout:
            self._status.heard(number, line)
        code = await process.wait()
        del self._running[number]
        self._status.lost(number)
        return code

    async def _end(self, process: Process) -> None:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_GRACE_S)
        except TimeoutError:
            log.error("worker %d did not end in time and is killed", process.pid)
            process.kill()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
