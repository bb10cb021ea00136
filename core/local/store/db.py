"""The workspace's SQLite file: a connection for each thread, transactions, and its failures in our words."""

import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from core.domain.errors import ServiceUnavailable, StorageDenied, StorageFull
from core.durable import denied, storage_error
from core.local.store.schema import connect, migrate

Row = sqlite3.Row
SQLITE_FULL = 13
SQLITE_BUSY = 5
SQLITE_UNUSABLE = (3, 8, 10, 11, 14, 26)
"""Result codes, https://sqlite.org/rescode.html."""


class Access(ABC):
    """How a noun reaches its rows: by a `Database`, where each write is a transaction, or inside a `Transaction`."""

    @abstractmethod
    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        """All that a query finds."""

    @abstractmethod
    def write(self) -> AbstractContextManager["Transaction"]:
        """The transaction that a write belongs to: all of the block, or nothing where it fails."""

    def row(self, sql: str, *parameters: Any) -> Row | None:
        """The first that a query finds."""
        found = self.rows(sql, *parameters)
        return found[0] if found else None


class Transaction(Access):
    """A transaction that runs: what is written in it is read in it, and stands for others when it has ended."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    def execute(self, sql: str, *parameters: Any) -> int:
        """Change rows; how many were changed."""
        return self._connection.execute(sql, parameters).rowcount

    @contextmanager
    def write(self) -> Iterator["Transaction"]:
        yield self


class Database(Access):
    """The file. Threads each get a connection of their own; processes meet in SQLite's locks."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
        except OSError as e:
            full = storage_error(e, "open the workspace")
            raise full if isinstance(full, StorageFull) else denied(e, "open the workspace") from e
        self._path = path
        self._local = threading.local()
        with _sqlite_errors():
            migrate(self._connection)

    @property
    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect(self._path)
        return connection

    def close(self) -> None:
        """Close this thread's connection."""
        if (connection := getattr(self._local, "connection", None)) is not None:
            connection.close()
            self._local.connection = None

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        with _sqlite_errors():
            return self._connection.execute(sql, parameters).fetchall()

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        connection = self._connection
        with _sqlite_errors():
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(connection)
                connection.execute("COMMIT")
            except BaseException:
                # A full disk ends the transaction by itself, and its error is the one to tell.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


@contextmanager
def _sqlite_errors() -> Iterator[None]:
    """SQLite's failures that we can explain, in our words; anything else is a bug and stays itself."""
    try:
        yield
    except sqlite3.DatabaseError as e:
        code = getattr(e, "sqlite_errorcode", 0) & 0xFF
        if code == SQLITE_FULL:
            raise StorageFull(
                "The disk is full: the workspace could not keep this",
                hint="Free some space; what was acknowledged before is intact",
            ) from e
        if code == SQLITE_BUSY:
            raise ServiceUnavailable(
                "The workspace is busy: another process has held its store for 10 s", hint="Try again"
            ) from e
        if code in SQLITE_UNUSABLE:
            raise StorageDenied(
                f"The workspace's store, slipway.db, cannot be used: {e}",
                hint="Is it ours, and may you write to its folder? SLIPWAY_HOME says where it lies",
            ) from e
        raise
