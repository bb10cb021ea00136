"""What a query consists of, once it is read."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands in the query."""

    value: Any


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name."""

    name: str


@dataclass(frozen=True, slots=True)
class Part:
    """A member of a dynamic value: `customDimensions.name` or `customDimensions["name"]`."""

    of: "Expression"
    name: Any


@dataclass(frozen=True, slots=True)
class Call:
    """A function, or an operator between two values under its sign, with what it is given."""

    name: str
    given: tuple["Expression", ...]


Expression = Constant | Column | Part | Call


@dataclass(frozen=True, slots=True)
class Named:
    """An expression and the column that it becomes."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Step:
    """One operator of the pipe."""

    operator: str
    named: tuple[Named, ...] = ()
    by: tuple[Named, ...] = ()
    """What rows are put together by."""
    descending: tuple[bool, ...] = ()
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """A table and what happens to its rows."""

    table: str
    steps: tuple[Step, ...] = field(default=())


def usual_name(expression: Expression) -> str:
    """What Kusto calls a column that nobody has named: `avg_duration`, `count_`, `customDimensions_name`."""
    if isinstance(expression, Column):
        return expression.name
    if isinstance(expression, Part):
        return f"{usual_name(expression.of)}_{expression.name}"
    if isinstance(expression, Call):
        first = usual_name(expression.given[0]) if expression.given else ""
        if expression.name in (
            "bin",
            "bin_at",
            "tostring",
            "toint",
            "tolong",
            "todouble",
            "toreal",
            "tolower",
            "round",
        ):
            return first
        if expression.name == "percentile" and len(expression.given) == 2:
            second = expression.given[1]
            return f"percentile_{first}_{second.value if isinstance(second, Constant) else ''}"
        return f"{expression.name}_{first}" if expression.name.isidentifier() else ""
    return ""
