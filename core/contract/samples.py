"""Valid rows and bodies made from the signature alone: for parity, load tests, examples. Never a row of a table."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import msgspec

from core.contract.cells import INT64_MAX, INT64_MIN
from core.domain.data import ColumnKind
from core.domain.errors import SpecInvalid
from core.domain.signature import FORMS, Column, Scalar, Signature

Row = dict[str, Scalar | None]

NULL_SHARE = 0.1
UNSEEN_SHARE = 0.05
"""Open text columns get an unknown level this often, so that samples reach the model's way with unseen values."""
ELSEWHERE = ("dataframe_records", "instances")
"""Forms of other servers: `mlflow models serve` takes both, KServe the second."""
UNSEEN = "never seen before"


def typical_row(signature: Signature) -> Row:
    """One row of typical values (medians, most frequent levels) of the columns that the model reads."""
    return {c.name: _typical(c) for c in signature.used}


def rows(signature: Signature, n: int, seed: int) -> list[Row]:
    """`n` random valid rows: numbers within the observed range, known levels, nulls where the column allows them."""
    random = Random(seed)  # noqa: S311 - repeatable samples, no secret
    return [{c.name: _value(c, random) for c in signature.used} for _ in range(n)]


def batch(signature: Signature, rows: Sequence[Mapping[str, Scalar | None]]) -> tuple[list[Any], ...]:
    """The rows as the predictor takes them: one list per column of `signature.used`, None where a value is missing."""
    return tuple([row.get(c.name) for row in rows] for c in signature.used)


def body(rows: Sequence[Mapping[str, Scalar | None]], form: str = "v1", method: str | None = None) -> bytes:
    """A request body with these rows in one of the three forms or of `ELSEWHERE`. Raises SpecInvalid for any other.

    The MLflow form takes its columns from the first row.
    """
    parameters = {} if method is None else {"method": method}
    if form == "v1":
        return msgspec.json.encode({"data": rows, **parameters})
    if form == "v2":
        wrapped: dict[str, Any] = {"Inputs": {"data": rows}}
        return msgspec.json.encode(wrapped | ({"GlobalParameters": parameters} if parameters else {}))
    if form == "mlflow":
        columns = list(rows[0]) if rows else []
        split = {"columns": columns, "data": [[row.get(name) for name in columns] for row in rows]}
        return msgspec.json.encode({"input_data": split} | ({"params": parameters} if parameters else {}))
    if form in ELSEWHERE:
        return msgspec.json.encode({form: rows} | ({"params": parameters} if parameters else {}))
    raise SpecInvalid(f"'{form}' is not a request form", hint=f"The forms are {', '.join(FORMS)}")


def _typical(column: Column) -> Scalar | None:
    if column.closed and column.typical not in column.levels:
        return column.levels[0]
    if column.typical is not None or column.nullable:
        return column.typical
    blank: dict[ColumnKind, Scalar] = {ColumnKind.INTEGER: 0, ColumnKind.NUMBER: 0.0, ColumnKind.BOOLEAN: False}
    return blank.get(column.kind, "")


def _value(column: Column, random: Random) -> Scalar | None:
    if column.nullable and random.random() < NULL_SHARE:
        return None
    match column.kind:
        case ColumnKind.BOOLEAN:
            return random.random() < 0.5
        case ColumnKind.STRING:
            return _text(column, random)
        case ColumnKind.INTEGER:
            return random.randint(*(min(max(round(end), INT64_MIN), INT64_MAX) for end in _range(column)))
        case ColumnKind.NUMBER:
            return between(random, *_range(column))


def between(random: Random, low: float, high: float) -> float:
    """A number of this range; `Random.uniform` overflows where it is wider than a double."""
    part = random.random()
    return min(max(low * (1 - part) + high * part, low), high)


def _text(column: Column, random: Random) -> str:
    if column.levels and (column.closed or random.random() >= UNSEEN_SHARE):
        return random.choice(column.levels)
    return UNSEEN


def _range(column: Column) -> tuple[float, float]:
    """The observed range; around the typical value where none was observed."""
    centre = float(column.typical or 0)
    low = centre if column.low is None else column.low
    return low, max(low, centre if column.high is None else column.high)
