"""Workspaces of Azure ML over an emulation in this process, whose variables stand in its environment meanwhile."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import living

from contract_tests.azure.validation import Inspector
from core.azure.workspace import open_azure
from core.emulator.app import Inspect, no_inspection
from core.emulator.emulation import Options
from core.emulator.endpoints.places import STARTING
from core.emulator.server import Running, emulated
from core.local.workspace import open_local
from core.settings import Settings, read_settings
from core.workspace import Workspace

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

OF_THIS_TEST = ExitStack()
"""What `open_azure_at` has opened; `conftest` closes it when the test ends."""
SCHEMAS = living.SHARED / "azure" / "schemas"
INSPECTOR = Inspector(SCHEMAS)
"""Holds every request and every answer against Microsoft's schemas; a test fails for what was wrong in it."""


@contextmanager
def emulation(home: Path, options: Options | None = None, *, inspect: Inspect | None = None) -> Iterator[Running]:
    """An emulation over a local workspace in `home`, for clients in this process; nobody starts its service.

    What is said is held against the schemas where these are there, unless somebody else inspects it.
    """
    inspect = inspect or (INSPECTOR if SCHEMAS.is_dir() else no_inspection)
    local = open_local(read_settings({"SLIPWAY_HOME": str(home), "SLIPWAY_OFFLINE": "1", "SLIPWAY_THREADS": "1"}))
    with emulated(local, options, inspect=inspect) as running, environment(running.variables):
        try:
            yield running
        finally:
            _end_service(local)


def _end_service(local: Workspace) -> None:
    """What an endpoint has started, even if it is only coming up, ends with the emulation."""
    starting = [each for each in threading.enumerate() if each.name == STARTING]
    for each in starting:
        each.join(30)
    if local.service.status().running:
        local.service.stop()


@contextmanager
def environment(given: Mapping[str, str]) -> Iterator[None]:
    """These variables are set inside."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def client_settings(home: Path) -> Settings:
    """Of a user whose environment has an emulation's variables, and who keeps what is theirs in `home`."""
    environ = {
        "SLIPWAY_HOME": str(home),
        "SLIPWAY_OFFLINE": "1",
        "SLIPWAY_THREADS": "1",
        "SLIPWAY_WORKSPACE": "azure",
    }
    return read_settings({**os.environ, **environ})


NOBODY_WORKS = Options(allow_code=True, poll_s=3600.0, starts_service=False)
"""What is asked for waits, as in a workspace of this machine whose service nobody has started."""


def open_azure_at(home: Path) -> Workspace:
    """A workspace of Azure ML whose emulation lies below `home`, as the caches do, until the test ends."""
    OF_THIS_TEST.callback(_close, home / "emulated")  # an endpoint brings its service up
    OF_THIS_TEST.enter_context(emulation(home / "emulated", NOBODY_WORKS))
    return open_azure(client_settings(home / "client"))


def _close(home: Path) -> None:
    """Asking a service to stop takes a process; most tests have started none."""
    if living.alive_in(home):
        living.close(home)


def ml_client(running: Running) -> "MLClient":
    """The unmodified SDK, signed in as the emulation's service principal, with no hook of ours."""
    from azure.ai.ml import MLClient
    from azure.identity import ClientSecretCredential

    names = running.emulation.names
    credential = ClientSecretCredential(names.tenant, names.client, running.emulation.secret)
    return MLClient(credential, names.subscription, names.resource_group, names.workspace, enable_telemetry=False)
