"""How a text table is written: what stands between its cells, where it begins, its column names."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from core.domain.data import Note, NoteKind, Reading
from core.domain.errors import SourceUnreadable, TableUnusable
from core.sources.files import HINT
from core.sources.header import Verdict, judge, names_columns
from core.sources.numbers import TRIMMED, looks_like_number

DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}
LOOK_ROWS = 200
"""Records from which delimiter and header are told; ragged ones further down are found when all is read."""
FIT_ROWS = 50
LOOK_CELLS, LOOK_ROWS_MIN = 100_000, 20
"""The more columns there are, the fewer rows tell what is a number and what a name."""
LOOK_LINES = 2_000
"""A quote that is never closed would make the rest of the file one cell."""
BEFORE_MAX = 20
"""Lines before a header that may have its width."""
COMMENT = re.compile(r"\s*(#|//|%|--|!)")
SEP_LINE = re.compile(r'"?sep=([^\w"\r\n])"?[,;\t]*', re.IGNORECASE)
"""The first line by which spreadsheet programs tell each other the delimiter."""
CELL_CHARS_MAX = 16_000_000

# A limit of the whole process, 131,072 by default: a cell of text may be longer.
csv.field_size_limit(CELL_CHARS_MAX)


@dataclass(frozen=True, slots=True)
class Dialect:
    """`skip` lines come before the header, or before the first row where there is none."""

    delimiter: str
    header: bool
    names: tuple[str, ...]
    skip: int
    notes: tuple[Note, ...] = ()
    trailing: bool = False
    """Every row, but not the header, ends in one more delimiter: the last of `names` is no column."""


@dataclass(frozen=True, slots=True)
class _Look:
    """The first records as one delimiter splits them: those before the table, then the table's own."""

    before: tuple[list[str], ...]
    records: tuple[list[str], ...]
    line: int
    """Lines of the file before the table's first record."""
    even: bool
    """Whether the table's records have the same number of cells (a trailing delimiter or row numbers aside)."""
    extra: str = ""
    """"trailing" or "index" where rows have one more cell than the header."""

    @property
    def width(self) -> int:
        return len(self.records[0])

    @property
    def rows(self) -> tuple[list[str], ...]:
        """Those by which the first is judged."""
        return self.records[1 : 1 + max(LOOK_ROWS_MIN, LOOK_CELLS // self.width)]

    @property
    def fit(self) -> tuple[bool, float, int, bool]:
        """More is better: several cells in every record, of which more are numbers, and the more the better."""
        good = self.even and self.width > 1
        cells = [cell for record in self.rows[: FIT_ROWS - 1] for cell in record if cell.strip()]
        numbers = sum(map(looks_like_number, cells)) / max(1, len(cells)) if good else 0.0
        return good, round(numbers, 1), self.width, self.even


def dialect_of(text: Path, what: str, reading: Reading) -> Dialect:
    """The dialect of a UTF-8 text table with plain line ends. Raises TableUnusable, SourceUnreadable."""
    skip = _blank_lines(text, 0)
    notes: list[Note] = []
    delimiters: tuple[str, ...] = (reading.delimiter,) if reading.delimiter else (*DELIMITERS, " ")
    if told := SEP_LINE.fullmatch(_line(text, skip)):
        skip = _blank_lines(text, skip + 1)
        if not reading.delimiter:
            delimiters = (told[1],)
        notes.append(Note(NoteKind.SEPARATOR, f"The line 'sep={told[1]}' was used as the delimiter"))
    looks = {delimiter: found for delimiter in delimiters if (found := _look(text, delimiter, skip))}
    if not looks:
        if text.stat().st_size > skip:
            raise SourceUnreadable(f"{what} is not a table: no delimiter found", hint="Is it CSV or TSV?")
        raise TableUnusable(f"{what} is empty: no header and no rows", hint="Give a table with at least one row")
    delimiter = _best(looks)
    look = looks[delimiter]
    if len(look.records) == 1 and "\n" in look.records[0][-1]:
        raise SourceUnreadable(f"{what}, line {look.line + 1}: a quote is not closed", hint=HINT)
    verdict = Verdict(header=True) if look.extra else judge(look.records[0], look.rows, reading)
    names, unnamed = _names(look, verdict.header)
    refuse_duplicates(names, what)
    notes += [*_skipped(look), *_said(verdict, names), *unnamed, *_single(look, reading)]
    return Dialect(delimiter, verdict.header, names, look.line, tuple(notes), look.extra == "trailing")


def refuse_duplicates(names: Sequence[str], what: str) -> None:
    """Raise TableUnusable for names that are the same, or the same but for the case of their letters."""
    same = [name for name, count in Counter(names).items() if count > 1]
    if same:
        where = "; ".join(f"'{n}' is column {_places(names, n)}" for n in same[:5])
        raise TableUnusable(f"{what} has duplicate column names: {where}", hint="Give every column a unique name")
    folded = Counter(name.casefold() for name in names)
    alike = [name for name in names if folded[name.casefold()] > 1]
    if alike:
        quoted = ", ".join(f"'{name}'" for name in alike[:6])
        raise TableUnusable(
            f"{what} has column names that differ only in letter case: {quoted}",
            hint="Rename them so that they differ in more than case",
        )


def _places(names: Sequence[str], name: str) -> str:
    return " and ".join(str(i) for i, other in enumerate(names, 1) if other == name)


def _blank_lines(text: Path, start: int) -> int:
    """The first line from `start` on that is not blank."""
    with text.open(encoding="utf-8", newline="") as lines:
        for number, line in enumerate(lines):
            if number >= start and line.strip():
                return number
    return text.stat().st_size


def _line(text: Path, number: int) -> str:
    with text.open(encoding="utf-8", newline="") as lines:
        return next(islice(lines, number, None), "")[:100].strip()


def _best(looks: Mapping[str, _Look]) -> str:
    """The delimiter that fits best, the comma in a draw. A blank only where no other splits, and then with numbers."""
    usual = [delimiter for delimiter in looks if delimiter != " "] or list(looks)
    best = max(usual, key=lambda d: looks[d].fit)
    blank = looks.get(" ")
    if blank is not None and not looks[best].fit[0] and looks[best].width == 1 and blank.width > 2 and blank.fit[0]:
        return " " if blank.fit[1] >= 0.3 and looks[best].even else best
    return best


def _look(text: Path, delimiter: str, skip: int) -> _Look | None:
    """The first records, and where the table begins among them; None where Python's reader refuses."""
    try:
        read = list(islice(_records(text, delimiter, skip), LOOK_ROWS))
    except csv.Error:
        return None
    if not read:
        return None
    records = [record for _, record in read]
    start, extra = _start(records)
    body = records[start:]
    even = len({len(record) for record in (body[1:] if extra else body)}) == 1
    return _Look(tuple(records[:start]), tuple(body), read[start][0], even, extra)


def _records(text: Path, delimiter: str, skip: int) -> Iterator[tuple[int, list[str]]]:
    """Records that are not blank, each with the number of lines before it."""
    with text.open(encoding="utf-8", newline="") as lines:
        some = islice(lines, skip, skip + LOOK_LINES)
        reader = csv.reader(some, delimiter=delimiter, skipinitialspace=delimiter not in " \t")
        line = skip
        for record in reader:
            if record and (len(record) > 1 or record[0].strip()):
                yield line, record
            line = skip + reader.line_num


def _start(records: Sequence[list[str]]) -> tuple[int, str]:
    """Where the table begins: behind lines that are no row of it. And what its rows have more than its header."""
    widths = [len(record) for record in records]
    wide = _usual(widths)
    start = widths.index(wide)
    rows = [record for record in records[start:] if len(record) == wide]
    if wide < 2 or len(rows) < 2:
        return 0, ""
    extra = _one_more(rows) if start and widths[start - 1] == wide - 1 else ""
    start -= 1 if extra else 0
    start = _header_behind(records, start, wide)
    headed = extra or (start and names_columns(records[start], records[start + 1 :]))
    if all(_comment(record) or (headed and _title(record, wide)) for record in records[:start]):
        return start, extra
    return 0, ""


def _usual(widths: Sequence[int]) -> int:
    """The width of the table: what most records have, a few remarks and rows with a cell too few aside."""
    return max(Counter(widths).items(), key=lambda found: (found[1], found[0]))[0]


def _header_behind(records: Sequence[list[str]], start: int, wide: int) -> int:
    """Where the header is when lines before it were padded to the table's width, or happen to have it."""
    for at in range(start, min(start + BEFORE_MAX, len(records) - 1)):
        if at > start and names_columns(records[at], records[at + 1 :]):
            return at
        if not (_comment(records[at]) or _title(records[at], wide)):
            break
    return start


def _one_more(rows: Sequence[list[str]]) -> str:
    """Why every row has one cell more than the header: an empty last one, or numbers of rows as R writes them."""
    if all(not row[-1].strip() for row in rows):
        return "trailing"
    if len(rows) > 2 and [row[0].strip() for row in rows] == [str(i) for i in range(1, len(rows) + 1)]:
        return "index"
    return ""


def _comment(record: Sequence[str]) -> bool:
    return bool(COMMENT.match(record[0]))


def _title(record: Sequence[str], width: int) -> bool:
    """Whether a record before the header is a title or a fact of the table, rather than a short header or row."""
    filled = sum(bool(cell.strip()) for cell in record)
    return filled <= max(1, width / 2)


def _names(look: _Look, header: bool) -> tuple[tuple[str, ...], list[Note]]:
    """The columns' names; those without one are called as pandas calls them, since that is what clients send."""
    first = [cell.strip().strip(TRIMMED) for cell in look.records[0]]
    if not header:
        return tuple(f"column{i}" for i in range(len(first))), []
    if look.extra == "index":
        first = ["", *first]
    names = tuple(name or f"Unnamed: {i}" for i, name in enumerate(first))
    unnamed = tuple(name for name, given in zip(names, first, strict=True) if not given)
    if look.extra == "trailing":
        names = (*names, "")
        return names, [Note(NoteKind.SEPARATOR, "Every row ends with an extra delimiter, which was ignored")]
    if not unnamed:
        return names, []
    quoted = ", ".join(f"'{name}'" for name in unnamed[:5])
    return names, [Note(NoteKind.UNNAMED, f"Columns without a name are called {quoted}, as pandas does", unnamed)]


def _skipped(look: _Look) -> list[Note]:
    if not look.before:
        return []
    shown = "; ".join(f"'{' '.join(record)[:60].strip()}'" for record in look.before[:3])
    count = len(look.before)
    lines = "1 line before the table was" if count == 1 else f"{count} lines before the table were"
    return [Note(NoteKind.SKIPPED, f"{lines} skipped: {shown}")]


def _said(verdict: Verdict, names: Sequence[str]) -> list[Note]:
    """What the header was taken for, where the rows do not make that plain."""
    if verdict.why:
        shown = ", ".join(f"'{name[:40]}'" for name in names[:5])
        return [Note(NoteKind.HEADER, f"{verdict.why}: the columns are called {shown}", option=verdict.option)]
    return []


def _single(look: _Look, reading: Reading) -> list[Note]:
    if look.width > 1 or reading.delimiter:
        return []
    text = "The table has one column: no comma, semicolon, tab or bar divides its lines evenly"
    return [Note(NoteKind.SEPARATOR, text, option="delimiter")]
