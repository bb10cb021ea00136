"""Cells of text -> values: what each column of a text table holds, found over all of its rows."""

# ruff: noqa: S608  # the SQL is made of our own names c0, c1, ... and of literals quoted here

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import duckdb

from core.domain.data import Note, NoteKind, Reading
from core.ml.data.sql_paths import literal
from core.sources import numbers
from core.sources.cells import Kind, clean, heart, matches, trim, value, words
from core.sources.counts import NUMBERS_SHARE, Plain, Styled
from core.sources.numbers import CURRENCIES, STYLES, Style

BATCH_COLUMNS = 200
"""Columns that are looked at in one pass."""
MIXED_SHARE = 0.5
"""A column of text with so many numbers in it deserves a word."""
SHOWN = 5


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
        kinds = [self._kind(i) for i in range(len(self.names))]
        self._say(kinds)
        # From a text DuckDB would read numbers itself, and refuse what is none.
        bare = [self.kept and not column.trimmed for column in self.plain]
        return [(n, value(f"c{i}", kinds[i], bare=bare[i]), kinds[i].sql) for i, n in enumerate(self.names)]

    @cached_property
    def plain(self) -> list[Plain]:
        """The first pass."""
        found: dict[int, Plain] = {}
        for start in range(0, len(self.names), BATCH_COLUMNS):
            columns = range(start, min(start + BATCH_COLUMNS, len(self.names)))
            found |= {
                i: Plain(*counts) for i, *counts in self.connection.execute(self._plain_query(columns)).fetchall()
            }
        return [found.get(i, Plain()) for i in range(len(self.names))]

    @cached_property
    def styled(self) -> dict[int, Styled]:
        """The second pass, over the columns that the first leaves in doubt."""
        doubtful = [i for i, c in enumerate(self.plain) if _in_doubt(c)]
        return {i: self._styled(i) for i in doubtful}

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

    def _kind(self, i: int) -> Kind:
        column = self.plain[i]
        if self.names[i] in self.texts:
            return Kind("VARCHAR")
        if column.known and column.booleans == column.known:
            return Kind("BOOLEAN")
        if column.known and column.numbers == column.known:
            if self.point_parts_thousands and column.grouped and not column.points:
                return self._styled_kind(i, STYLES[","])
            return Kind("BIGINT" if column.integers == column.known else "DOUBLE")
        styled = self.styled.get(i)
        if styled is None or not (may_be := styled.may_be):
            return Kind("VARCHAR")
        chosen = may_be[0] if len(may_be) == 1 else self.decimal
        if self.reading.decimal and chosen != self.reading.decimal and styled.only[chosen]:
            return Kind("VARCHAR")
        return self._styled_kind(i, replace(STYLES[chosen], unit=styled.unit))

    def _styled_kind(self, i: int, style: Style) -> Kind:
        core = heart("cell", style.unit)
        whole = clean(core, style)
        query = (
            f"SELECT count(*), count(try_cast({whole} AS BIGINT)) FILTER (regexp_full_match({whole}, '[0-9]+')) "
            f"FROM (SELECT {trim(f'c{i}')} AS cell FROM {self.relation}) WHERE {matches(core, style)}"
        )
        count, integers = self.connection.execute(query).fetchall()[0]
        return Kind("BIGINT" if integers == count else "DOUBLE", style)

    def _plain_query(self, columns: range) -> str:
        # Stacked, all columns share these expressions; their own for each of 1,000 columns take seconds to plan.
        stacked = f"unnest({list(columns)}) AS i, unnest([{', '.join(f'c{i}' for i in columns)}]) AS raw"
        counts = (
            "count(*)",
            f"count(try_cast(cell AS BIGINT)) FILTER (regexp_full_match(cell, '{numbers.INTEGER}'))",
            f"count(*) FILTER (regexp_full_match(cell, '{numbers.NUMBER}'))",
            "count(*) FILTER (lower(cell) IN ('true', 'false'))",
            f"count(*) FILTER (regexp_full_match(cell, '{numbers.CODE}'))",
            f"count(*) FILTER (regexp_full_match(cell, {literal(numbers.LOOSE)}))",
        )
        known = ", ".join(
            f"{c} FILTER (NOT gone)" if "FILTER" not in c else c.replace("FILTER (", "FILTER (NOT gone AND ", 1)
            for c in counts
        )
        point = r"regexp_full_match(cell, '-?(0\.[0-9]+|[0-9]*\.([0-9]{0,2}|[0-9]{4,})|[0-9]{4,}\.[0-9]+)')"
        group = r"regexp_full_match(cell, '-?[1-9][0-9]{0,2}\.[0-9]{3}')"
        return (
            f"SELECT i, {known}, count(*) FILTER (NOT gone AND raw <> cell), count(*) FILTER (gone AND cell <> ''), "
            f"count(*) FILTER ({point}), count(*) FILTER ({group}) "
            f"FROM (SELECT i, raw, cell, lower(cell) IN ({words()}) AS gone "
            f"FROM (SELECT i, raw, {trim('raw')} AS cell FROM (SELECT {stacked} FROM {self.relation}))) "
            f"WHERE cell IS NOT NULL GROUP BY i"
        )

    def _styled(self, i: int) -> Styled:
        unit = self._unit(i)
        match = {d: matches(heart("cell", unit), style) for d, style in STYLES.items()}
        query = (
            f"SELECT count(*), count(*) FILTER (p), count(*) FILTER (c), count(*) FILTER (p AND NOT c), "
            f"count(*) FILTER (c AND NOT p), count(*) FILTER ((p OR c) AND contains(cell, '%')), "
            f"list_distinct(list(regexp_extract(cell, {literal(CURRENCIES)})) FILTER (p OR c)), "
            f"count(*) FILTER (regexp_full_match(cell, {literal(numbers.PHONE)})) "
            f"FROM (SELECT cell, {match['.']} AS p, {match[',']} AS c "
            f"FROM ({self._known(i)}))"
        )
        known, p, c, only_p, only_c, percent, currencies, phones = self.connection.execute(query).fetchall()[0]
        signs = tuple(sorted(sign for sign in currencies or () if sign))
        return Styled(known, {".": p, ",": c}, {".": only_p, ",": only_c}, percent, signs, phones, unit)

    def _unit(self, i: int) -> str:
        """What stands behind the numbers of nearly all cells, as in `12 kg`; empty for a currency."""
        found = f"SELECT regexp_extract(cell, {literal(numbers.UNIT)}, 1) AS unit FROM ({self._known(i)})"
        units = (
            f"SELECT unit, count(*) AS n, sum(count(*)) OVER () FROM ({found}) GROUP BY unit ORDER BY n DESC LIMIT 1"
        )
        unit, count, known = (self.connection.execute(units).fetchall() or [("", 0, 1)])[0]
        usual = re.fullmatch(CURRENCIES, unit)
        return "" if usual or count < NUMBERS_SHARE * known else str(unit)

    def _known(self, i: int) -> str:
        cells = f"SELECT {trim(f'c{i}')} AS cell FROM {self.relation}"
        return f"SELECT cell FROM ({cells}) WHERE cell IS NOT NULL AND lower(cell) NOT IN ({words()})"

    def _say(self, kinds: Sequence[Kind]) -> None:
        """Add what was done to the cells, one note for each kind of thing."""
        self.notes += self._styles_said(kinds)
        numeric = [i for i, kind in enumerate(kinds) if kind.sql != "VARCHAR"]
        for i in numeric:
            self.notes += self._strays_said(i, kinds[i])
        if worded := [i for i in numeric if self.plain[i].words]:
            self.notes.append(self._words_said(worded))
        for i, kind in enumerate(kinds):
            if kind.sql == "VARCHAR" and self._mixed(i):
                self.notes.append(self._mixed_said(i))
        trimmed = [self.names[i] for i, kind in enumerate(kinds) if kind.sql == "VARCHAR" and self.plain[i].trimmed]
        if trimmed:
            text = f"Spaces around the text of {_quoted(trimmed)} were removed"
            self.notes.append(Note(NoteKind.TRIMMED, text, tuple(trimmed)))

    def _styles_said(self, kinds: Sequence[Kind]) -> Iterator[Note]:
        groups: dict[str, list[str]] = {}
        for i, kind in enumerate(kinds):
            for how in self._how(i, kind):
                groups.setdefault(how, []).append(self.names[i])
        for how, names in groups.items():
            option = "decimal" if "decimal" in how or "thousands" in how else ""
            yield Note(NoteKind.NUMBERS, f"{_quoted(names)}: {how}", tuple(names), option)

    def _how(self, i: int, kind: Kind) -> Iterator[str]:
        """What was done to a column's numbers, in words."""
        if kind.style is None:
            return
        styled = self.styled.get(i)
        core = heart("cell", kind.style.unit)
        hearts = f"SELECT cell, {core} AS core FROM ({self._known(i)}) WHERE {matches(core, kind.style)}"
        decimal, grouped, behind = self.connection.execute(
            f"SELECT bool_or(contains(core, '{kind.style.decimal}')), "
            f"bool_or(regexp_matches(core, {literal(f'[{kind.style.grouping}]')})), "
            f"bool_or(regexp_matches(cell, {literal(numbers.BEHIND)})) FROM ({hearts})"
        ).fetchall()[0]
        if decimal and kind.style.decimal == ",":
            yield "read as numbers with a decimal comma"
        if grouped:
            example = "1.234 is 1234" if kind.style.decimal == "," else "1,234 is 1234"
            yield f"read as numbers with thousands separators ({example})"
        if behind:
            yield "trailing signs were read (5- is -5, 5.- is 5)"
        if styled and styled.percent:
            yield "the % sign was removed (12% is 12)"
        if styled and styled.currencies:
            yield f"the {styled.currencies[0]} sign was removed"
        if kind.style.unit:
            yield f"the unit {kind.style.unit} was removed (12 {kind.style.unit} is 12)"

    def _strays_said(self, i: int, kind: Kind) -> list[Note]:
        """The words of a column of numbers that are none, by name."""
        column = self.plain[i]
        if kind.style is None or kind.sql == "BOOLEAN" or column.numbers == column.known:
            return []
        missed = f"({matches(heart('cell', kind.style.unit), kind.style)}) IS NOT TRUE"
        stray = f"SELECT cell FROM ({self._known(i)}) WHERE {missed}"
        found = self._commonest(stray)
        if not found:
            return []
        count = sum(n for _, n in found)
        which = f"{count:,} of {column.known:,} cells"
        text = f"'{self.names[i]}': {which} are not numbers and are treated as missing: {_shown(found)}"
        return [Note(NoteKind.STRAYS, text, (self.names[i],))]

    def _words_said(self, columns: Sequence[int]) -> Note:
        cells = " UNION ALL ".join(f"SELECT {trim(f'c{i}')} AS cell FROM {self.relation}" for i in columns[:50])
        found = self._commonest(f"SELECT cell FROM ({cells}) WHERE cell <> '' AND lower(cell) IN ({words()})")
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

    def _mixed_said(self, i: int) -> Note:
        column, name = self.plain[i], self.names[i]
        if column.codes:
            text = f"'{name}' stays text: {column.codes:,} of its numbers start with a zero, like codes"
            return Note(NoteKind.MIXED, text, (name,))
        if i in self.styled and self.styled[i].telephones:
            return Note(NoteKind.MIXED, f"'{name}' stays text: its cells look like telephone numbers", (name,))
        match = " OR ".join(matches(heart("cell"), style) for style in STYLES.values())
        found = self._commonest(f"SELECT cell FROM ({self._known(i)}) WHERE NOT ({match})")
        count = sum(n for _, n in found)
        text = f"'{name}' stays text: {count:,} of {column.known:,} cells are not numbers: {_shown(found)}"
        if not found:
            text = f"'{name}' stays text: its numbers are written in inconsistent ways"
        return Note(NoteKind.MIXED, text, (name,))

    def _commonest(self, cells: str) -> list[tuple[str, int]]:
        """The most frequent of some cells, and at the end the rest of them under an empty word."""
        counted = f"SELECT cell, count(*) AS n FROM ({cells}) GROUP BY cell ORDER BY n DESC, cell"
        found = self.connection.execute(f"{counted} LIMIT {SHOWN}").fetchall()
        row = self.connection.execute(f"SELECT count(*) FROM ({cells})").fetchone()
        rest = (row[0] if row else 0) - sum(n for _, n in found)
        return [(str(cell), int(n)) for cell, n in found] + ([("", rest)] if rest else [])


def _in_doubt(column: Plain) -> bool:
    """Whether a column may hold numbers that are not all plain."""
    if not column.known or column.numbers == column.known or column.codes:
        return False
    return column.loose >= MIXED_SHARE * column.known


def _shown(found: Sequence[tuple[str, int]]) -> str:
    words = [f"'{cell[:30]}'" + (f" ({n:,})" if n > 1 else "") for cell, n in found if cell]
    rest = sum(n for cell, n in found if not cell)
    return ", ".join(words) + (f" and {rest:,} more" if rest else "")


def _quoted(names: Sequence[str]) -> str:
    quoted = ", ".join(f"'{name}'" for name in names[:SHOWN])
    return quoted + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")
