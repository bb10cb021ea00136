"""A table under way from its source to Parquet, as DuckDB sees it."""

# ruff: noqa: S608  # the SQL is made of our own names c0, c1, ... and of literals quoted here

from dataclasses import dataclass, replace

import duckdb

from core.domain.data import Note, NoteKind
from core.ml.data.spellings import folded
from core.ml.data.sql_paths import literal

SPELLINGS_MAX = 1000
"""Levels of a column whose spellings are merged; more are free text."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation whose columns are called c0, c1, ..., with their real names, the SQL of their values, and types."""

    sql: str
    columns: tuple[tuple[str, str, str], ...]
    notes: tuple[Note, ...] = ()


def merged(connection: duckdb.DuckDBPyConnection, table: Relation) -> Relation:
    """The table with one spelling for categories that differ in nothing but the case of their letters."""
    columns, names = [], []
    for name, value, kind in table.columns:
        spelled = _spellings(connection, table.sql, value) if kind == "VARCHAR" else {}
        cases = " ".join(f"WHEN {literal(other)} THEN {literal(main)}" for other, main in spelled.items())
        columns.append((name, f"CASE {value} {cases} ELSE {value} END" if spelled else value, kind))
        names += [name] * bool(spelled)
    if not names:
        return table
    quoted = ", ".join(f"'{name}'" for name in names[:5])
    note = Note(NoteKind.MERGED, f"Spellings of the same word in {quoted} were merged, as requested", tuple(names))
    return replace(table, columns=tuple(columns), notes=(*table.notes, note))


def _spellings(connection: duckdb.DuckDBPyConnection, relation: str, value: str) -> dict[str, str]:
    """Each rarer spelling of a column's categories with the most frequent one; none where it holds free text."""
    counted = f"SELECT {value} AS v, count(*) AS n FROM {relation} GROUP BY v HAVING v IS NOT NULL"
    found = connection.execute(f"{counted} ORDER BY n DESC, v LIMIT {SPELLINGS_MAX + 1}").fetchall()
    if len(found) > SPELLINGS_MAX:
        return {}
    main: dict[str, str] = {}
    for word, _ in found:
        main.setdefault(folded(word), word)
    return {word: main[folded(word)] for word, _ in found if main[folded(word)] != word}
