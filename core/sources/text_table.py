"""Cells of text -> values: what each column of a text table holds, found over all of its rows."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import duckdb

from core.domain.data import Note, NoteKind, Reading
from core.sources.cells import Kind, value
from core.sources.counts import NUMBERS_SHARE, Commonest, Plain, Styled, Written
from core.sources.numbers import STYLES, Style
from core.sources.passes import Passes

MIXED_SHARE = 0.5
"""A column of text with so many numbers in it deserves a word."""
SHOWN = 5
WORDS_OF = 50
"""Of so many columns the words for missing are shown."""


@dataclass
class TextTable:
    """A text table under way: `relation` has columns c0, c1, ... of text; `names` are their real ones."""

    connection: duckdb.DuckDBPyConnection
    relation: str
    names: Sequence[str]
    delimiter: str
    reading: Reading
    texts: Collection[str] = frozenset()
    """Names of columns that are text whatever they hold."""
    kept: bool = False
    """Whether the cells are kept by columns, and not read from the text again each time."""
    notes: list[Note] = field(default_factory=list)

    def values(self) -> list[tuple[str, str, str]]:
        """Each column's name, the SQL of its values, and their type. What was done is added to `notes`."""
        kinds = self._kinds()
        self._say(kinds)
        # From a text DuckDB would read numbers itself, and refuse what is none.
        bare = [self.kept and not column.trimmed for column in self.plain]
        return [(n, value(f"c{i}", kinds[i], bare=bare[i]), kinds[i].sql) for i, n in enumerate(self.names)]

    @cached_property
    def asked(self) -> Passes:
        return Passes(self.connection, self.relation)

    @cached_property
    def plain(self) -> list[Plain]:
        """The first pass."""
        found = self.asked.plain(range(len(self.names)))
        return [found.get(i, Plain()) for i in range(len(self.names))]

    @cached_property
    def styled(self) -> dict[int, Styled]:
        """The second pass, over the columns that the first leaves in doubt."""
        return self.asked.styled([i for i, column in enumerate(self.plain) if _in_doubt(column)])

    @cached_property
    def decimal(self) -> str:
        """The decimal sign where a column alone does not tell it."""
        if self.reading.decimal:
            return self.reading.decimal
        points = any(c.points for c in self.plain) or self._only(".")
        if self._only(",") != points:
            return "." if points else ","
        return "," if self.delimiter == ";" else "."

    @cached_property
    def point_parts_thousands(self) -> bool:
        """Whether the table is told to have decimal commas."""
        return self.decimal == "," and bool(self.reading.decimal or self._only(","))

    def _only(self, decimal: str) -> bool:
        """Whether some column's numbers can have no other decimal sign."""
        return any(s.only[decimal] and s.may_be == (decimal,) for s in self.styled.values())

    def _kinds(self) -> list[Kind]:
        found = [self._kind(i) for i in range(len(self.names))]
        whole = self.asked.whole({i: kind.style for i, kind in enumerate(found) if kind.style})
        return [Kind("BIGINT", kind.style) if i in whole else kind for i, kind in enumerate(found)]

    def _kind(self, i: int) -> Kind:
        """What a column becomes; one of a style of its own may hold whole numbers yet."""
        column = self.plain[i]
        if self.names[i] in self.texts:
            return Kind("VARCHAR")
        if column.known and column.booleans == column.known:
            return Kind("BOOLEAN")
        if column.known and column.numbers == column.known:
            if self.point_parts_thousands and column.grouped and not column.points:
                return Kind("DOUBLE", STYLES[","])
            return Kind("BIGINT" if column.integers == column.known else "DOUBLE")
        styled = self.styled.get(i)
        if styled is None or not (may_be := styled.may_be):
            return Kind("VARCHAR")
        chosen = may_be[0] if len(may_be) == 1 else self.decimal
        if self.reading.decimal and chosen != self.reading.decimal and styled.only[chosen]:
            return Kind("VARCHAR")
        return Kind("DOUBLE", replace(STYLES[chosen], unit=styled.unit))

    def _say(self, kinds: Sequence[Kind]) -> None:
        """Add what was done to the cells, one note for each kind of thing."""
        self.notes += self._styles_said(kinds)
        numeric = [i for i, kind in enumerate(kinds) if kind.sql != "VARCHAR"]
        self.notes += self._strays_said(kinds)
        if worded := [i for i in numeric if self.plain[i].words]:
            self.notes.append(self._words_said(worded))
        self.notes += self._mixed_said([i for i, kind in enumerate(kinds) if kind.sql == "VARCHAR" and self._mixed(i)])
        trimmed = [self.names[i] for i, kind in enumerate(kinds) if kind.sql == "VARCHAR" and self.plain[i].trimmed]
        if trimmed:
            text = f"Spaces around the text of {_quoted(trimmed)} were removed"
            self.notes.append(Note(NoteKind.TRIMMED, text, tuple(trimmed)))

    def _styles_said(self, kinds: Sequence[Kind]) -> Iterator[Note]:
        groups: dict[str, list[str]] = {}
        for i, written in self.asked.written({i: kind.style for i, kind in enumerate(kinds) if kind.style}).items():
            for how in self._how(i, kinds[i], written):
                groups.setdefault(how, []).append(self.names[i])
        for how, names in groups.items():
            option = "decimal" if "decimal" in how or "thousands" in how else ""
            yield Note(NoteKind.NUMBERS, f"{_quoted(names)}: {how}", tuple(names), option)

    def _how(self, i: int, kind: Kind, written: Written) -> Iterator[str]:
        """What was done to a column's numbers, in words."""
        if kind.style is None:
            return
        styled = self.styled.get(i)
        if written.decimal and kind.style.decimal == ",":
            yield "read as numbers with a decimal comma"
        if written.grouped:
            example = "1.234 is 1234" if kind.style.decimal == "," else "1,234 is 1234"
            yield f"read as numbers with thousands separators ({example})"
        if written.behind:
            yield "trailing signs were read (5- is -5, 5.- is 5)"
        if styled and styled.percent:
            yield "the % sign was removed (12% is 12)"
        if styled and styled.currencies:
            yield f"the {styled.currencies[0]} sign was removed"
        if kind.style.unit:
            yield f"the unit {kind.style.unit} was removed (12 {kind.style.unit} is 12)"

    def _strays_said(self, kinds: Sequence[Kind]) -> Iterator[Note]:
        """The words of columns of numbers that are none, by name."""
        stray = {i: style for i, kind in enumerate(kinds) if (style := kind.style) and self._has_strays(i, style)}
        for i, found in self.asked.strays(stray).items():
            which = f"{found.count:,} of {self.plain[i].known:,} cells"
            text = f"'{self.names[i]}': {which} are not numbers and are treated as missing: {_shown(found)}"
            yield Note(NoteKind.STRAYS, text, (self.names[i],))

    def _has_strays(self, i: int, style: Style) -> bool:
        styled = self.styled.get(i)
        return styled is not None and styled.fits[style.decimal] < styled.known

    def _words_said(self, columns: Sequence[int]) -> Note:
        found = self.asked.missing(columns[:WORDS_OF])
        names = tuple(self.names[i] for i in columns)
        text = f"{_quoted(names)}: {sum(self.plain[i].words for i in columns):,} cells hold a word for missing: "
        return Note(NoteKind.MISSING_WORDS, text + _shown(found), names)

    def _mixed(self, i: int) -> bool:
        """Whether a column of text holds numbers in so many cells that somebody may wonder."""
        column, styled = self.plain[i], self.styled.get(i)
        if self.names[i] in self.texts:
            return False
        if column.codes:
            return column.numbers > 0 and column.numbers + column.codes >= NUMBERS_SHARE * column.known
        return styled is not None and max(styled.fits.values()) >= MIXED_SHARE * styled.known

    def _mixed_said(self, columns: Sequence[int]) -> Iterator[Note]:
        odd = [i for i in columns if not self.plain[i].codes and not self._telephones(i)]
        found = self.asked.no_numbers(odd)
        for i in columns:
            yield Note(
                NoteKind.MIXED, f"'{self.names[i]}' stays text: {self._why_text(i, found.get(i))}", (self.names[i],)
            )

    def _why_text(self, i: int, others: Commonest | None) -> str:
        column = self.plain[i]
        if column.codes:
            return f"{column.codes:,} of its numbers start with a zero, like codes"
        if self._telephones(i):
            return "its cells look like telephone numbers"
        if others is None:
            return "its numbers are written in inconsistent ways"
        return f"{others.count:,} of {column.known:,} cells are not numbers: {_shown(others)}"

    def _telephones(self, i: int) -> bool:
        return i in self.styled and self.styled[i].telephones


def _in_doubt(column: Plain) -> bool:
    """Whether a column may hold numbers that are not all plain."""
    if not column.known or column.numbers == column.known or column.codes:
        return False
    return column.loose >= MIXED_SHARE * column.known


def _shown(found: Commonest) -> str:
    words = [f"'{cell[:30]}'" + (f" ({n:,})" if n > 1 else "") for cell, n in found.cells]
    return ", ".join(words) + (f" and {found.rest:,} more" if found.rest else "")


def _quoted(names: Sequence[str]) -> str:
    quoted = ", ".join(f"'{name}'" for name in names[:SHOWN])
    return quoted + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")
