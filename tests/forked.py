"""Processes of the fakes that have their modules loaded: one costs milliseconds where a new interpreter costs a second.

Each leads a session and a group of its own, has its own environment and log, and ends and is killed as one that was
started by its command. What looks for a process by its command line or first environment does not find it.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import psutil

from core.local.machine import processes
from core.local.machine.processes import Process, this_process
from core.local.worker.executors import another_main
from core.settings import CHECKOUT

FORKS = multiprocessing.get_context("forkserver")
# All that the fakes import of `core`: the server that forks finds no module of the tests.
FORKS.set_forkserver_preload(
    [
        "core.local.service.loop",
        *(f"core.local.worker.{name}" for name in ("batch", "run", "automl", "step")),
        *("core.local.workspace", "core.ml.search", "core.ml.trial"),
    ]
)

END_S = 10.0


class Child:
    """What `processes` asks of a child: whether it has ended, and how."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process

    def poll(self) -> int | None:
        """The exit code, at once when it is seen to have ended: its parent, who is told first, passes it on."""
        with suppress(psutil.NoSuchProcess):
            if not processes.ended(psutil.Process(self._process.pid)):
                return None
        self._process.join(END_S)
        return self._process.exitcode


def forking(
    spawn: Callable[..., Process], command: Sequence[str], main: Callable[[list[str]], int]
) -> Callable[..., Process]:
    """A `processes.spawn` that forks `main` for this command, with the words behind it, and starts all others."""

    def spawned(asked: Sequence[str], *, log: Path, environ: Mapping[str, str]) -> Process:
        if tuple(asked[: len(command)]) != tuple(command):
            return spawn(asked, log=log, environ=environ)
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        ours, theirs = FORKS.Pipe(duplex=False)
        words = list(asked[len(command) :])
        child = FORKS.Process(target=_lead, args=(main, words, log, dict(environ), theirs), daemon=True)
        with another_main():  # ours may be a page that a test has drawn, which a process cannot import
            child.start()
        theirs.close()
        with ours:
            begun = ours.recv()  # it leads its group; it may be gone before we could ask when it began
        assert child.pid is not None
        processes._children[child.pid] = Child(child)  # type: ignore[assignment]  # as much of a Popen as is asked
        return Process(child.pid, begun)

    return spawned


def _lead(
    main: Callable[[list[str]], int], words: list[str], log: Path, environ: dict[str, str], ready: Connection
) -> None:
    os.setsid()
    os.umask(0o077)
    os.chdir(CHECKOUT)
    os.environ.clear()
    os.environ.update(environ)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for output in (sys.stdout, sys.stderr):
        os.dup2(descriptor, output.fileno())
        output.reconfigure(write_through=True)  # type: ignore[union-attr]
    os.close(descriptor)
    ready.send(this_process().started)
    ready.close()
    sys.exit(main(words))
