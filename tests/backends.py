"""The backends that the behaviour suite knows, real ones and doubles: how to make each, and what each cannot do."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import emulating
import living
import pytest
from fakes import FakeWorkspace
from quickstart_fakes import Double, LifecycleFake

from core.azure.lacks import LACKS
from core.azure.workspace import open_azure
from core.emulator.emulation import Options
from core.local.workspace import open_local
from core.settings import Settings, read_settings
from core.workspace import Workspace

NOT_YET = frozenset(
    {
        "service.backup",
        "service.restore",
    }
)
"""Verbs that the protocol draws and no backend has."""
CANNOT: Mapping[str, frozenset[str]] = {
    "local": NOT_YET | {"service.resources", "service.teardown", "endpoints.autoscale", "endpoints.set_autoscale"},
    "azure": NOT_YET | frozenset(LACKS),
}
"""A backend of `BACKENDS` that is not named here fails."""


def settings(home: Path, workspace: str = "local") -> Settings:
    """Of a backend whose folder is `home` and that fetches nothing; a test that it lacks a verb for says its name."""
    environ = {
        "SLIPWAY_HOME": str(home),
        "SLIPWAY_OFFLINE": "1",
        "SLIPWAY_THREADS": "1",
        "SLIPWAY_WORKSPACE": workspace,
    }
    return read_settings(environ)


MAKE: Mapping[str, Callable[[Path], Workspace]] = {
    "local": lambda home: open_local(settings(home)),
    "azure": emulating.open_azure_at,
}


def need(workspace: Workspace, *verbs: str) -> None:
    """Skip the test, by name, where the workspace lacks a verb. A double has no more than its own tests use."""
    if missing := sorted(set(verbs) - workspace.capabilities):
        if isinstance(workspace, Double):
            pytest.skip("a double has only the verbs that its tests use")
        pytest.skip(f"{workspace.settings.workspace} cannot {', '.join(missing)}")


@dataclass(frozen=True)
class Working:
    """A workspace in which what is asked for also happens."""

    workspace: Workspace
    work: Callable[[], None]
    """Bring what was asked for a step further, where nobody else does."""
    close: Callable[[], None]


def nothing() -> None:
    """Somebody else does it."""


def _local(home: Path) -> Working:
    workspace = MAKE["local"](home)
    workspace.service.start()
    return Working(workspace, nothing, lambda: living.close(home))


def _azure(home: Path) -> Working:
    """Its emulation's own service works for it; what is called local there is another folder than the client's."""
    opened = ExitStack()
    running = opened.enter_context(emulating.emulation(home / "emulated", Options(allow_code=True)))
    opened.callback(living.close, home / "emulated")
    running.emulation.workspace.service.start()
    return Working(open_azure(emulating.client_settings(home / "client")), nothing, opened.close)


def _pages_double(home: Path) -> Working:
    fake = FakeWorkspace(settings(home))
    return Working(fake.workspace, fake.work, nothing)


def _quickstart_double(home: Path) -> Working:
    fake = LifecycleFake(settings(home))
    fake.workspace.service.start()
    return Working(fake.workspace, nothing, nothing)


AT_WORK: Mapping[str, Callable[[Path], Working]] = {
    "local": _local,
    "azure": _azure,
    "the pages' double": _pages_double,
    "the quickstart's double": _quickstart_double,
}
"""Doubles are held to what the real ones do: a test over one that does otherwise proves nothing."""
