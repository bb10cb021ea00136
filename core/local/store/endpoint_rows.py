"""An endpoint's row, as all that change an endpoint or its deployments ask for it."""

from collections.abc import Mapping

from msgspec import json

from core.domain.endpoint import EndpointState
from core.domain.errors import Conflict, EndpointNotFound
from core.local.store.db import Access, Row, Transaction


def existing(db: Access, name: str) -> Row:
    """Raises EndpointNotFound that names what exists."""
    row = db.row("SELECT * FROM endpoints WHERE name = ?", name)
    if row is None:
        known = db.rows("SELECT name FROM endpoints ORDER BY created_at DESC")
        names = ", ".join(row["name"] for row in known) or "none yet"
        raise EndpointNotFound(f"There is no endpoint '{name}'", hint=f"Endpoints: {names}")
    return row


def found(db: Access, name: str) -> Row | None:
    """None where there is none of that name. Raises Conflict while it is being deleted."""
    row = db.row("SELECT * FROM endpoints WHERE name = ?", name)
    if row is not None and row["state"] == EndpointState.DELETING:
        raise Conflict(f"Endpoint '{name}' is being deleted", hint="Try again when it is gone, which takes seconds")
    return row


def changeable(db: Access, name: str) -> Row:
    """An endpoint that may be changed. Raises EndpointNotFound, Conflict while it is being deleted."""
    if (row := found(db, name)) is None:
        raise EndpointNotFound(f"There is no endpoint '{name}'", hint="`endpoint list` shows them")
    return row


def count_change(tx: Transaction, name: str) -> None:
    """The server must look again."""
    tx.execute("UPDATE endpoints SET version = version + 1 WHERE name = ?", name)


def percents(text: str) -> dict[str, int]:
    """A map of traffic, as it is kept."""
    return json.decode(text, type=dict[str, int])


def set_percents(
    tx: Transaction, endpoint: str, traffic: Mapping[str, int], mirror: Mapping[str, int] | None = None
) -> None:
    """Replace the maps; the mirror's stays where none is given."""
    tx.execute(
        "UPDATE endpoints SET traffic = ?, mirror = coalesce(?, mirror), version = version + 1 WHERE name = ?",
        *(_encode(traffic), None if mirror is None else _encode(mirror), endpoint),
    )


def _encode(percents: Mapping[str, int]) -> str:
    return json.encode(percents).decode()
