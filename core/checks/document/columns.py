"""The columns of a row, as far as the schema of one tells them; its example tells the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.checks.document.schema import Json, examples, flat
from core.domain.data import NUMERIC, ColumnKind
from core.domain.signature import Column, Scalar

NO_RANGE = (0.0, 100.0)
"""Where neither the schema nor an example tells a range, numbers are drawn from here."""
AROUND = (0.5, 1.5)
"""Where only an example tells where a number lies, numbers are drawn from these multiples of it."""
STEP = 1e-6
"""So far inside of an exclusive bound are numbers drawn."""
NARROW = 1e6
"""Bounds further apart than this say what a number can hold (64 bits), not where it lies."""
FAR = 3
"""And they are plausible up to this multiple of it; numbers that are not whole, down to its negative too."""
STORED = 2**31 - 1
"""Bounds from here on say what a number can hold."""


SIZED = ("int32", "int64", "float", "double")
"""Formats that say how many bits a number has."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What the document says of a numeric column's range, both ends included; None where it says nothing."""

    least: int | float | None
    most: int | float | None
    sized: bool
    """A format or a bound keeps numbers out that no 64 bits hold."""


@dataclass(frozen=True, slots=True)
class Domain:
    """Where the values of a numeric column lie, all ends included."""

    low: float
    high: float
    """All that is declared; where nothing is, what is plausible."""
    near: tuple[float, float]
    """Where values are expected: as observed, else around the example."""
    told: bool = True
    """The document says that it reaches so far; else it is a guess."""
    values: tuple[int | float, ...] = ()
    """The only ones, where they are listed."""
    multiple: float = 0.0
    """Whose multiples they are; 0: any."""

    @property
    def nearby(self) -> "Domain":
        """As much of it as is near."""
        return replace(self, low=self.near[0], high=self.near[1])


def domains_of(document: Json, row: Json, shown: Mapping[str, Scalar]) -> dict[str, Domain]:
    """The domains of the numeric columns of `row`, by name."""
    schemas = {name: flat(document, schema) for name, schema in row.get("properties", {}).items()}
    return {name: _domain(found, shown.get(name)) for name, found in schemas.items() if found.get("type") in NUMERIC}


def _domain(schema: Json, shown: Scalar | None) -> Domain:
    allowed = [schema["const"]] if "const" in schema else schema.get("enum", ())
    typical = shown if shown is not None else next(iter(examples(schema)), None)
    near = _range(schema, allowed, typical)
    numbers = tuple(value for value in allowed if isinstance(value, int | float))
    if numbers:
        return Domain(min(numbers), max(numbers), near, values=numbers)
    step = 1 if schema.get("type") == ColumnKind.INTEGER else STEP
    least, most = _bound(schema, "inimum", step), _bound(schema, "aximum", -step)
    (low, high), told = _plausible(schema, typical, near)
    held_low, held_high = (bound is not None and abs(bound) < STORED for bound in (least, most))
    low, high = (least if held_low and least is not None else low), (most if held_high and most is not None else high)
    low, high = (low if least is None else max(low, least)), (high if most is None else min(high, most))
    told = told or (held_low and held_high)
    return Domain(min(low, near[0]), max(high, near[1]), near, told, multiple=abs(schema.get("multipleOf", 0)))


def _plausible(schema: Json, typical: Scalar | None, near: tuple[float, float]) -> tuple[tuple[float, float], bool]:
    """How far values may reach where no bound says it, and whether that is more than a guess."""
    if schema.get("x-observed") or not isinstance(typical, int | float) or not typical:
        return near, True
    far = [typical * times for times in (FAR, 0 if schema.get("type") == ColumnKind.INTEGER else -1)]
    return (min(far), max(far)), False


def declared_of(document: Json, row: Json) -> dict[str, Declared]:
    """The declared ranges of the numeric columns of `row`, by name."""
    schemas = {name: flat(document, schema) for name, schema in row.get("properties", {}).items()}
    return {name: _declared(schema) for name, schema in schemas.items() if schema.get("type") in set(NUMERIC)}


def _declared(schema: Json) -> Declared:
    if "enum" in schema or "const" in schema:
        return Declared(None, None, sized=True)
    told = [schema.get(word) if not schema.get(f"exclusiveM{word[1:]}") else None for word in ("minimum", "maximum")]
    bounded = any(word in schema for word in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"))
    return Declared(told[0], told[1], sized=bounded or schema.get("format") in SIZED)


def columns_of(document: Json, row: Json, shown: Mapping[str, Scalar]) -> tuple[Column, ...]:
    """The columns of `row`, the schema of one row; `shown` is an example of one."""
    required = row.get("required", ())
    properties = row.get("properties", {})
    return tuple(
        _column(name, flat(document, schema), name in required, shown.get(name)) for name, schema in properties.items()
    )


def _column(name: str, schema: Json, required: bool, shown: Scalar | None) -> Column:
    """A column of no single scalar type that may be left out is one that the model ignores."""
    allowed = [schema["const"]] if "const" in schema else schema.get("enum", ())
    levels = tuple(level for level in allowed if isinstance(level, str))
    kind = _kind(schema, levels)
    typical = shown if shown is not None else next(iter(examples(schema)), None)
    seen = tuple(dict.fromkeys(value for value in (typical, *examples(schema)) if isinstance(value, str)))
    low, high = _range(schema, allowed, typical) if kind in NUMERIC else (None, None)
    return Column(
        name=name,
        kind=kind or ColumnKind.STRING,
        nullable=schema.get("nullable", False),
        levels=levels or (seen if kind is ColumnKind.STRING else ()),
        closed=bool(levels),
        typical=typical,
        low=low,
        high=high,
        used=kind is not None or required,
    )


def _kind(schema: Json, levels: tuple[str, ...]) -> ColumnKind | None:
    if schema.get("type") in set(ColumnKind):
        return ColumnKind(schema["type"])
    return ColumnKind.STRING if levels else None


def _range(schema: Json, allowed: Any, typical: Scalar | None) -> tuple[float, float]:
    """Where values are drawn from: always within what the schema allows."""
    numbers = sorted(value for value in allowed if isinstance(value, int | float))
    if numbers:
        # A column has no list of allowed numbers, only a range: all of them where they are neighbours, else one.
        return (numbers[0], numbers[-1] if numbers[-1] - numbers[0] == len(numbers) - 1 else numbers[0])
    step = 1 if schema.get("type") == ColumnKind.INTEGER else STEP
    least, most = _bound(schema, "inimum", step), _bound(schema, "aximum", -step)
    low, high = _observed(schema, typical, least, most)
    if least is not None and low < least:
        low, high = least, (high if high > least else least + NO_RANGE[1])
    if most is not None and high > most:
        low, high = (low if low < most else most - NO_RANGE[1]), most
    return (low if least is None else max(low, least)), max(low, high)


def _observed(schema: Json, typical: Scalar | None, least: float | None, most: float | None) -> tuple[float, float]:
    observed = schema.get("x-observed", {})
    if observed:
        return observed.get("low", NO_RANGE[0]), observed.get("high", NO_RANGE[1])
    if isinstance(typical, int | float) and typical:
        low, high = sorted(typical * times for times in AROUND)
        return low, high
    if least is not None and most is not None and most - least <= NARROW:
        return least, most
    return NO_RANGE


def _bound(schema: Json, word: str, step: float) -> float | None:
    """`minimum` or `maximum`, and a step inside of the exclusive ones (a number in 3.1, `true` in 2.0 and 3.0)."""
    bound, exclusive = schema.get(f"m{word}"), schema.get(f"exclusiveM{word}")
    if isinstance(exclusive, bool):
        return bound + step if exclusive and bound is not None else bound
    inside = None if exclusive is None else exclusive + step
    told = [value for value in (bound, inside) if value is not None]
    return (max(told) if step > 0 else min(told)) if told else None
