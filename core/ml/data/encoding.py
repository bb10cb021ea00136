"""How the cells of the used columns become numbers: decided once by a search, the same in training and when serving."""

from collections.abc import Iterator

from core.domain.data import ColumnKind, TableProfile
from core.domain.signature import Column, Signature
from core.ml.data.table import Table
from core.predict.dates import PARTS, part_of
from core.predict.encoder import ColumnCode

LEVELS_MAX = 4_096
"""Levels of an open text column that get a code of their own: the most frequent ones, from which much is learned."""


def codes(signature: Signature, profile: TableProfile, cells: Table) -> Iterator[ColumnCode]:
    """The codes of the used columns, in the signature's order; a column of dates has one for each of its parts."""
    for column in signature.used:
        if dates := profile.column(column.name).dates:
            yield from _date_codes(column, dates)
            continue
        distinct = profile.column(column.name).distinct
        levels, complete = column.levels, distinct <= len(column.levels)
        if column.kind is ColumnKind.STRING and not column.closed:
            found = cells.counts(column.name, column.kind, LEVELS_MAX + 1)
            levels, complete = tuple(sorted(str(v) for v, _ in found[:LEVELS_MAX])), len(found) <= LEVELS_MAX
        yield ColumnCode(column.name, column.kind, levels, _fill(column, levels, complete))


def _date_codes(column: Column, dates: str) -> Iterator[ColumnCode]:
    """A code for each part of a column of dates; an unknown date is taken as the typical one where none was missing."""
    order, _, time = dates.partition("+")
    for part in PARTS:
        if part == "hour" and not time:
            continue
        fill = part_of(column.typical, order, part)
        known = not column.nullable and fill == fill
        yield ColumnCode(column.name, ColumnKind.NUMBER, (), fill if known else None, order, part)


def _fill(column: Column, levels: tuple[str, ...], complete: bool) -> float | None:
    """A stand-in for what training never met: only where no cell is missing and every level has a code."""
    if column.nullable or column.typical is None:
        return None
    if column.kind is not ColumnKind.STRING:
        return float(column.typical)
    return float(levels.index(str(column.typical))) if complete and column.typical in levels else None
