"""The forms in which an endpoint takes rows: found in its document, and written as bytes.

A form is one of Azure's three (`v1`, `v2`, `mlflow`), `LISTED`, `ONE`, or the key of the body that holds the rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from core.checks.document.schema import Json, alternatives, examples, flat
from core.contract import samples
from core.domain.data import ColumnKind
from core.domain.signature import FORMS, METHODS

KNOWN = {
    "data": "v1",
    "Inputs": "v2",
    "input_data": "mlflow",
    "dataframe_records": "dataframe_records",
    "instances": "instances",
}
"""A body's telling key -> the form: Azure's three, that of `mlflow models serve`, and KServe's."""
LISTED = "a list of rows"
"""The body is the list itself."""
ONE = "a single row"
"""The body is one row: a request scores one."""
HOLDERS = {"v1": (), "v2": ("GlobalParameters",)}
"""Where a form holds `method`; all others under `params`."""


def shapes(document: Json, body: Json) -> dict[str, dict[str, Any]]:
    """Form -> the schema of a body in that form."""
    found: dict[str, dict[str, Any]] = {}
    for shape in alternatives(document, body):
        for form in _forms(document, shape):
            found.setdefault(form, shape)
    return found


def holder(form: str) -> str:
    """The key of the body that holds the rows of this form; empty where the body is the rows."""
    key = next((key for key, known in KNOWN.items() if known == form), form)
    return "" if form in (LISTED, ONE) else key


def table(document: Json, found: Mapping[str, Json]) -> dict[str, Any]:
    """The schema of the array of rows, from a form whose rows are records; empty where there is none."""
    for form, shape in found.items():
        if form == LISTED:
            return dict(shape)
        if form == ONE:
            return {"items": shape, "minItems": 1}
        if form != "mlflow":
            rows = flat(document, shape["properties"][holder(form)])
            return flat(document, rows.get("properties", {}).get("data", {})) if form == "v2" else rows
    return {}


def methods(document: Json, form: str, shape: Json) -> tuple[str, ...]:
    """The values of `method` that a body in this form may ask for."""
    if form in (LISTED, ONE):
        return ()
    node: Json = shape
    for step in HOLDERS.get(form, ("params",) if form in KNOWN.values() else ()):
        node = flat(document, node.get("properties", {}).get(step, {}))
    method = flat(document, node.get("properties", {}).get("method", {}))
    if not method.get("type"):
        return ()
    # Azure's documents say only that the method is a string; its services know these two.
    return tuple(method.get("enum", METHODS if form in KNOWN.values() else ()))


def beside(document: Json, form: str, shape: Json) -> dict[str, Any]:
    """What a body must hold besides its rows."""
    if form in (LISTED, ONE, "mlflow"):
        return {}
    properties = shape.get("properties", {})
    needed = [name for name in shape.get("required", ()) if name != holder(form) and name in properties]
    return {name: _filler(document, properties[name]) for name in needed}


def written(
    rows: Sequence[Mapping[str, Any]], form: str, method: str | None = None, more: Mapping[str, Any] | None = None
) -> bytes:
    """A request body with these rows (`ONE`: with the first of them) in any form, and `more` beside them."""
    if form == LISTED:
        return msgspec.json.encode(rows)
    if form == ONE:
        return msgspec.json.encode(rows[0])
    if form in FORMS:
        body = samples.body(rows, form, method)
        return msgspec.json.encode({**more, **msgspec.json.decode(body)}) if more else body
    told: dict[str, Any] = {} if method is None else {"method": method}
    if form in KNOWN.values() and told:
        told = {"params": told}
    return msgspec.json.encode({form: rows, **(more or {}), **told})


def example_row(document: Json, form: str, shape: Json, shown: list[Any]) -> Json:
    """The first row in the examples of bodies, or in those that stand at the rows; empty where there is none."""
    key = holder(form)
    for example in (*shown, *_inner_examples(document, key, shape)):
        inner = example.get("Inputs", example) if isinstance(example, Mapping) else example
        for rows in _rows_in(inner, form):
            if isinstance(rows, list) and rows and isinstance(rows[0], Mapping):
                return rows[0]
    return {}


def _rows_in(inner: Any, form: str) -> Iterator[Any]:
    if not isinstance(inner, Mapping):
        yield inner
        return
    yield from (inner.get(key) for key in (holder(form), *KNOWN))
    if form == ONE:
        yield [inner]


def _inner_examples(document: Json, key: str, shape: Json) -> Iterator[Any]:
    """Bodies made of the examples that stand at the arrays of rows themselves."""
    for name in dict.fromkeys((key, *KNOWN)):
        rows = flat(document, shape.get("properties", {}).get(name, {})) if name else shape
        yield from ({"data": shown} for shown in examples(rows))
        yield from ({"data": [shown]} for shown in examples(flat(document, rows.get("items", {}))))


def _forms(document: Json, shape: Json) -> Iterator[str]:
    properties = {name: flat(document, schema) for name, schema in shape.get("properties", {}).items()}
    known = [KNOWN[name] for name, schema in properties.items() if name in KNOWN and not _is_scalar(schema)]
    if known:
        yield from known
    elif _is_table(document, shape):
        yield LISTED
    elif holders := [name for name, schema in properties.items() if _is_table(document, schema)]:
        yield holders[0]
    elif _is_row(document, shape):
        yield ONE


def _is_table(document: Json, schema: Json) -> bool:
    return schema.get("type") == "array" and _is_row(document, schema.get("items", {}))


def _is_row(document: Json, schema: Json) -> bool:
    """An object of named scalars: what a table's row is. Optional columns may be anything."""
    row = flat(document, schema)
    columns = {name: flat(document, column) for name, column in row.get("properties", {}).items()}
    needed = [columns[name] for name in row.get("required", columns) if name in columns]
    return bool(needed or columns) and all(map(_is_scalar, needed))


def _is_scalar(schema: Json) -> bool:
    return schema.get("type") in set(ColumnKind) or ("type" not in schema and ("enum" in schema or "const" in schema))


FILLED_MAX = 8
"""Objects within each other that are filled in: one that needs itself within itself has no end."""


def _filler(document: Json, schema: Any, depth: int = 0) -> Any:
    """Some value that the schema allows, its own example first."""
    found = flat(document, schema)
    told = [*examples(found), *(found[word] for word in ("default", "const") if word in found), *found.get("enum", ())]
    if told:
        return told[0]
    if found.get("type") == "object":
        properties, needed = found.get("properties", {}), found.get("required", ()) if depth < FILLED_MAX else ()
        return {name: _filler(document, properties.get(name, {}), depth + 1) for name in needed}
    least = found.get("minimum", 0)
    return {"string": "x" * found.get("minLength", 0), "boolean": False, "array": []}.get(str(found.get("type")), least)
