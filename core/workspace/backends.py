"""The table of backends, each imported only when it is chosen."""

from collections.abc import Callable, Mapping
from importlib import import_module

from core.domain.errors import BackendMissing
from core.settings import Settings
from core.workspace.workspace import Workspace

BACKENDS: Mapping[str, tuple[str, str]] = {
    "local": ("core.local.workspace:open_local", "make setup"),
    "azure": ("core.azure.workspace:open_azure", "make setup"),
}
"""Name -> (a function from settings and `confined` to a `Workspace`, how to install what it needs)."""


def open_workspace(settings: Settings, *, confined: bool = False) -> Workspace:
    """The workspace that the settings name.

    `confined` is for whoever acts for others, such as the app: a path that they give is read only below the folders
    that the settings allow (`data_dir`, `read_dir`). Raises BackendMissing.
    """
    if settings.workspace not in BACKENDS:
        raise BackendMissing(
            f"There is no workspace '{settings.workspace}' here", hint=f"Choose one of: {', '.join(sorted(BACKENDS))}"
        )
    path, install = BACKENDS[settings.workspace]
    module, _, name = path.partition(":")
    try:
        opened: Callable[..., Workspace] = getattr(import_module(module), name)
    except ModuleNotFoundError as e:
        raise BackendMissing(f"The workspace '{settings.workspace}' needs {e.name}", hint=install) from e
    return opened(settings, confined=confined)
