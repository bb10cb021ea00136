"""A query over rows: what its expressions mean, and what each step makes of a table."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from core.emulator.insights.functions import FUNCTIONS, LAZY
from core.emulator.insights.syntax import Call, Column, Constant, Expression, Named, Part, Query, Step
from core.emulator.insights.words import QueryError

Row = Mapping[str, Any]
TYPES = ((bool, "bool"), (int, "long"), (float, "real"), (str, "string"), (datetime, "datetime"),
         (timedelta, "timespan"), (dict, "dynamic"), (list, "dynamic"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """Columns with their types, in order, and rows."""

    columns: Mapping[str, str]
    rows: Sequence[Row]


def run(query: Query, table: Table, now: datetime) -> Table:
    """What the steps leave. Raises QueryError for a column or function that is not there."""
    try:
        for step in query.steps:
            table = _STEPS[step.operator](step, table, now)
    except RecursionError as e:
        raise QueryError("The query is nested too deeply") from e
    return table


def _where(step: Step, table: Table, now: datetime) -> Table:
    condition = step.named[0].expression
    _check(condition, table)
    return replace(table, rows=[row for row in table.rows if _value(condition, row, now) is True])


def _project(step: Step, table: Table, now: datetime) -> Table:
    return _made(_numbered(step.named), table, now, {})


def _extend(step: Step, table: Table, now: datetime) -> Table:
    return _made(_numbered(step.named), table, now, table.columns)


def _made(named: Sequence[Named], table: Table, now: datetime, kept: Mapping[str, str]) -> Table:
    for each in named:
        _check(each.expression, table)
    rows = [
        {**{name: row.get(name) for name in kept}, **{each.name: _value(each.expression, row, now) for each in named}}
        for row in table.rows
    ]
    return Table({**kept, **{each.name: _type(each, table, rows) for each in named}}, rows)


def _numbered(named: Sequence[Named]) -> tuple[Named, ...]:
    """Every column has a name, and no two the same."""
    taken: set[str] = set()
    found = []
    for each in named:
        name, number = each.name or "Column1", 1
        while name in taken:
            name, number = f"{each.name or 'Column'}{number}", number + 1
        taken.add(name)
        found.append(replace(each, name=name))
    return tuple(found)


def _summarize(step: Step, table: Table, now: datetime) -> Table:
    by, named = _numbered(step.by), _numbered(step.named)
    for each in (*by, *named):
        _check(each.expression, table, aggregates=each in named)
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in table.rows:
        key = tuple(_hashable(_value(each.expression, row, now)) for each in by)
        groups.setdefault(key, []).append(row)
    if not by and not groups:
        groups[()] = []
    rows = [
        {
            **{each.name: _value(each.expression, members[0], now) for each in by if members},
            **{each.name: _aggregate(each.expression, members, now) for each in named},
        }
        for members in groups.values()
    ]
    return Table({each.name: _type(each, table, rows) for each in (*by, *named)}, rows)


def _order(step: Step, table: Table, now: datetime) -> Table:
    rows = list(table.rows)
    pairs = list(zip(step.named, step.descending, strict=True))
    for named, descending in reversed(pairs):
        _check(named.expression, table)
        rows.sort(key=lambda row, named=named: _sortable(_value(named.expression, row, now)), reverse=descending)  # type: ignore[misc]
    return replace(table, rows=rows)


def _take(step: Step, table: Table, now: datetime) -> Table:
    return replace(table, rows=table.rows[: step.limit])


def _top(step: Step, table: Table, now: datetime) -> Table:
    return _take(step, _order(step, table, now), now)


def _count(step: Step, table: Table, now: datetime) -> Table:
    return Table({"Count": "long"}, [{"Count": len(table.rows)}])


def _distinct(step: Step, table: Table, now: datetime) -> Table:
    made = _project(step, table, now) if step.named else table
    seen: dict[tuple[Any, ...], Row] = {}
    for row in made.rows:
        seen.setdefault(tuple(_hashable(row.get(name)) for name in made.columns), row)
    return replace(made, rows=list(seen.values()))


_STEPS: Mapping[str, Callable[[Step, Table, datetime], Table]] = {
    "where": _where, "project": _project, "extend": _extend, "summarize": _summarize, "order": _order, "take": _take,
    "top": _top, "count": _count, "distinct": _distinct,
}  # fmt: skip


def _type(named: Named, table: Table, rows: Sequence[Row]) -> str:
    """By its values; where there are none, by what the expression is."""
    for row in rows:
        value = row.get(named.name)
        if value is not None:
            return next((name for kind, name in TYPES if isinstance(value, kind)), "dynamic")
    expression = named.expression
    if isinstance(expression, Column):
        return table.columns[expression.name]
    if isinstance(expression, Call):
        if expression.name in ("count", "countif", "dcount", "tolong", "toint"):
            return "long"
        if expression.name in ("avg", "percentile", "todouble", "toreal", "sum", "stdev"):
            return "real"
        if expression.name in ("bin", "bin_at") and isinstance(expression.given[0], Column):
            return table.columns[expression.given[0].name]
    return "string"


def _check(expression: Expression, table: Table, aggregates: bool = False) -> None:
    """Raises QueryError for what does not exist, also where there is no row that would tell."""
    if isinstance(expression, Column) and expression.name not in table.columns:
        raise QueryError(f"Failed to resolve the column named '{expression.name}'")
    if isinstance(expression, Part):
        _check(expression.of, table)
    if isinstance(expression, Call):
        known = {**FUNCTIONS, **(AGGREGATES if aggregates else {})}
        if expression.name not in known and expression.name not in LAZY:
            kind = "aggregate" if expression.name in AGGREGATES else "function"
            raise QueryError(f"The {kind} '{expression.name}' is not supported here by the emulation")
        for each in expression.given:
            _check(each, table, aggregates)


def _value(expression: Expression, row: Row, now: datetime) -> Any:
    match expression:
        case Constant(value):
            return value
        case Column(name):
            return row.get(name)
        case Part(of, name):
            value = _value(of, row, now)
            if isinstance(value, list) and isinstance(name, int):
                return value[name] if 0 <= name < len(value) else None
            return value.get(name) if isinstance(value, dict) else None
        case Call("and", (left, right)):
            return _value(left, row, now) is True and _value(right, row, now) is True
        case Call("or", (left, right)):
            return _value(left, row, now) is True or _value(right, row, now) is True
        case Call("now", ()):
            return now
        case Call("now", (span,)):
            return _called("+", [now, _value(span, row, now)])
        case Call("ago", (span,)):
            return _called("-", [now, _value(span, row, now)])
        case Call(name, given):
            return _called(name, [_value(each, row, now) for each in given])
    raise AssertionError(expression)


def _called(name: str, given: list[Any]) -> Any:
    if name not in FUNCTIONS:
        raise QueryError(f"'{name}' cannot stand here, or takes another number of values")
    try:
        return FUNCTIONS[name](*given)
    except (TypeError, ValueError, OverflowError, AttributeError) as e:
        if any(value is None for value in given):
            return None
        raise QueryError(f"'{name}' cannot take {', '.join(type(value).__name__ for value in given)}") from e
    except ZeroDivisionError:
        return None


def _aggregate(expression: Expression, rows: Sequence[Row], now: datetime) -> Any:
    """The value of a group; what stands around the aggregates is computed from what they give."""
    if isinstance(expression, Call) and expression.name in AGGREGATES:
        return AGGREGATES[expression.name](expression.given, rows, now)
    if isinstance(expression, Call) and expression.name not in LAZY:
        return _called(expression.name, [_aggregate(each, rows, now) for each in expression.given])
    if isinstance(expression, Constant):
        return expression.value
    raise QueryError("Every column of summarize must be an aggregate, or stand behind by")


def _values(expression: Expression, rows: Sequence[Row], now: datetime) -> list[Any]:
    return [value for row in rows if (value := _value(expression, row, now)) is not None]


def _percentile(given: tuple[Expression, ...], rows: Sequence[Row], now: datetime) -> Any:
    """By nearest rank, as Kusto does for few values."""
    values = sorted(_values(given[0], rows, now))
    share = given[1]
    if not isinstance(share, Constant) or not isinstance(share.value, int | float) or not 0 <= share.value <= 100:
        raise QueryError("percentile takes a column and a number from 0 to 100")
    return values[max(0, math.ceil(share.value / 100 * len(values)) - 1)] if values else None


def _mean(values: list[Any]) -> Any:
    total = sum(values, timedelta()) if values and isinstance(values[0], timedelta) else sum(values)
    return total / len(values) if values else None


def _of_values(name: str, fold: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    def aggregate(given: tuple[Expression, ...], rows: Sequence[Row], now: datetime) -> Any:
        if len(given) != 1:
            raise QueryError(f"{name} takes one column")
        try:
            return fold(_values(given[0], rows, now))
        except TypeError as e:
            raise QueryError(f"{name} cannot take these values: {e}") from e

    return aggregate


AGGREGATES: Mapping[str, Callable[[tuple[Expression, ...], Sequence[Row], datetime], Any]] = {
    "count": lambda given, rows, now: len(rows),
    "countif": lambda given, rows, now: sum(_value(given[0], row, now) is True for row in rows),
    "sum": _of_values("sum", sum),
    "avg": _of_values("avg", _mean),
    "min": _of_values("min", lambda values: min(values, default=None)),
    "max": _of_values("max", lambda values: max(values, default=None)),
    "dcount": _of_values("dcount", lambda values: len({_hashable(value) for value in values})),
    "percentile": _percentile,
}


def _hashable(value: Any) -> Any:
    return repr(value) if isinstance(value, dict | list) else value


def _sortable(value: Any) -> tuple[int, Any]:
    """Nothing is least; values of one kind are compared, and kinds by their names."""
    if value is None:
        return 0, ("", 0)
    if isinstance(value, bool | int | float):
        return 1, ("number", value)
    return 1, (type(value).__name__, repr(value) if isinstance(value, dict | list) else value)
