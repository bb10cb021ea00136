"""How an application is reached under Azure's host names: TLS on a socket of its own, and the proxy before it."""

import asyncio
import secrets
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn

from core.domain.errors import ServiceUnavailable
from core.emulator.authority import Authority
from core.emulator.proxy import Proxy

START_TIMEOUT_S = 20.0
LAST_ANSWERS_S = 1.0


@contextmanager
def listening(app: Any, secret: str, *, port: int = 0) -> Iterator["Listening"]:
    """Serve an ASGI application while the block lasts, on a thread of its own.

    Raises ServiceUnavailable when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="slipway-emulation-") as folder:
        served = Listening(app, secret, Path(folder), port)
        served.start()
        try:
            yield served
        finally:
            served.stop()


def new_secret() -> str:
    """The password of a run's proxy."""
    return secrets.token_urlsafe(24)


class Listening:
    """The event loop with the server and the proxy."""

    def __init__(self, app: Any, secret: str, folder: Path, port: int) -> None:
        self._app, self._secret, self._wanted_port = app, secret, port
        self._authority, self._inside = Authority(folder), folder / "inside.sock"
        self.port = 0
        """Of the proxy, on loopback."""
        self._up = threading.Event()
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="emulation", daemon=True)

    @property
    def bundle(self) -> Path:
        """The certificate that clients must trust."""
        return self._authority.bundle

    def start(self) -> None:
        self._thread.start()
        if not self._up.wait(START_TIMEOUT_S) or self._trouble:
            raise ServiceUnavailable(f"The emulation did not start: {self._trouble or 'it took too long'}")

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(START_TIMEOUT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as e:  # noqa: BLE001 - told to whoever waits in `start`
            self._trouble = e
        finally:
            self._up.set()

    async def _serve(self) -> None:
        config = uvicorn.Config(
            self._app,
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
        proxy = Proxy(self._inside, self._secret)
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


class _Embedded(uvicorn.Server):
    """Leaves the signals to whoever runs the process, and ends when the last request has its answer.

    uvicorn itself waits for connections that clients keep open and do not use, a second each time.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_ANSWERS_S):
                while self.server_state.tasks:
                    await asyncio.sleep(0.01)
        self.force_exit = True
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
