"""How the cells of the used columns become numbers: decided once by a search, the same in training and when serving."""

from collections.abc import Iterator
from dataclasses import replace
from math import isfinite, nan

from core.domain.data import ColumnKind, TableProfile
from core.domain.errors import SpecInvalid
from core.domain.featurization import Featurization, Imputation, Purpose
from core.domain.rules import shown
from core.domain.signature import Column, Scalar, Signature
from core.ml.data.table import Table
from core.predict.dates import PARTS, part_of
from core.predict.encoder import FLOAT32_MAX, ColumnCode

AUTO = Featurization()
LEVELS_MAX = 4_096
"""Levels of an open text column that get a code of their own: the most frequent ones, from which much is learned."""


def codes(
    signature: Signature, profile: TableProfile, cells: Table, wanted: Featurization = AUTO
) -> Iterator[ColumnCode]:
    """The codes of the used columns, in the signature's order; a column of dates has one for each of its parts.

    Raises SpecInvalid where `wanted` takes a column for what it cannot be.
    """
    for column in signature.used:
        for code in _codes_of(column, profile, cells, wanted.column_purposes.get(column.name)):
            yield replace(code, fill=_imputed(code, column.name, cells, wanted, code.fill))


def _codes_of(column: Column, profile: TableProfile, cells: Table, purpose: Purpose | None) -> Iterator[ColumnCode]:
    dates = profile.column(column.name).dates
    if why := _unfit(column, dates, purpose):
        raise SpecInvalid(f"The column '{column.name}' {why}, so it cannot be taken as {purpose}")
    if dates and purpose is not Purpose.CATEGORICAL:
        yield from _date_codes(column, dates)
    elif column.kind is not ColumnKind.STRING and purpose is Purpose.CATEGORICAL:
        found = cells.counts(column.name, ColumnKind.NUMBER, LEVELS_MAX)
        levels = tuple(repr(value) for value in sorted(float(v) + 0.0 for v, _ in found))
        yield ColumnCode(column.name, ColumnKind.STRING, levels, numbers=True)
    else:
        distinct = profile.column(column.name).distinct
        levels, complete = column.levels, distinct <= len(column.levels)
        # Each query costs as much as the table has columns, so what the profile has told is not asked again.
        if column.kind is ColumnKind.STRING and not complete:
            found = cells.counts(column.name, column.kind, LEVELS_MAX + 1)
            levels, complete = tuple(sorted(str(v) for v, _ in found[:LEVELS_MAX])), len(found) <= LEVELS_MAX
        yield ColumnCode(column.name, column.kind, levels, _fill(column, levels, complete))


def _unfit(column: Column, dates: str, purpose: Purpose | None) -> str:
    """Why a column cannot be taken for this; empty where it can."""
    text = column.kind is ColumnKind.STRING
    match purpose:
        case Purpose.TEXT:
            return "would have to be read word by word, which this engine does not do"
        case Purpose.NUMERIC if text:
            return "holds text"
        case Purpose.DATE_TIME if not dates:
            return "holds no dates that can be read"
    return ""


def _imputed(code: ColumnCode, name: str, cells: Table, wanted: Featurization, usual: float | None) -> float | None:
    """What stands for a missing cell, as the spec wants it. Raises SpecInvalid where the column cannot have that."""
    match how := wanted.imputations.get(name):
        case None:
            return usual
        case Imputation.CONSTANT:
            return _constant(code, name, wanted.constants[name])
        case Imputation.MOST_FREQUENT if not code.part:
            kind = ColumnKind.NUMBER if code.kind is not ColumnKind.STRING or code.numbers else ColumnKind.STRING
            found = cells.counts(name, kind, 1)
            return _constant(code, name, found[0][0]) if found else usual
        case Imputation.MEAN | Imputation.MEDIAN if code.kind is not ColumnKind.STRING and not code.part:
            return cells.middle(name, code.kind, how.value)
    raise SpecInvalid(
        f"The missing cells of '{name}' cannot get the {how.replace('_', ' ')}: it is no column of numbers",
        hint="Use most_frequent or constant for text, and nothing for dates",
    )


def _constant(code: ColumnCode, name: str, value: Scalar) -> float:
    if code.part:
        raise SpecInvalid(f"The missing cells of '{name}' cannot get a constant: it is a column of dates")
    if code.kind is not ColumnKind.STRING:
        return _number(name, value)
    wanted = repr(_number(name, value)) if code.numbers else str(value)
    if wanted not in code.levels:
        raise SpecInvalid(
            f"The constant of '{name}' is '{value}', which is none of its values", hint="Choose one that occurs"
        )
    return float(code.levels.index(wanted))


def _number(name: str, value: Scalar) -> float:
    """A constant as the encoder would give it. Raises SpecInvalid."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = nan
    if not isfinite(number):
        raise SpecInvalid(f"The constant of '{name}' is {shown(value)}, expected a number")
    return min(max(number, -FLOAT32_MAX), FLOAT32_MAX)


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
