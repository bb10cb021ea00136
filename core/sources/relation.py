"""A table under way from its source to Parquet, as DuckDB sees it."""

# ruff: noqa: S608  # the SQL is made of our own names c0, c1, ... and of literals quoted here

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from core.domain.data import Note, NoteKind
from core.ml.data.spellings import folded
from core.ml.data.sql_paths import literal

BATCH_COLUMNS = 200
"""Columns that are looked at in one pass."""
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
    texts = {i: value for i, (_, value, kind) in enumerate(table.columns) if kind == "VARCHAR"}
    spelled = {i: others for i, others in _spellings(connection, table.sql, texts).items() if others}
    if not spelled:
        return table
    columns = list(table.columns)
    for i, others in spelled.items():
        name, value, kind = columns[i]
        cases = " ".join(f"WHEN {literal(other)} THEN {literal(main)}" for other, main in others.items())
        columns[i] = (name, f"CASE {value} {cases} ELSE {value} END", kind)
    names = [columns[i][0] for i in spelled]
    quoted = ", ".join(f"'{name}'" for name in names[:5])
    note = Note(NoteKind.MERGED, f"Spellings of the same word in {quoted} were merged, as requested", tuple(names))
    return replace(table, columns=tuple(columns), notes=(*table.notes, note))


def _spellings(
    connection: duckdb.DuckDBPyConnection, relation: str, values: Mapping[int, str]
) -> dict[int, dict[str, str]]:
    """Of each column each rarer spelling of a category with the most frequent one; none where it holds free text."""
    found: dict[int, dict[str, str]] = {}
    for batch in batches(list(values)):
        cells = f"unnest({batch}) AS i, unnest([{', '.join(values[i] for i in batch)}]) AS v"
        counted = f"SELECT i, v, -count(*) AS n FROM (SELECT {cells} FROM {relation}) WHERE v IS NOT NULL GROUP BY i, v"
        most = f"SELECT i, min({{'n': n, 'v': v}}, {SPELLINGS_MAX + 1}) FROM ({counted}) GROUP BY i ORDER BY i"
        for i, words in connection.execute(most).fetchall():
            found[i] = {} if len(words) > SPELLINGS_MAX else _rarer([word["v"] for word in words])
    return found


def _rarer(words: Sequence[str]) -> dict[str, str]:
    """Each spelling, commonest first, that has a commoner one, with that."""
    main: dict[str, str] = {}
    for word in words:
        main.setdefault(folded(word), word)
    return {word: main[folded(word)] for word in words if main[folded(word)] != word}


def batches(columns: Sequence[int]) -> Iterator[Sequence[int]]:
    """As many columns at a time as a query looks at; each by itself would be planned over all of them again."""
    for start in range(0, len(columns), BATCH_COLUMNS):
        yield columns[start : start + BATCH_COLUMNS]
