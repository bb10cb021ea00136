"""What may be read for somebody who has no account on this machine: a page's visitor, a client of the HTTP door."""

from pathlib import Path

from core.domain.errors import SourceUnreadable
from core.domain.rules import shown
from core.settings import Settings

READ_DIR = "SLIPWAY_READ_DIR names further folders; the command line reads any file"


def cache(settings: Settings) -> Path:
    """Where tables that were fetched are kept."""
    return settings.home / "cache"


def folders(settings: Settings) -> tuple[Path, ...]:
    """The folders below which a path may lie, those that names are looked up in first."""
    return (*settings.data_dir, *settings.read_dir)


def allowed(path: Path, settings: Settings) -> bool:
    """Whether the file that a path leads to in the end lies in an allowed folder, or in one below it.

    The workspace's own folder is not allowed though it may lie in one that is: keys and stored tables are in it.
    """
    try:
        real = path.resolve()
    except (OSError, RuntimeError, ValueError):  # a circle of links, a text that names nothing
        return False
    roots = {folder.resolve(): True for folder in (cache(settings), *folders(settings))}
    roots.setdefault(settings.home.resolve(), False)
    around = [root for root in roots if real.is_relative_to(root)]
    return roots[max(around, key=lambda root: len(root.parts))] if around else False


def check_allowed(path: Path, settings: Settings) -> Path:
    """The file that a path leads to in the end, links followed. Raises SourceUnreadable where it may not be read.

    Nothing of the file is looked at before, and what is said does not tell whether there is one.
    """
    if allowed(path, settings):
        return path.resolve()
    among = ", ".join(f"'{folder}'" for folder in folders(settings)) or "none"
    raise SourceUnreadable(
        f"{shown(str(path))} is outside the folders that the app and REST calls may read",
        hint=f"Allowed are: {among}. {READ_DIR}",
    )
