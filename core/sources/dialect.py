"""How a text table is written: its delimiter, whether it has a header, its column names."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from core.domain.errors import SourceUnreadable, TableUnusable

DELIMITERS = (",", ";", "\t", "|")
LOOK_ROWS = 50
"""Records from which delimiter and header are told; ragged ones further down are found when all is read."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """`skip` lines come before the header, or before the first row where there is none."""

    delimiter: str
    header: bool
    names: tuple[str, ...]
    skip: int


def dialect_of(text: Path, what: str) -> Dialect:
    """The dialect of a UTF-8 text table with plain line ends. Raises TableUnusable, SourceUnreadable."""
    skip = _blank_lines(text)
    looks = {delimiter: found for delimiter in DELIMITERS if (found := _records(text, delimiter, skip))}
    if not looks:
        if text.stat().st_size > skip:
            raise SourceUnreadable(f"{what} is not a table: no delimiter splits it", hint="Is it CSV or TSV?")
        raise TableUnusable(f"{what} is empty: no header and no rows", hint="Give a table with at least one row")
    delimiter = max(looks, key=lambda d: _fit(looks[d]))  # the comma in a draw
    first, *body = looks[delimiter]
    header = _is_header(first, body)
    names = tuple((name.strip() if header else "") or f"column{i}" for i, name in enumerate(first))
    refuse_duplicates(names, what)
    return Dialect(delimiter, header, names, skip)


def refuse_duplicates(names: Sequence[str], what: str) -> None:
    """Raise TableUnusable for names that are the same, or the same but for the case of their letters."""
    same = [name for name, count in Counter(names).items() if count > 1]
    if same:
        where = "; ".join(f"'{n}' is column {_places(names, n)}" for n in same[:5])
        raise TableUnusable(f"{what} has duplicate column names: {where}", hint="Give every column a name of its own")
    folded = Counter(name.casefold() for name in names)
    alike = [name for name in names if folded[name.casefold()] > 1]
    if alike:
        quoted = ", ".join(f"'{name}'" for name in alike[:6])
        raise TableUnusable(
            f"{what} has duplicate column names but for the case of their letters: {quoted}",
            hint="Rename them so that they differ in more than case",
        )


def _places(names: Sequence[str], name: str) -> str:
    return " and ".join(str(i) for i, other in enumerate(names, 1) if other == name)


def _blank_lines(text: Path) -> int:
    with text.open(encoding="utf-8", newline="") as lines:
        for number, line in enumerate(lines):
            if line.strip():
                return number
    return text.stat().st_size


def _records(text: Path, delimiter: str, skip: int) -> list[list[str]]:
    """The first records as this delimiter splits them; none where Python's reader refuses (a cell over 128 kB)."""
    with text.open(encoding="utf-8", newline="") as lines:
        try:
            records = csv.reader(islice(lines, skip, None), delimiter=delimiter)
            return list(islice((record for record in records if record), LOOK_ROWS))
        except csv.Error:
            return []


def _fit(records: Sequence[Sequence[str]]) -> tuple[bool, int, bool]:
    """More is better: as many cells in every record as in the first, several of them, then the more the better."""
    width = len(records[0])
    even = all(len(record) == width for record in records)
    return even and width > 1, width, even


def _is_header(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """A first record of names: not one whose numbers stand over numbers, with no text over numbers beside them."""
    over_numbers = [
        _number(cell)
        for i, cell in enumerate(first)
        if (below := [row[i] for row in body if i < len(row) and row[i].strip()]) and all(map(_number, below))
    ]
    return not over_numbers or not all(over_numbers)


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
