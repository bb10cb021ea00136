"""Cells of text as SQL sees them: trimmed, known or missing, numbers of a style, values of a type."""

from dataclasses import dataclass

from core.ml.data.sql_paths import literal
from core.sources import numbers
from core.sources.numbers import MISSING, NEGATIVE, TRIMMED, Style


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column becomes: a SQL type, and the style of its numbers where it is not the plain one."""

    sql: str
    style: Style | None = None


def words() -> str:
    return ", ".join(literal(word) for word in sorted(MISSING))


def trim(cell: str) -> str:
    """Few cells have something to trim, and to look at both ends first takes a sixth of the time."""
    blanks = literal(TRIMMED)
    ends = f"contains({blanks}, left({cell}, 1)) OR contains({blanks}, right({cell}, 1))"
    return f"(CASE WHEN {ends} THEN trim({cell}, {blanks}) ELSE {cell} END)"


def heart(cell: str, unit: str = "") -> str:
    """A number without what stands around it."""
    if unit:
        cell = f"(CASE WHEN ends_with({cell}, {literal(unit)}) THEN {trim(f'left({cell}, -{len(unit)})')} END)"
    opened = f"regexp_replace({cell}, {literal(numbers.OPENING)}, '')"
    return f"regexp_replace({opened}, {literal(numbers.CLOSING)}, '')"


def matches(core: str, style: Style) -> str:
    return f"regexp_full_match({core}, {literal(style.pattern)})"


def clean(core: str, style: Style) -> str:
    """A core as SQL reads numbers."""
    bare = f"translate({core}, {literal(style.grouping)}, '')"
    return f"replace({bare}, ',', '.')" if style.decimal == "," else bare


def value(raw: str, kind: Kind, *, bare: bool = False) -> str:
    """The SQL that turns a cell's text into a value of its column's kind; `bare` where there is nothing to trim."""
    cell = raw if bare and kind.sql != "VARCHAR" else trim(raw)
    if kind.sql == "VARCHAR":
        return f"nullif({cell}, '')"
    if kind.style is None:
        number = f"try_cast({cell} AS {kind.sql})"
    else:
        core = heart(cell, kind.style.unit)
        negative = f"regexp_matches({cell}, {literal(NEGATIVE)})"
        text = f"CASE WHEN {negative} THEN '-' ELSE '' END || {clean(core, kind.style)}"
        number = f"CASE WHEN {matches(core, kind.style)} THEN try_cast({text} AS {kind.sql}) END"
    return f"CASE WHEN isfinite({number}) THEN {number} END" if kind.sql == "DOUBLE" else number
