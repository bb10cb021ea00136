"""The app and the quickstart, side by side, until Ctrl-C; then everything that was started here is stopped."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from core.cli.command import Context
from core.domain.errors import PortInUse, ServiceUnavailable
from core.settings import CHECKOUT, as_environment
from core.workspace import Workspace

STOP_TIMEOUT_S = 10.0
POLL_S = 0.2


def run_demo(context: Context) -> None:
    """Serve the app on `app_port` with the quickstart in the background. Returns after Ctrl-C or SIGTERM.

    Raises PortInUse, ServiceUnavailable when the app does not start or ends by itself.
    """
    settings = context.settings
    _refuse_taken(settings.app_port)
    settings.home.mkdir(parents=True, exist_ok=True)
    environ = {**context.environ, **as_environment(settings)}
    address = f"http://localhost:{settings.app_port}"
    with (
        _one_interrupt(context),
        service_meanwhile(context.workspace),
        _child("app", _app(settings.app_port), settings.home, environ) as app,
        _child("quickstart", _quickstart(), settings.home, environ) as quickstart,
    ):
        _wait_until_up(app, settings.app_port, settings.start_timeout_s)
        context.say(f"Slipway is running at {address}. Ctrl-C stops it; nothing is lost.")
        _watch(context, app, quickstart)


def _app(port: int) -> Sequence[str]:
    options = {
        "server.address": "127.0.0.1",
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(CHECKOUT / "app.py"), *flags]


def _quickstart() -> Sequence[str]:
    return [sys.executable, "-m", "core", "quickstart", "--reuse"]


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as e:
            raise PortInUse(
                f"The app cannot use port {port}: {e.strerror}",
                hint="Stop what listens there, or choose another: SLIPWAY_APP_PORT=8502 make demo",
            ) from e


@contextmanager
def service_meanwhile(workspace: Workspace) -> Iterator[None]:
    """The service, where the workspace has one, runs inside; it is stopped afterwards only when it was started here."""
    if not workspace.can("service.start", "service.stop", "service.status"):
        yield
        return
    ours = not workspace.service.status().running
    workspace.service.start()
    try:
        yield
    finally:
        if ours:
            workspace.service.stop()


@contextmanager
def _child(
    name: str, command: Sequence[str], home: Path, environ: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own group, so that the terminal's Ctrl-C reaches us alone and we end it in order."""
    with (home / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, wanted)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            continue


def _wait_until_up(app: subprocess.Popen[bytes], port: int, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while app.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(POLL_S)
    raise ServiceUnavailable(
        f"The app did not start within {timeout_s:g} s", hint="Its log is app.log in the workspace"
    )


def _watch(context: Context, app: subprocess.Popen[bytes], quickstart: subprocess.Popen[bytes]) -> None:
    """Until the app ends, which only an interrupt or a failure brings about; tells when the quickstart is through."""
    told = False
    while (ended := app.poll()) is None:
        if not told and (code := quickstart.poll()) is not None:
            told = True
            context.say(
                "The model is live" if code == 0 else f"The quickstart ended with {code}; its log is quickstart.log"
            )
        time.sleep(POLL_S)
    raise ServiceUnavailable(f"The app ended with {ended}", hint="Its log is app.log in the workspace")


@contextmanager
def _one_interrupt(context: Context) -> Iterator[None]:
    """Ctrl-C, or SIGTERM as process managers send it, ends what runs inside, once: the orderly end is not cut short."""
    signals = (signal.SIGINT, signal.SIGTERM)

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        context.say("Stopping")
        raise KeyboardInterrupt

    before = [signal.signal(each, interrupt) for each in signals]
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)
