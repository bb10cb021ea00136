"""The emulation's process: TLS on a socket of its own, the proxy before it, and the ticks beside it."""

import asyncio
import fcntl
import logging
import secrets
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from core.domain.errors import Conflict, ServiceUnavailable
from core.emulator.app import App, Inspect, no_inspection
from core.emulator.authority import Authority
from core.emulator.clock import Clock
from core.emulator.emulation import Emulation, Options
from core.emulator.proxy import Proxy
from core.emulator.state import State
from core.emulator.table import ROUTER, TICKS
from core.emulator.variables import variables
from core.workspace import Workspace

log = logging.getLogger(__name__)
START_TIMEOUT_S = 20.0


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
    with _alone(folder), tempfile.TemporaryDirectory(prefix="slipway-emulation-") as run:
        state = State(folder)
        emulation = Emulation(
            workspace, folder, state, Clock(state, chosen.scale), secrets.token_urlsafe(24), options=chosen
        )
        authority = Authority(Path(run))
        serving = _Serving(emulation, authority, Path(run) / "inside.sock", port, inspect)
        serving.start()
        try:
            yield Running(
                emulation, serving.port, variables(emulation.names, serving.port, emulation.secret, authority.bundle)
            )
        finally:
            emulation.stopping.set()
            serving.stop()


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


class _Serving:
    """Two threads: the event loop with the server and the proxy, and the ticks."""

    def __init__(self, emulation: Emulation, authority: Authority, inside: Path, port: int, inspect: Inspect) -> None:
        self._emulation, self._authority, self._inside = emulation, authority, inside
        self._wanted_port, self._inspect = port, inspect
        self.port = 0
        self._up = threading.Event()
        self._trouble: BaseException | None = None
        self._loop_thread = threading.Thread(target=self._run, name="emulation", daemon=True)
        self._tick_thread = threading.Thread(target=self._tick, name="emulation-ticks", daemon=True)

    def start(self) -> None:
        self._loop_thread.start()
        if not self._up.wait(START_TIMEOUT_S) or self._trouble:
            raise ServiceUnavailable(f"The emulation did not start: {self._trouble or 'it took too long'}")
        self._tick_thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._loop_thread.join(START_TIMEOUT_S)
        self._tick_thread.join(START_TIMEOUT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as e:  # noqa: BLE001 - told to whoever waits in `start`
            self._trouble = e
        finally:
            self._up.set()

    async def _serve(self) -> None:
        config = uvicorn.Config(
            App(self._emulation, ROUTER, self._inspect),
            uds=str(self._inside),
            ssl_context_factory=lambda config, default: self._context(),
            lifespan="off",
            log_level="error",
            access_log=False,
            timeout_keep_alive=75,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _Embedded(config)
        proxy = Proxy(self._inside, self._emulation.secret)
        listening = await proxy.start(self._wanted_port)
        serving = asyncio.create_task(self._server.serve())
        while not self._server.started and not serving.done():
            await asyncio.sleep(0.005)
        self.port = listening.sockets[0].getsockname()[1]
        self._up.set()
        await serving
        listening.close()
        await proxy.stop()

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            if name:
                connection.context = self._authority.context_for(name.lower())

        context.sni_callback = choose
        return context

    def _tick(self) -> None:
        while not self._emulation.stopping.wait(self._emulation.options.poll_s):
            for tick in TICKS:
                try:
                    tick(self._emulation)
                except Exception:
                    log.exception("The emulation could not look after %s", tick.__name__)


class _Embedded(uvicorn.Server):
    """Leaves the signals to whoever runs the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
