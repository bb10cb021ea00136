"""Any supported file -> Parquet with four types only: BIGINT, DOUBLE, BOOLEAN, VARCHAR."""

# ruff: noqa: S608  # the SQL is made of our own names c0, c1, ... and of names and literals quoted here

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from core.domain.errors import SourceUnreadable, TableUnusable
from core.ml.bank_twin import write_twin
from core.sources.dialect import dialect_of, refuse_duplicates
from core.sources.files import HINT, copy_bytes, copy_text, full, opened, put_in_place, storage_errors
from core.sources.find import Source

MISSING = ("", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none", "?", "inf", "-inf", "infinity", "-infinity")
"""Words for a missing cell in a column that otherwise holds numbers or booleans; among text they stay text."""
INTEGER = "-?(0|[1-9][0-9]*)"
NUMBER = r"-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
"""No leading zeros: 00712 is a code, and stays text."""

STORED = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"), "BIGINT"),
    **dict.fromkeys(("FLOAT", "DOUBLE", "UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM"), "DOUBLE"),
    "BOOLEAN": "BOOLEAN",
}
"""Whatever is not here, dates too, becomes text; DECIMAL(p,s) becomes DOUBLE."""
BATCH_COLUMNS = 200
"""Columns whose types are found in one pass."""
GROUP_CELLS = 2_500_000
"""Of a Parquet row group, held in memory until it is full; DuckDB's 122,880 rows up to 20 columns."""
MEMORY_LIMIT = "1GB"


@dataclass(frozen=True, slots=True)
class Ingested:
    """What was written: `sha256` is of the unpacked source bytes, `size_bytes` of the Parquet file."""

    rows: int
    columns: tuple[str, ...]
    sha256: str
    size_bytes: int


def ingest(source: Source, parquet: Path) -> Ingested:
    """Write `source` to `parquet`, in its own row order; the file is there whole or not at all.

    Empty cells are missing. Text that reads true and false is boolean, yes and no stay text, as do dates.
    Raises SourceUnreadable (cannot be read, is not a table), TableUnusable (no rows, duplicate column names),
    StorageFull.
    """
    what = f"'{source.path}'" if source.path else f"The {source.origin}"
    with storage_errors(parquet):
        parquet.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=parquet.parent, prefix=".ingest-") as folder, _connect(Path(folder)) as connection:
            with _table_errors(what, parquet):
                table, sha256 = _read(source, what, Path(folder), connection)
                rows = _write(connection, table, Path(folder) / "table.parquet")
            if not rows:
                raise TableUnusable(f"{what} has columns but no rows", hint="Give a table with at least one row")
            put_in_place(Path(folder) / "table.parquet", parquet)
    return Ingested(rows, tuple(name for name, _ in table.columns), sha256, parquet.stat().st_size)


@dataclass(frozen=True, slots=True)
class _Table:
    """A relation whose columns are called c0, c1, ..., with their real names and the SQL of their values."""

    relation: str
    columns: tuple[tuple[str, str], ...]


def _connect(folder: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(folder / "spill"),
        }
    )


def _read(source: Source, what: str, folder: Path, connection: duckdb.DuckDBPyConnection) -> tuple[_Table, str]:
    """The table, from a copy that nobody changes meanwhile, and the SHA-256 of the source."""
    path, copy = source.path, folder / "copy"
    if path is None:
        path = folder / "twin.csv"
        write_twin(path, seed=source.seed)
    with opened(path) as stream:
        start = stream.read(64).lstrip()
    if start.startswith(b"PAR1"):
        sha256 = copy_bytes(path, copy)
        return _typed(connection, f"read_parquet({_pattern(copy)})", _parquet_names(connection, copy), what), sha256
    if re.match(rb"\[?\s*\{", start):
        sha256 = copy_bytes(path, copy)
        return _typed(connection, f"read_json({_pattern(copy)}, sample_size = -1)", (), what), sha256
    sha256 = copy_text(path, copy)
    return _text_table(connection, copy, what), sha256


def _write(connection: duckdb.DuckDBPyConnection, table: _Table, part: Path) -> int:
    values = ", ".join(f'{value} AS "{name.replace(chr(34), chr(34) * 2)}"' for name, value in table.columns)
    group = max(2_048, min(122_880, GROUP_CELLS // len(table.columns)))
    written = connection.execute(
        f"COPY (SELECT {values} FROM {table.relation}) TO {_literal(str(part))} "
        f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {group})"
    ).fetchone()
    return int(written[0]) if written else 0


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _pattern(path: Path) -> str:
    """A path to read, for SQL: DuckDB takes it for a pattern, and our own folder may be called anything."""
    return _literal("".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path)))


def _typed(connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str], what: str) -> _Table:
    """A table whose file knows its types."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    names = names or [str(name) for name, *_ in described]
    refuse_duplicates(names, what)
    aliases = ", ".join(f"c{i}" for i in range(len(described)))
    columns = tuple((name, _stored(f"c{i}", str(described[i][1]))) for i, name in enumerate(names))
    return _Table(f"{relation} AS t({aliases})", columns)


def _stored(cell: str, sql_type: str) -> str:
    kind = "DOUBLE" if sql_type.startswith("DECIMAL") else STORED.get(sql_type, "VARCHAR")
    if kind == "DOUBLE":
        return f"CASE WHEN isfinite({cell}::DOUBLE) THEN {cell}::DOUBLE END"
    return f"nullif({cell}::VARCHAR, '')" if kind == "VARCHAR" else f"{cell}::{kind}"


def _parquet_names(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """The top-level names as they are written; reading the table would rename duplicates."""
    names: list[str] = []
    nested = 0
    schema = f"SELECT name, coalesce(num_children, 0) FROM parquet_schema({_pattern(path)})"
    for name, children in connection.execute(schema).fetchall()[1:]:  # the first is the root
        if not nested:
            names.append(str(name))
        nested += int(children) - (1 if nested else 0)
    return names


def _text_table(connection: duckdb.DuckDBPyConnection, copy: Path, what: str) -> _Table:
    """A CSV or TSV table, its types found over all of its rows."""
    dialect = dialect_of(copy, what)
    cells = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(dialect.names)))
    relation = (
        f"read_csv({_pattern(copy)}, columns = {{{cells}}}, auto_detect = false, delim = '{dialect.delimiter}', "
        f"quote = '\"', escape = '\"', header = {dialect.header}, skip = {dialect.skip}, nullstr = '')"
    )
    kinds: dict[int, str] = {}
    for i in range(0, len(dialect.names), BATCH_COLUMNS):
        kinds |= _text_kinds(connection, relation, range(i, min(i + BATCH_COLUMNS, len(dialect.names))))
    return _Table(
        relation, tuple((name, _text_value(f"c{i}", kinds.get(i, ""))) for i, name in enumerate(dialect.names))
    )


def _text_kinds(connection: duckdb.DuckDBPyConnection, relation: str, columns: range) -> dict[int, str]:
    """What all cells of a column are, for each that has any: BIGINT, DOUBLE, BOOLEAN or VARCHAR."""
    missing = ", ".join(f"'{word}'" for word in MISSING)
    # Stacked, all columns share five expressions; five for each of 1,000 columns take seconds to plan.
    stacked = f"unnest({list(columns)}) AS i, trim(unnest([{', '.join(f'c{i}' for i in columns)}])) AS cell"
    return dict(
        connection.execute(
            f"SELECT i, CASE "
            f"WHEN bool_and(regexp_full_match(cell, '{INTEGER}')) AND count(try_cast(cell AS BIGINT)) = count(*) "
            f"THEN 'BIGINT' "
            f"WHEN bool_and(regexp_full_match(cell, '{NUMBER}')) THEN 'DOUBLE' "
            f"WHEN bool_and(lower(cell) IN ('true', 'false')) THEN 'BOOLEAN' "
            f"ELSE 'VARCHAR' END "
            f"FROM (SELECT {stacked} FROM {relation}) WHERE lower(cell) NOT IN ({missing}) GROUP BY i"
        ).fetchall()
    )


def _text_value(cell: str, kind: str) -> str:
    """The SQL that turns a cell's text into a value of its column's kind."""
    if kind == "DOUBLE":
        return _stored(f"try_cast(trim({cell}) AS DOUBLE)", kind)
    if kind in ("BIGINT", "BOOLEAN"):
        return f"try_cast(trim({cell}) AS {kind})"
    return f"CASE WHEN trim({cell}) <> '' THEN {cell} END"


@contextmanager
def _table_errors(what: str, parquet: Path) -> Iterator[None]:
    """What DuckDB refuses, in our words: its advice is about its own options, and it echoes whole rows."""
    try:
        yield
    except duckdb.Error as e:
        text = str(e)
        if re.search("No space left|File too large|quota exceeded", text, re.IGNORECASE):
            raise full(parquet) from e
        if ragged := re.search(r"Line: (\d+)[\s\S]*Expected Number of Columns: (\d+) Found: (\d+)", text):
            line, expected, found = ragged.groups()
            message = f"{what}, line {line}: found {found} cell(s), expected {expected} as in the header"
        elif line_found := re.search(r"Line: (\d+)", text):
            quote = "a quote is not closed" if "unterminated quote" in text else "the line cannot be read"
            message = f"{what}, line {line_found[1]}: {quote}"
        else:
            message = f"{what} cannot be read as a table: {text.splitlines()[0][:200]}"
        raise SourceUnreadable(message, hint=HINT) from e
