"""JSON Schemas of what a model takes and gives, in the words of each version of the published document."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from core.contract.cells import FLOAT64_MAX, INT64_MAX, INT64_MIN
from core.contract.samples import typical_row
from core.domain.data import ColumnKind
from core.domain.signature import Column, Scalar, Signature

Schema = dict[str, Any]


class Dialect(StrEnum):
    """A version of the document, by the name that `/swagger.json?version=` takes."""

    V2 = "2"
    V3 = "3"
    V31 = "3.1"


def nullable(schema: Schema, dialect: Dialect) -> Schema:
    """The schema with null allowed, as far as the dialect can say so."""
    if dialect is Dialect.V2:
        return {**schema, "x-nullable": True}
    if "enum" in schema:
        schema = {**schema, "enum": [*schema["enum"], None]}
    if dialect is Dialect.V3:
        return {**schema, "nullable": True}
    return {**schema, "type": [schema["type"], "null"]}


def column_schema(column: Column, dialect: Dialect, *, accept_unseen: bool) -> Schema:
    """What one column accepts; the observed range stands beside it and is no contract."""
    if not column.used:
        return {"description": "Not used by the model: accepted and ignored.", **any_scalar(dialect)}
    schema = _kind_schema(column.kind)
    if column.closed and not accept_unseen:
        schema["enum"] = list(column.levels)
    if column.nullable:
        schema = nullable(schema, dialect)
    if column.low is not None and column.high is not None:
        schema["x-observed"] = {"low": column.low, "high": column.high}
    return schema


def any_scalar(dialect: Dialect) -> Schema:
    """A string, number, boolean or null."""
    if dialect is Dialect.V3:
        # 3.0 has no list of types, and its `nullable` means something only beside a `type`.
        return {"anyOf": [{"type": "string", "nullable": True}, {"type": "number"}, {"type": "boolean"}]}
    scalars = ["string", "number", "boolean"]
    return {"type": scalars, "x-nullable": True} if dialect is Dialect.V2 else {"type": [*scalars, "null"]}


def row_schema(signature: Signature, dialect: Dialect, *, accept_unseen: bool) -> Schema:
    """One row as a record."""
    required = [c.name for c in signature.used if not c.nullable]
    properties = {c.name: column_schema(c, dialect, accept_unseen=accept_unseen) for c in signature.columns}
    return _object(properties, required)


def v1_schema(row: Schema, max_rows: int, methods: Sequence[str]) -> Schema:
    """`{"data": [...], "method": ...}`."""
    return _object({"data": _rows(row, max_rows), "method": _method(methods)}, ["data"])


def v2_schema(row: Schema, max_rows: int, methods: Sequence[str]) -> Schema:
    """`{"Inputs": {"data": [...]}, "GlobalParameters": {"method": ...}}`."""
    inputs = _object({"data": _rows(row, max_rows)}, ["data"])
    return _object({"Inputs": inputs, "GlobalParameters": _object({"method": _method(methods)}, [])}, ["Inputs"])


def mlflow_schema(signature: Signature, dialect: Dialect, max_rows: int, *, accept_unseen: bool) -> Schema:
    """`{"input_data": {"columns": [...], "index": [...], "data": [[...]]}, "params": {"method": ...}}`.

    Only 3.1 can type the cells of an array by position. The older dialects state the form by the typical row alone,
    so that what they allow is true.
    """

    def positional(columns: Sequence[Column]) -> Schema:
        cells = [column_schema(c, dialect, accept_unseen=accept_unseen) for c in columns]
        return _split([c.name for c in columns], _tuple(cells), max_rows, _exactly)

    if dialect is Dialect.V31:
        choices = [positional(signature.used)]
        if len(signature.used) < len(signature.columns):
            choices.append(positional(signature.columns))
        split = choices[0] if len(choices) == 1 else {"oneOf": choices}
    else:
        typical = typical_row(signature)
        row = {"type": "array", "items": {}, "enum": [list(typical.values())]}
        split = _split(list(typical), row, max_rows, _only)
    return _object({"input_data": split, "params": _object({"method": _method(signature.methods)}, [])}, ["input_data"])


def prediction_schema(classes: Sequence[Scalar]) -> Schema:
    """One row's answer: a class, or with `predict_proba` one probability per class; a number where there are none."""
    if not classes:
        return {"type": "number"}
    label: Schema = {"enum": list(classes)}
    if kind := _shared_type(classes):
        label = {"type": kind, **label}
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    size = len(classes)
    return {"anyOf": [label, {"type": "array", "items": probability, "minItems": size, "maxItems": size}]}


def reply_schema(form: str, prediction: Schema, *, legacy_reply: bool) -> Schema:
    """The reply to one form."""
    results = {"type": "array", "items": prediction}
    if form == "mlflow":
        return results
    if form == "v2":
        return _object({"Results": results}, ["Results"])
    if legacy_reply:
        return {"type": "string", "description": 'JSON in a string, as early AutoML services sent: {"result": [...]}'}
    return _object({"result": results}, ["result"])


def error_schema(details_max: int) -> Schema:
    """The one shape of every refusal."""
    detail = _object(
        {
            "row": {"type": "integer", "format": "int64", "minimum": -1, "description": "From 0; -1: no row."},
            "column": {"type": "string"},
            "problem": {"type": "string"},
        },
        ["row", "column", "problem"],
    )
    details = {"type": "array", "items": detail, "maxItems": details_max}
    return _object({"message": {"type": "string"}, "details": details}, ["message", "details"])


def _kind_schema(kind: ColumnKind) -> Schema:
    match kind:
        case ColumnKind.INTEGER:
            return {"type": "integer", "format": "int64", "minimum": INT64_MIN, "maximum": INT64_MAX}
        case ColumnKind.NUMBER:
            return {"type": "number", "format": "double", "minimum": -FLOAT64_MAX, "maximum": FLOAT64_MAX}
        case ColumnKind.BOOLEAN:
            return {"type": "boolean"}
        case ColumnKind.STRING:
            return {"type": "string"}


def _tuple(items: Sequence[Schema]) -> Schema:
    """An array typed by position. `maxItems` says what `items: false` would, which client generators do not read."""
    return {"type": "array", "prefixItems": list(items), "minItems": len(items), "maxItems": len(items)}


def _exactly(names: Sequence[str]) -> Schema:
    return _tuple([{"type": "string", "const": name} for name in names])


def _object(properties: Schema, required: Sequence[str]) -> Schema:
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def _rows(row: Schema, max_rows: int) -> Schema:
    return {"type": "array", "items": row, "maxItems": max_rows}


def _method(methods: Sequence[str]) -> Schema:
    return {"type": "string", "enum": list(methods), "default": methods[0]}


def _only(names: list[str]) -> Schema:
    return {"type": "array", "items": {"type": "string"}, "enum": [names]}


def _split(names: list[str], row: Schema, max_rows: int, exactly: Callable[[list[str]], Schema]) -> Schema:
    index = {"type": "array", "items": {}, "description": "Accepted and ignored."}
    return _object({"columns": exactly(names), "index": index, "data": _rows(row, max_rows)}, ["columns", "data"])


def _shared_type(classes: Sequence[Scalar]) -> str:
    """The JSON type of all classes; empty when they differ."""
    names = {str: "string", bool: "boolean", int: "integer", float: "number"}
    kinds = {names[type(c)] for c in classes}
    return kinds.pop() if len(kinds) == 1 else ""
