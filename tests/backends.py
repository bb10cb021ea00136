"""The backends that the behaviour suite knows, real ones and doubles: how to make each, and what each cannot do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import living
import pytest
from fakes import FakeWorkspace
from quickstart_fakes import LifecycleFake

from core.local.workspace import LocalWorkspace
from core.settings import Settings, read_settings
from core.workspace import Workspace

NOT_YET = frozenset(
    {
        "continue_job", "explain_row", "curves", "send_feedback", "drift", "set_alert", "alerts", "create_schedule",
        "schedules", "enable_schedule", "delete_schedule", "backup", "restore", "doctor",
    }
)  # fmt: skip
"""Verbs that the protocol draws and no backend has."""
CANNOT: Mapping[str, frozenset[str]] = {"local": NOT_YET}
"""A backend of `BACKENDS` that is not named here fails."""


def settings(home: Path) -> Settings:
    """Of a backend whose folder is `home` and that fetches nothing."""
    return read_settings({"SLIPWAY_HOME": str(home), "SLIPWAY_OFFLINE": "1", "SLIPWAY_THREADS": "1"})


MAKE: Mapping[str, Callable[[Path], Workspace]] = {"local": lambda home: LocalWorkspace(settings(home))}


def need(workspace: Workspace, *verbs: str) -> None:
    """Skip the test, by name, where the workspace lacks a verb. A double has no more than its own tests use."""
    if missing := sorted(set(verbs) - workspace.capabilities):
        if isinstance(workspace, FakeWorkspace | LifecycleFake):
            pytest.skip("a double has only the verbs that its tests use")
        pytest.skip(f"{type(workspace).__name__} cannot {', '.join(missing)}")


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
    workspace.service_start()
    return Working(workspace, nothing, lambda: living.close(home))


def _pages_double(home: Path) -> Working:
    fake = FakeWorkspace(settings(home))
    return Working(fake, fake.work, nothing)


def _quickstart_double(home: Path) -> Working:
    fake = LifecycleFake(settings(home))
    fake.service_start()
    return Working(fake, nothing, nothing)


AT_WORK: Mapping[str, Callable[[Path], Working]] = {
    "local": _local,
    "the pages' double": _pages_double,
    "the quickstart's double": _quickstart_double,
}
"""Doubles are held to what the real ones do: a test over one that does otherwise proves nothing."""
