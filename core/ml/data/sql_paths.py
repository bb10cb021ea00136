"""Paths for DuckDB, which takes `*`, `?` and `[` in them for a pattern, and a folder called `a=b` for a column `a`."""

from collections.abc import Iterable
from pathlib import Path

AS_IT_STANDS = "hive_partitioning = false"
"""For every reader: the columns are the file's own."""


def literal(text: str) -> str:
    """Text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def only(path: Path) -> str:
    """A path to read from, in SQL: this very file, in whatever folder a workspace lies."""
    return literal("".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path)))


def each(paths: Iterable[Path]) -> str:
    """Several paths to read from, in SQL."""
    return f"[{', '.join(map(only, paths))}]"
