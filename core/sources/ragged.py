"""Rows of another width than their header: what tables by hand, by programs and with footers have."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from core.domain.counting import counted
from core.domain.data import Note, NoteKind
from core.sources.dialect import COMMENT, Dialect

LONG_SHARE_MAX = 0.01
"""Of the rows: so many may be left out since a delimiter too many stands in them."""
SHORT_SHARE_MAX = 0.5
"""More rows that are too short, and it is the header that is wrong."""
FOOTER_LINES = 5
SHOWN = 3


@dataclass
class Widths:
    """How many rows there are, and the lines of those that have another width than the header."""

    rows: int = 0
    short: list[int] = field(default_factory=list)
    long: list[int] = field(default_factory=list)
    remarks: list[int] = field(default_factory=list)
    """Comments among the rows, and the words below the last of them."""

    @property
    def bearable(self) -> bool:
        return len(self.short) < SHORT_SHARE_MAX * self.rows and len(self.long) <= LONG_SHARE_MAX * self.rows


def evened(text: Path, target: Path, dialect: Dialect) -> list[Note] | None:
    """Write the table of `text` to `target` with as many cells in every row; what was done to it.

    None where that would be a guess: too many rows are of another width, or quotes are not as they should be.
    """
    found = Widths()
    try:
        with target.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, delimiter=dialect.delimiter, lineterminator="\n")
            if dialect.header:
                writer.writerow(dialect.names)
            writer.writerows(_rows(text, dialect, found))
    except csv.Error:
        return None
    return _said(found, len(dialect.names)) if found.bearable else None


def _rows(text: Path, dialect: Dialect, found: Widths) -> Iterator[list[str]]:
    """The rows, filled up to the header's width; those that cannot be are counted in `found`."""
    width = len(dialect.names)
    waiting: list[tuple[int, list[str]]] = []  # remarks, if no more rows come
    for line, record in _records(text, dialect):
        if len(record) == 1 < width and COMMENT.match(record[0]):
            found.remarks.append(line)
        elif len(record) > width:
            found.rows += 1
            found.long.append(line)
        elif len(record) < width and _remark(record, width) and len(waiting) < FOOTER_LINES:
            waiting.append((line, record))
        else:
            waiting.append((line, record))
            yield from _filled(waiting, width, found)
            waiting.clear()
    found.remarks += [line for line, _ in waiting]


def _records(text: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Records that are not blank, without blank cells too many, each with the number of its last line."""
    with text.open(encoding="utf-8", newline="") as lines:
        some = islice(lines, dialect.skip, None)
        blanks = dialect.delimiter not in " \t"
        reader = csv.reader(some, delimiter=dialect.delimiter, skipinitialspace=blanks, strict=True)
        for record in islice(reader, 1 if dialect.header else 0, None):
            if record and (len(record) > 1 or record[0].strip()):
                over = any(cell.strip() for cell in record[len(dialect.names) :])
                yield dialect.skip + reader.line_num, record if over else record[: len(dialect.names)]


def _remark(record: Sequence[str], width: int) -> bool:
    """Whether a short row may be words below the table, as in `(120 rows)`."""
    return len(record) == 1 and width > 2


def _filled(rows: Sequence[tuple[int, list[str]]], width: int, found: Widths) -> Iterator[list[str]]:
    for line, record in rows:
        found.rows += 1
        if len(record) < width:
            found.short.append(line)
        yield [*record, *[""] * (width - len(record))]


def _said(found: Widths, width: int) -> list[Note]:
    kinds = (
        (found.short, f"have fewer cells than the header's {width}; the missing ones are empty"),
        (found.long, f"have more cells than the header's {width} and were left out"),
        (found.remarks, "are not part of the table and were left out"),
    )
    return [Note(NoteKind.RAGGED, f"{_lines(lines)} {what}") for lines, what in kinds if lines]


def _lines(lines: Sequence[int]) -> str:
    shown = ", ".join(str(line) for line in lines[:SHOWN]) + (", ..." if len(lines) > SHOWN else "")
    return f"{counted(len(lines), 'line')} ({shown})"
