"""The table that an address means, as one file on this machine."""

import csv
import hashlib
import os
import re
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from core.emulator import blobs
from core.emulator.assets.mltable import MLTable, parsed
from core.emulator.assets.uris import Location, located
from core.emulator.blobs import Blob
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError

MLTABLE = "MLTable"
BANK_MARKETING, BANK_MARKETING_FILE = "bank-marketing", "bankmarketing_train"
"""What the workspace calls that table, and how its file is called there."""
KNOWN_PLACE = re.compile(r"https://automlsamplenotebookdata\.blob\.core\.windows\.net/.+/([\w-]+)\.csv", re.IGNORECASE)
"""Where the tables of Microsoft's own examples lie; those that the workspace knows by name are taken from there."""

CSV_FILES = b"paths: [pattern: ./**]\ntransformations: [read_delimited: {delimiter: ',', encoding: utf8}]\n"
"""How a folder of CSV files is read that has no file MLTable: they have the same columns."""

csv.field_size_limit(1 << 30)


def open_data(emulation: Emulation, uri: str) -> Path:
    """A file with the table of an address: a data asset, an ARM id, a path of a datastore, a job's output, a URL.

    A folder with a file `MLTable` is read as that says. `str` of what is given can be registered: it may be the name of
    a table that the workspace knows, where Microsoft's examples name theirs. Raises AzureError 400 or 404.
    """
    if known := _known(emulation, uri):
        return known
    place = located(emulation, uri)
    found = place.blobs(emulation)
    if not found:
        raise AzureError(404, "UserError", f"There is no data at '{uri}'")
    if [blob.name for blob in found] == [place.name]:
        if PurePosixPath(place.name).name != MLTABLE:
            return place.path(emulation)
        place = place.below("..")
    definition = blobs.find(emulation, place.container, f"{place.name}/{MLTABLE}".lstrip("/"))
    if definition:
        content = blobs.read(emulation, definition.container, definition.name)
        return _table(emulation, place, parsed(content))
    if place.type == "mltable":
        raise AzureError(400, "UserError", f"There is no file MLTable at '{uri}'")
    if len(found) == 1:
        return _file(emulation, found[0])
    if not all(blob.name.lower().endswith(".csv") for blob in found):
        raise AzureError(400, "UserError", f"'{uri}' has {len(found)} files and no MLTable that says how to read them")
    return _rewritten(emulation, [_file(emulation, blob) for blob in found], parsed(CSV_FILES))


def parts(emulation: Emulation, uri: str) -> list[tuple[str, int]]:
    """The names of the files of a folder in the order in which `open_data` has their rows, each with its rows.

    Empty for whatever else an address means.
    """
    place = located(emulation, uri)
    found = place.blobs(emulation)
    names = [blob.name for blob in found]
    if len(found) < 2 or f"{place.name}/{MLTABLE}".lstrip("/") in names:
        return []
    table = parsed(CSV_FILES)
    return [
        (PurePosixPath(blob.name).name, sum(1 for _ in _rows([_file(emulation, blob)], table)) - 1) for blob in found
    ]


def _known(emulation: Emulation, uri: str) -> Path | None:
    """The name of a table that the workspace knows, for the address of it in Microsoft's examples."""
    match = KNOWN_PLACE.fullmatch(uri)
    if not match:
        return None
    name = BANK_MARKETING if match[1].lower() == BANK_MARKETING_FILE else match[1].lower()
    return Path(name) if name in {table.name.lower() for table in emulation.workspace.data.available()} else None


def _table(emulation: Emulation, place: Location, table: MLTable) -> Path:
    sources = [file for kind, where in table.paths for file in _files(emulation, place, kind, where)]
    if not sources:
        raise AzureError(404, "UserError", "The paths of the MLTable file lead to no file")
    if len(sources) == 1 and table.plain:
        return sources[0]
    if table.reader == "read_parquet":
        return _joined(emulation, sources, table)
    return _rewritten(emulation, sources, table)


def _files(emulation: Emulation, place: Location, kind: str, where: str) -> list[Path]:
    """The files of one path of an MLTable, by name."""
    if known := _known(emulation, where):
        return [known]
    if kind == "pattern":
        head = re.split(r"[*?]", where.replace("\\", "/"))[0]
        folder = head[: head.rfind("/") + 1]
        rest = where[len(folder) :]
        base = _target(emulation, place, folder)
        start = len(base.name) + 1 if base.name else 0
        found = [blob for blob in base.blobs(emulation) if _pattern(rest).fullmatch(blob.name[start:])]
        return [_file(emulation, blob) for blob in found]
    target = _target(emulation, place, where)
    found = [blob for blob in target.blobs(emulation) if PurePosixPath(blob.name).name != MLTABLE]
    if not found:
        raise AzureError(404, "UserError", f"The MLTable file names '{where}', which is not there")
    return [_file(emulation, blob) for blob in found]


def _target(emulation: Emulation, place: Location, where: str) -> Location:
    """Where a path of an MLTable leads: an address, or a place beside the file."""
    if re.match(r"[a-z]+://", where, re.IGNORECASE) or where.lower().startswith("azureml:"):
        return located(emulation, where)
    return place.below(where)


def _pattern(said: str) -> re.Pattern[str]:
    """`*` and `?` stay inside of a folder, `**` does not."""
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", said)
    return re.compile("".join(known.get(part, re.escape(part)) for part in parts), re.DOTALL)


def _file(emulation: Emulation, blob: Blob) -> Path:
    return blobs.folder(emulation) / blob.file


def _made(emulation: Emulation, sources: Iterable[Path], table: MLTable, ending: str) -> Path:
    """Where a table that is put together is kept: the same files read in the same way give the same."""
    said = hashlib.sha256(repr(table).encode())
    for path in sources:
        about = path.stat()
        said.update(f"{path}:{about.st_size}:{about.st_mtime_ns}".encode())
    folder = emulation.folder / "tables"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / f"{said.hexdigest()[:32]}{ending}"


def _rewritten(emulation: Emulation, sources: list[Path], table: MLTable) -> Path:
    """Delimited files as one with commas in UTF-8."""
    target = _made(emulation, sources, table, ".csv")
    if target.exists():
        return target
    draft = target.with_suffix(f".{uuid.uuid4().hex}")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(_chosen(_rows(sources, table), table))
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def _rows(sources: list[Path], table: MLTable) -> Iterator[list[str]]:
    """The names of the columns, and then all rows."""
    names: list[str] = []
    for path in sources:
        with path.open(encoding=table.codec, newline="") as file:
            try:
                for at, row in enumerate(line for line in csv.reader(file, delimiter=table.delimiter) if line):
                    heads = at == 0 and table.header != "no_header" and (not names or table.header != "from_first_file")
                    if not names:
                        names = row if heads else [f"Column{number + 1}" for number in range(len(row))]
                        yield names
                    if heads:
                        _check_names(names, row, path)
                    else:
                        yield row
            except (UnicodeDecodeError, csv.Error) as e:
                raise AzureError(400, "UserError", f"{path.name} cannot be read as the MLTable file says: {e}") from e


def _check_names(names: list[str], row: list[str], path: Path) -> None:
    if row != names:
        raise AzureError(400, "UserError", f"{path.name} has other columns than the first file of the MLTable")


def _chosen(rows: Iterator[list[str]], table: MLTable) -> Iterator[list[str]]:
    names = next(rows, [])
    keep = list(range(len(names)))
    first, last = 0, None
    for name, value in table.choices:
        if name in ("take", "skip"):
            first, last = _window(first, last, name, value)
        else:
            keep = [at for at in keep if (names[at] in _columns(names, value)) == (name == "keep_columns")]
    yield [names[at] for at in keep]
    for number, row in enumerate(rows):
        if last is not None and number >= last:
            return
        if number >= first:
            yield [row[at] if at < len(row) else "" for at in keep]


def _window(first: int, last: int | None, name: str, value: Any) -> tuple[int, int | None]:
    if not isinstance(value, int) or value < 0:
        raise AzureError(400, "UserError", f"The MLTable file's '{name}' takes a number of rows, not {value!r}")
    if name == "skip":
        return first + value, last
    end = first + value
    return first, end if last is None else min(last, end)


def _columns(names: list[str], value: Any) -> list[str]:
    wanted = [str(name) for name in value] if isinstance(value, list) else [str(value)]
    if missing := [name for name in wanted if name not in names]:
        raise AzureError(400, "UserError", f"The MLTable file names a column that is not there: {missing[0]}")
    return wanted


def _joined(emulation: Emulation, sources: list[Path], table: MLTable) -> Path:
    """Parquet files as one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = _made(emulation, sources, table, ".parquet")
    if target.exists():
        return target
    try:
        whole = pa.concat_tables([pq.read_table(path, partitioning=None) for path in sources])
    except (pa.ArrowInvalid, OSError) as e:
        raise AzureError(400, "UserError", f"The Parquet files cannot be read as one table: {e}") from e
    for name, value in table.choices:
        if name in ("take", "skip"):
            first, last = _window(0, None, name, value)
            whole = whole.slice(first, last)
        else:
            wanted = _columns(whole.column_names, value)
            whole = whole.select(wanted) if name == "keep_columns" else whole.drop_columns(wanted)
    draft = target.with_suffix(f".{os.getpid()}-{uuid.uuid4().hex}")
    pq.write_table(whole, draft)
    draft.replace(target)
    return target
