"""The service's HTTP door: trigger pipelines, watch and cancel runs and jobs, poke the service."""

import socket
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from types import TracebackType

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from core.domain.errors import SlipwayError
from core.local.service.door_answers import bug, explained, http
from core.local.service.door_guard import Guard, Keys
from core.local.service.door_routes import Routes
from core.workspace import Workspace

START_TIMEOUT_S = 10.0


class Door:
    """A running HTTP server in a thread of its own while it is entered; with `tls`, it speaks HTTPS alone."""

    def __init__(
        self,
        workspace: Workspace,
        key: str,
        listener: socket.socket,
        poke: Callable[[], None],
        *,
        keys: Keys = tuple,
        names: Collection[str] = (),
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        # log_config=None: uvicorn's lines go where the service's own go.
        config = uvicorn.Config(
            app(workspace, key, poke, keys=keys, names=names),
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="warning",
            ssl_certfile=tls and tls[0],
            ssl_keyfile=tls and str(tls[1]),
        )
        self._listener = listener
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, name="door")

    def __enter__(self) -> "Door":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(START_TIMEOUT_S)
        self._listener.close()

    def check(self) -> None:
        """Raises RuntimeError when the server's thread has ended: a service without its door is none."""
        if not self._thread.is_alive():
            raise RuntimeError("The HTTP door has stopped; its traceback is above")


def app(
    workspace: Workspace, key: str, poke: Callable[[], None], *, keys: Keys = tuple, names: Collection[str] = ()
) -> ASGIApp:
    """The door as an ASGI application.

    `key` opens every route; `keys` are the pipelines' own, each of which opens its pipeline's. `names` are the hosts
    beside the loopback ones under which it may be called.
    """
    routes = Starlette(
        routes=Routes(workspace, poke).table(),
        exception_handlers={SlipwayError: explained, HTTPException: http, Exception: bug},
    )
    return Guard(routes, key, keys, names)
