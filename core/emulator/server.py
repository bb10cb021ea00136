"""The emulation of one workspace: its application, reached by the proxy, and the ticks beside it."""

import fcntl
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.domain.errors import Conflict
from core.emulator.app import App, Inspect, no_inspection
from core.emulator.clock import Clock
from core.emulator.emulation import Emulation, Options
from core.emulator.listening import listening, new_secret
from core.emulator.state import State
from core.emulator.table import ROUTER, STARTS, TICKS
from core.emulator.variables import variables
from core.workspace import Workspace

log = logging.getLogger(__name__)
STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Running:
    """An emulation that answers."""

    emulation: Emulation
    port: int
    """Of the proxy, on loopback."""
    variables: dict[str, str]
    """What a client needs in its environment."""


@contextmanager
def emulated(
    workspace: Workspace, options: Options | None = None, *, port: int = 0, inspect: Inspect = no_inspection
) -> Iterator[Running]:
    """An emulation over a workspace, in this process, while the block lasts; its state stays in the workspace's folder.

    Raises Conflict where another process emulates the same workspace, ServiceUnavailable when it does not start.
    """
    chosen = options or Options()
    folder = workspace.settings.home / "emulation"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(folder):
        state = State(folder)
        emulation = Emulation(workspace, folder, state, Clock(state, chosen.scale), new_secret(), options=chosen)
        for start in STARTS:
            start(emulation)
        app, ticks = App(emulation, ROUTER, inspect), _Ticks(emulation)
        with listening(app, emulation.secret, port=port) as served:
            emulation.client.update(variables(emulation.names, served.port, emulation.secret, served.bundle))
            ticks.start()
            try:
                yield Running(emulation, served.port, dict(emulation.client))
            finally:
                ticks.stop()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            raise Conflict(
                "Another process emulates Azure over this workspace",
                hint="Stop it, or choose another folder with --home",
            ) from e
        yield


class _Ticks:
    """What goes on by itself, looked after in a thread of its own."""

    def __init__(self, emulation: Emulation) -> None:
        self._emulation = emulation
        self._thread = threading.Thread(target=self._run, name="emulation-ticks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._emulation.stopping.set()
        self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        while not self._emulation.stopping.wait(self._emulation.options.poll_s):
            for tick in TICKS:
                try:
                    tick(self._emulation)
                except Exception:
                    log.exception("The emulation could not look after %s", tick.__name__)
