"""Experiments: what groups runs by name; they come into being with their first run."""

import uuid
from collections.abc import Iterator

from core.emulator.emulation import Emulation
from core.emulator.messages import Document


def number(emulation: Emulation, name: str) -> str:
    """The id of an experiment, a UUID; the same name has the same one."""
    return str(uuid.uuid5(uuid.UUID(emulation.names.workspace_id), f"experiment/{name.lower()}"))


def ensure(emulation: Emulation, name: str, tags: dict[str, str] | None = None) -> Document:
    """The experiment of that name, made now where there is none."""
    with emulation.state.lock:
        found: Document | None = find(emulation, name)
        if found is None:
            found = {
                "id": number(emulation, name),
                "name": name,
                "created_at": emulation.clock.now(),
                "tags": tags or {},
                "active": True,
            }
            keep(emulation, found)
        return found


def find(emulation: Emulation, name: str) -> Document | None:
    """An experiment by its name."""
    found: Document | None = emulation.state.get(f"experiment/{number(emulation, name)}")
    return found


def by_number(emulation: Emulation, wanted: str) -> Document | None:
    """An experiment by its id."""
    found: Document | None = emulation.state.get(f"experiment/{wanted}")
    return found


def keep(emulation: Emulation, experiment: Document) -> None:
    """Remember an experiment as it is now."""
    emulation.state.put(f"experiment/{experiment['id']}", experiment)


def every(emulation: Emulation) -> Iterator[Document]:
    """All experiments, the oldest first."""
    for _, kept in emulation.state.below("experiment/"):
        yield kept
