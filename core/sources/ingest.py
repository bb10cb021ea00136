"""Any supported file -> Parquet with four types only: BIGINT, DOUBLE, BOOLEAN, VARCHAR."""

# ruff: noqa: S608  # the SQL is made of our own names c0, c1, ... and of names and literals quoted here

import hashlib
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from core.domain.counting import counted
from core.domain.data import AS_FOUND, Note, NoteKind, Reading
from core.domain.errors import SourceUnreadable, TableUnusable
from core.ml.bank_twin import write_twin
from core.ml.data.sql_paths import AS_IT_STANDS, literal, only
from core.sources.dialect import Dialect, dialect_of, refuse_duplicates
from core.sources.files import (
    CHUNK,
    HINT,
    CopiedText,
    check_unpacked,
    copy_bytes,
    copy_text,
    full,
    opened,
    put_in_place,
    storage_errors,
)
from core.sources.find import Source
from core.sources.ragged import evened
from core.sources.relation import Relation, merged
from core.sources.text_table import TextTable

STORED = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"), "BIGINT"),
    **dict.fromkeys(("FLOAT", "DOUBLE", "UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM"), "DOUBLE"),
    "BOOLEAN": "BOOLEAN",
}
"""Whatever is not here, dates too, becomes text; DECIMAL(p,s) becomes DOUBLE."""
GROUP_CELLS = 2_500_000
"""Of a Parquet row group, held in memory until it is full; DuckDB's 122,880 rows up to 20 columns."""
MEMORY_LIMIT = "1GB"
LINE_MAX_BYTES = 32_000_000
"""DuckDB's own limit, 2 MB, is less than a row of long texts may have."""
NO_DATES = "dateformat = '~%Y', timestampformat = '~%Y'"
"""Formats that nothing has: dates in JSON stay the text that clients will send."""
NO_TABLES = {
    r"\s*<(!doctype|html|\?xml|!--|table|meta|style)": "a web page or XML, not a table",
    r"\s*\[\s*[\[\]]": "JSON, but a list of lists where records are needed",
}
"""What a text begins with that is no table; a page is what a download gives to whoever must log in first."""
WIDE = 200
"""Columns from which on a table is planned with care: DuckDB compares all expressions of a query with each other."""
RAGGED = re.compile(r"Line: (\d+)[\s\S]*Expected Number of Columns: (\d+) Found: (\d+)")


@dataclass(frozen=True, slots=True)
class Ingested:
    """What was written: `sha256` is of the unpacked source bytes, `size_bytes` of the Parquet file."""

    rows: int
    columns: tuple[str, ...]
    sha256: str
    size_bytes: int
    notes: tuple[Note, ...] = ()
    """What was done to the table on the way, beyond what everybody expects."""


def sha256(source: Source) -> str:
    """What `ingest` would say of the unpacked bytes, which are not read as a table; empty for the twin.

    Raises SourceUnreadable.
    """
    if source.path is None:
        return ""  # the twin, which is made and not read
    with opened(source.path, source.origin) as stream:
        digest = hashlib.sha256()
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
        return digest.hexdigest()


def ingest(
    source: Source, parquet: Path, reading: Reading = AS_FOUND, texts: Collection[str] = frozenset()
) -> Ingested:
    """Write `source` to `parquet`, in its own row order; the file is there whole or not at all.

    Empty cells are missing. Text that reads true and false is boolean, yes and no stay text, as do dates. Numbers
    are found in whatever way people write them; text is trimmed. All that was done is told in `notes`.
    Columns of a text table that `texts` names are text whatever they hold.
    Raises SourceUnreadable (cannot be read, is not a table), TableUnusable (no rows, duplicate column names),
    StorageFull; PayloadTooLarge for one that unpacks to more than the source may.
    """
    what = f"'{source.origin}'" if source.path else f"The {source.origin}"
    with storage_errors(parquet):
        parquet.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=parquet.parent, prefix=".ingest-") as folder, _connect(Path(folder)) as connection:
            with _table_errors(what, Path(folder)):
                table, sha256 = _read(source, what, Path(folder), connection, reading, texts)
                if reading.merge_spellings:
                    table = merged(connection, table)
                rows = _write(connection, table, Path(folder) / "table.parquet")
            if not rows:
                raise TableUnusable(f"{what} has columns but no rows", hint="Give a table with at least one row")
            put_in_place(Path(folder) / "table.parquet", parquet)
    names = tuple(name for name, *_ in table.columns)
    return Ingested(rows, names, sha256, parquet.stat().st_size, table.notes)


def _connect(folder: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(folder / "spill"),
        }
    )
    connection.execute("SET TimeZone = 'UTC'")  # the same file is the same table on every machine
    return connection


def _read(
    source: Source,
    what: str,
    folder: Path,
    connection: duckdb.DuckDBPyConnection,
    reading: Reading,
    texts: Collection[str],
) -> tuple[Relation, str]:
    """The table, from a copy that nobody changes meanwhile, and the SHA-256 of the source."""
    path, copy = source.path, folder / "copy"
    if path is None:
        path = folder / "twin.csv"
        write_twin(path, seed=source.seed)
    with opened(path, what) as stream:
        start = stream.read(64)
    if start.startswith(b"PAR1"):
        sha256 = copy_bytes(path, copy, what, source.unpacked_max_bytes)
        check_unpacked(_parquet_bytes(connection, copy), source.unpacked_max_bytes, what)
        relation = f"read_parquet({only(copy)}, {AS_IT_STANDS})"
        return _typed(connection, relation, _parquet_names(connection, copy), what), sha256
    text = copy_text(path, copy, what, source.unpacked_max_bytes)
    with copy.open(encoding="utf-8") as opening:
        head = opening.read(256)
    for pattern, kind in NO_TABLES.items():
        if re.match(pattern, head, re.IGNORECASE):
            raise SourceUnreadable(f"{what} is {kind}", hint=HINT)
    is_json = re.match(r"\s*(\[\s*)?\{", head)
    table = _json_table(connection, copy, what) if is_json else _text_table(connection, copy, what, reading, texts)
    return replace(table, notes=(*_encoding_said(text), *table.notes)), text.sha256


def _encoding_said(text: CopiedText) -> list[Note]:
    if text.encoding != "cp1252":
        return []
    lost = f"; {text.lost:,} characters could not be read" if text.lost else ""
    return [Note(NoteKind.ENCODING, f"The text is not UTF-8 and was read as Windows-1252 (Latin-1){lost}")]


def _end(text: Path) -> str:
    """The last sign of a text that is no blank."""
    with text.open("rb") as file:
        file.seek(max(0, text.stat().st_size - 4096))
        return file.read().decode(errors="replace").strip()[-1:] or " "


def _json_table(connection: duckdb.DuckDBPyConnection, copy: Path, what: str) -> Relation:
    """JSON lines, or an array of records. Raises SourceUnreadable for one object that holds the table in a piece."""
    if _end(copy) not in "]}":  # DuckDB takes what a cut leaves of an array
        raise SourceUnreadable(f"{what} is JSON that ends abruptly", hint="Copy or download it again")
    options = f"{AS_IT_STANDS}, sample_size = -1, {NO_DATES}, maximum_object_size = {LINE_MAX_BYTES}"
    relation = f"read_json({only(copy)}, {options})"
    kinds = [str(kind) for _, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()]
    if all(kind.startswith(("STRUCT", "MAP", "JSON")) or kind.endswith("[]") for kind in kinds):
        raise SourceUnreadable(
            f"{what} holds one object with other objects or lists in it, not records",
            hint='Write one record per row, as in [{"age": 31, "y": "no"}, ...] (pandas: orient="records")',
        )
    return _typed(connection, relation, (), what)


def _write(connection: duckdb.DuckDBPyConnection, table: Relation, part: Path) -> int:
    values = ", ".join(f'{value} AS "{name.replace(chr(34), chr(34) * 2)}"' for name, value, _ in table.columns)
    group = max(2_048, min(122_880, GROUP_CELLS // len(table.columns)))
    if len(table.columns) > WIDE:
        connection.execute("SET disabled_optimizers = 'common_subexpressions'")  # 30 s of planning for 5,000 columns
    written = connection.execute(
        f"COPY (SELECT {values} FROM {table.sql}) TO {literal(str(part))} "
        f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {group})"
    ).fetchone()
    return int(written[0]) if written else 0


def _typed(connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str], what: str) -> Relation:
    """A table whose file knows its types."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    names = names or [str(name) for name, *_ in described]
    refuse_duplicates(names, what)
    aliases = ", ".join(f"c{i}" for i in range(len(described)))
    kinds = [_kind(str(sql_type)) for _, sql_type, *_ in described]
    columns = tuple((name, _stored(f"c{i}", kinds[i]), kinds[i]) for i, name in enumerate(names))
    return Relation(f"{relation} AS t({aliases})", columns)


def _kind(sql_type: str) -> str:
    return "DOUBLE" if sql_type.startswith("DECIMAL") else STORED.get(sql_type, "VARCHAR")


def _stored(cell: str, kind: str) -> str:
    if kind == "DOUBLE":
        return f"CASE WHEN isfinite({cell}::DOUBLE) THEN {cell}::DOUBLE END"
    return f"nullif({cell}::VARCHAR, '')" if kind == "VARCHAR" else f"{cell}::{kind}"


def _parquet_names(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """The top-level names as they are written; reading the table would rename duplicates."""
    names: list[str] = []
    nested = 0
    schema = f"SELECT name, coalesce(num_children, 0) FROM parquet_schema({only(path)})"
    for name, children in connection.execute(schema).fetchall()[1:]:  # the first is the root
        if not nested:
            names.append(str(name))
        nested += int(children) - (1 if nested else 0)
    return names


def _parquet_bytes(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """How large the table would be as text, at least: a few bytes of Parquet can stand for a thousand million rows."""
    query = f"SELECT num_rows FROM parquet_file_metadata({only(path)})"
    rows = int(connection.execute(query).fetchall()[0][0])
    return 2 * rows * len(_parquet_names(connection, path))


def _text_table(
    connection: duckdb.DuckDBPyConnection, copy: Path, what: str, reading: Reading, texts: Collection[str]
) -> Relation:
    """A CSV or TSV table, its types found over all of its rows."""
    dialect = dialect_of(copy, what, reading)
    skip = 0 if _without(copy, dialect.skip) else dialect.skip
    cells = _Cells(connection, what, reading, texts)
    try:
        return cells.table(copy, dialect, skip)
    except duckdb.Error as e:
        even = copy.with_suffix(".even")
        said = evened(copy, even, replace(dialect, skip=skip)) if RAGGED.search(str(e)) else None
        if said is None:
            raise
        return cells.table(even, replace(dialect, notes=(*dialect.notes, *said)), 0)


@dataclass(frozen=True, slots=True)
class _Cells:
    """What decides how the cells of a text become values."""

    connection: duckdb.DuckDBPyConnection
    what: str
    reading: Reading
    texts: Collection[str]

    def table(self, text: Path, dialect: Dialect, skip: int) -> Relation:
        """The table behind the first `skip` lines. Raises duckdb.Error for rows of another width."""
        cells = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(dialect.names)))
        relation = (
            f"read_csv({only(text)}, {AS_IT_STANDS}, columns = {{{cells}}}, auto_detect = false, "
            f"delim = {literal(dialect.delimiter)}, quote = '\"', escape = '\"', header = {dialect.header}, "
            f"skip = {skip}, nullstr = '', max_line_size = {LINE_MAX_BYTES})"
        )
        names = dialect.names
        if dialect.trailing:
            names = names[:-1]
            _refuse_filled(self.connection, f"SELECT count(c{len(names)}) FROM {relation}", len(names), self.what)
        if kept := len(names) > WIDE:
            relation = _by_columns(self.connection, relation, text.with_suffix(".columns"))
        table = TextTable(self.connection, relation, names, dialect.delimiter, self.reading, self.texts, kept)
        columns = tuple(table.values())
        return Relation(relation, columns, (*dialect.notes, *table.notes))


def _by_columns(connection: duckdb.DuckDBPyConnection, relation: str, parquet: Path) -> str:
    """The same cells of text, kept so that a few columns can be read without all others; the relation of it."""
    connection.execute(
        f"COPY (SELECT * FROM {relation}) TO {literal(str(parquet))} (FORMAT parquet, ROW_GROUP_SIZE 2048)"
    ).fetchall()
    connection.execute("SET parquet_metadata_cache = true")
    return f"read_parquet({only(parquet)}, {AS_IT_STANDS})"


def _without(copy: Path, lines: int) -> bool:
    """Take lines before the table off the copy where DuckDB cannot skip them: a quote in them opens a cell for it."""
    with copy.open(encoding="utf-8", newline="") as source:
        if '"' not in "".join(islice(source, lines)):
            return False
        rest = copy.with_suffix(".rest")
        with rest.open("w", encoding="utf-8", newline="") as out:
            shutil.copyfileobj(source, out, CHUNK)
    rest.replace(copy)
    return True


def _refuse_filled(connection: duckdb.DuckDBPyConnection, query: str, columns: int, what: str) -> None:
    """Raise SourceUnreadable where the cell behind the last column is not empty in every row after all."""
    if filled := connection.execute(query).fetchall()[0][0]:
        raise SourceUnreadable(
            f"{what}: {counted(filled, 'row')} with {columns + 1} filled cells, expected {columns} as in the header",
            hint=HINT,
        )


@contextmanager
def _table_errors(what: str, folder: Path) -> Iterator[None]:
    """What DuckDB refuses, in our words: its advice is about its own options, and it echoes whole rows and `folder`."""
    try:
        yield
    except duckdb.Error as e:
        text = str(e)
        if re.search("No space left|File too large|quota exceeded", text, re.IGNORECASE):
            raise full("the table") from e
        if ragged := RAGGED.search(text):
            line, expected, found = ragged.groups()
            message = f"{what}, line {line}: found {counted(int(found), 'cell')}, expected {expected} as in the header"
        elif line_found := re.search(r"Line: (\d+)", text):
            quote = "a quote is not closed" if "unterminated quote" in text else "the line cannot be read"
            message = f"{what}, line {line_found[1]}: {quote}"
        else:
            said = re.sub(rf"['\"]?{re.escape(str(folder))}[^\s'\",:;]*['\"]?", "the file", text.splitlines()[0])
            message = f"{what} cannot be read as a table: {said[:200]}"
        raise SourceUnreadable(message, hint=HINT) from e
