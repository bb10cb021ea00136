"""The passes over the cells of a text table: each asks one thing of many columns at once.

A query of its own for each column takes 5 to 10 ms of processor time, and the longer the more columns the table has.
"""

# ruff: noqa: S608  # the SQL is made of our own names c0, c1, ... and of literals quoted here

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import duckdb

from core.ml.data.sql_paths import literal
from core.sources import numbers
from core.sources.cells import clean, heart, matches, trim, words
from core.sources.counts import NUMBERS_SHARE, Commonest, Plain, Styled, Written
from core.sources.numbers import CURRENCIES, STYLES, Style
from core.sources.relation import batches

SHOWN = 5
"""So many of the most frequent cells are told."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Passes:
    """Over a relation whose columns c0, c1, ... are text; a column is told by its number."""

    connection: duckdb.DuckDBPyConnection
    relation: str

    def plain(self, columns: Sequence[int]) -> dict[int, Plain]:
        """What is counted of the cells of each column; one without a cell is left out."""
        return {i: Plain(*counts) for batch in batches(columns) for i, *counts in self._rows(self._plain(batch))}

    def styled(self, columns: Sequence[int]) -> dict[int, Styled]:
        """What is counted of columns that may hold numbers in some style."""
        found: dict[int, Styled] = {}
        for unit, those in _grouped(self._units(columns)).items():
            for batch in batches(those):
                found |= {i: _styled(counts, unit) for i, *counts in self._rows(self._styled(batch, unit))}
        return found

    def whole(self, styles: Mapping[int, Style]) -> set[int]:
        """The columns all of whose numbers are whole ones."""
        found = set[int]()
        for style, batch in _by_style(styles):
            whole, core = clean("core", style), heart("cell", style.unit)
            query = (
                f"SELECT i, count(*), count(try_cast({whole} AS BIGINT)) FILTER (regexp_full_match({whole}, '[0-9]+')) "
                f"FROM (SELECT i, {core} AS core FROM ({self._cells(batch)})) WHERE {matches('core', style)} GROUP BY i"
            )
            found |= {i for i, count, integers in self._rows(query) if integers == count}
        return found

    def written(self, styles: Mapping[int, Style]) -> dict[int, Written]:
        """What occurs in the numbers of each column."""
        found: dict[int, Written] = {}
        for style, batch in _by_style(styles):
            cores = f"SELECT i, cell, {heart('cell', style.unit)} AS core FROM ({self._known(batch)})"
            query = (
                f"SELECT i, bool_or(contains(core, '{style.decimal}')), "
                f"bool_or(regexp_matches(core, {literal(f'[{style.grouping}]')})), "
                f"bool_or(regexp_matches(cell, {literal(numbers.BEHIND)})) "
                f"FROM ({cores}) WHERE {matches('core', style)} GROUP BY i"
            )
            found |= {i: Written(*occurs) for i, *occurs in self._rows(query)}
        return dict(sorted(found.items()))

    def strays(self, styles: Mapping[int, Style]) -> dict[int, Commonest]:
        """The cells of each column that are no numbers, where there are some."""
        found: dict[int, Commonest] = {}
        for style, batch in _by_style(styles):
            missed = f"({matches(heart('cell', style.unit), style)}) IS NOT TRUE"
            found |= self._commonest(f"SELECT i, cell FROM ({self._known(batch)}) WHERE {missed}")
        return dict(sorted(found.items()))

    def no_numbers(self, columns: Sequence[int]) -> dict[int, Commonest]:
        """The cells of each column that are numbers in no style, where there are some."""
        found: dict[int, Commonest] = {}
        match = " OR ".join(matches(heart("cell"), style) for style in STYLES.values())
        for batch in batches(columns):
            found |= self._commonest(f"SELECT i, cell FROM ({self._known(batch)}) WHERE NOT ({match})")
        return found

    def missing(self, columns: Sequence[int]) -> Commonest:
        """The words for missing in all of these columns together."""
        cells = f"SELECT 0 AS i, cell FROM ({self._cells(columns)}) WHERE cell <> '' AND lower(cell) IN ({words()})"
        return self._commonest(cells).get(0, Commonest((), 0))

    def _units(self, columns: Sequence[int]) -> dict[int, str]:
        """What stands behind the numbers of nearly all cells, as in `12 kg`; empty for a currency."""
        found: dict[int, str] = {}
        for batch in batches(columns):
            units = f"SELECT i, regexp_extract(cell, {literal(numbers.UNIT)}, 1) AS unit FROM ({self._known(batch)})"
            counted = f"SELECT i, unit, count(*) AS n FROM ({units}) GROUP BY i, unit"
            query = f"SELECT i, arg_max(unit, n), max(n), sum(n) FROM ({counted}) GROUP BY i"
            for i, unit, count, known in self._rows(query):
                usual = re.fullmatch(CURRENCIES, unit)
                found[i] = "" if usual or count < NUMBERS_SHARE * known else str(unit)
        return found

    def _plain(self, columns: Sequence[int]) -> str:
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
            f"FROM (SELECT i, raw, cell, lower(cell) IN ({words()}) AS gone FROM ({self._cells(columns)})) "
            f"WHERE cell IS NOT NULL GROUP BY i"
        )

    def _styled(self, columns: Sequence[int], unit: str) -> str:
        match = {d: matches("core", style) for d, style in STYLES.items()}
        cores = f"SELECT i, cell, {heart('cell', unit)} AS core FROM ({self._known(columns)})"
        return (
            f"SELECT i, count(*), count(*) FILTER (p), count(*) FILTER (c), count(*) FILTER (p AND NOT c), "
            f"count(*) FILTER (c AND NOT p), count(*) FILTER ((p OR c) AND contains(cell, '%')), "
            f"list(DISTINCT regexp_extract(cell, {literal(CURRENCIES)})) FILTER (p OR c), "
            f"count(*) FILTER (regexp_full_match(cell, {literal(numbers.PHONE)})) "
            f"FROM (SELECT i, cell, {match['.']} AS p, {match[',']} AS c FROM ({cores})) GROUP BY i"
        )

    def _commonest(self, cells: str) -> dict[int, Commonest]:
        """The most frequent of the cells of each column, commonest first and then by the alphabet."""
        counted = f"SELECT i, cell, -count(*) AS n FROM ({cells}) GROUP BY i, cell"
        query = f"SELECT i, min({{'n': n, 'cell': cell}}, {SHOWN}), -sum(n) FROM ({counted}) GROUP BY i ORDER BY i"
        return {
            i: Commonest(tuple((str(each["cell"]), -int(each["n"])) for each in most), int(count))
            for i, most, count in self._rows(query)
        }

    def _known(self, columns: Sequence[int]) -> str:
        """The trimmed cells that are not missing."""
        return f"SELECT i, cell FROM ({self._cells(columns)}) WHERE cell IS NOT NULL AND lower(cell) NOT IN ({words()})"

    def _cells(self, columns: Sequence[int]) -> str:
        """The cells of some columns, each with its column's number, as they are and trimmed."""
        # Stacked, all columns share these expressions; their own for each of 1,000 columns take seconds to plan.
        stacked = f"unnest({list(columns)}) AS i, unnest([{', '.join(f'c{i}' for i in columns)}]) AS raw"
        return f"SELECT i, raw, {trim('raw')} AS cell FROM (SELECT {stacked} FROM {self.relation})"

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()


def _styled(counts: Sequence[Any], unit: str) -> Styled:
    known, p, c, only_p, only_c, percent, currencies, phones = counts
    signs = tuple(sorted(sign for sign in currencies or () if sign))
    return Styled(known, {".": p, ",": c}, {".": only_p, ",": only_c}, percent, signs, phones, unit)


def _by_style(styles: Mapping[int, Style]) -> Iterator[tuple[Style, Sequence[int]]]:
    for style, columns in _grouped(styles).items():
        for batch in batches(columns):
            yield style, batch


def _grouped(by_column: Mapping[int, T]) -> dict[T, list[int]]:
    """The columns of each value."""
    found: dict[T, list[int]] = {}
    for i, value in sorted(by_column.items()):
        found.setdefault(value, []).append(i)
    return found
