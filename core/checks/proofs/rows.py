"""Rows that are not as the document says: columns too few or too many, other types, shapes; too many of them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from core.checks.asking.altering import changed, unlike
from core.checks.asking.refusals import lives_on, refused
from core.checks.document.forms import LISTED, ONE, holder
from core.checks.document.sizes import rows_in
from core.checks.outcome import NotApplicable, Violation
from core.checks.probe.exchange import REFUSED
from core.checks.probe.probe import Probe
from core.checks.registry import check
from core.domain.data import ColumnKind
from core.domain.signature import Column

WRONG: Mapping[ColumnKind, tuple[Any, ...]] = {
    ColumnKind.INTEGER: ("old", "41", 1.5, True, [1], {}),
    ColumnKind.NUMBER: ("high", "1.5", True, [1.0], {}),
    ColumnKind.STRING: (7, True, ["a"], {}),
    ColumnKind.BOOLEAN: ("yes", "true", 1, 0, [True], {}),
}
"""Values that no column of this kind may take."""


@check("wire", "A row without one of its required columns is rejected.")
def missing_columns_are_refused(probe: Probe) -> str:
    row = probe.sample(1)[0]
    required = sorted(probe.described.required)
    if not required:
        raise NotApplicable("the document does not require any column")
    tries = probe.tries(required)
    for name in tries:
        _refused_row(probe, {key: value for key, value in row.items() if key != name}, f"a row without '{name}'")
    return f"each of {tries} required columns left out: rejected"


@check("wire", "A row with a column that the document does not define is rejected.")
def unknown_columns_are_refused(probe: Probe) -> str:
    if not probe.described.strict:
        raise NotApplicable("the document does not forbid other columns")
    row, known = probe.sample(1)[0], {column.name for column in probe.described.signature.columns}
    for name in dict.fromkeys((unlike("no such column", known), "", "__proto__", "long" * 75)):
        if name not in known:
            _refused_row(probe, row | {name: 1}, f"the unknown column {name[:20]!r}")
    return "unknown columns: rejected"


@check("wire", "Rows that are not a list of objects are rejected.")
def other_shapes_are_refused(probe: Probe) -> str:
    form = probe.described.primary_form
    if form in ("mlflow", ONE):
        raise NotApplicable("the document's first form is not a list of objects")
    key, row = "Inputs.data" if form == "v2" else holder(form) or "the body", probe.sample(1)[0]
    body = probe.body([row])
    listed = msgspec.json.encode([row])
    shapes = {
        "a bare row": msgspec.json.encode(row),
        "rows as lists": msgspec.json.encode([list(row.values())]),
        "rows in a string": msgspec.json.encode(listed.decode()),
        "null": b"null",
        "a number": b"1",
        "null for a row": b"[null]",
        "rows by number": b'{"0": ' + msgspec.json.encode(row) + b"}",
    }
    for what, shape in shapes.items():
        refused(probe, changed(body, listed, shape), f"{what} as '{key}'")
    if form != LISTED:
        refused(probe, listed, "a list of rows alone")
    return f"{', '.join(shapes)} as '{key}': rejected"


@check("wire", "A value of the wrong type is rejected, in every column.")
def wrong_types_are_refused(probe: Probe) -> str:
    row = probe.sample(1)[0]
    wrong: list[tuple[Column, Any]] = []
    for column in probe.described.signature.used:
        # Only a document that forbids other columns is taken at its word where it does not speak of null.
        null = (None,) if probe.described.strict and not column.nullable else ()
        found = (*WRONG[column.kind], *_disguised(column, row[column.name]), *null)
        wrong += [(column, value) for value in found]
    tries = probe.tries(wrong)
    for column, value in tries:
        _refused_row(probe, row | {column.name: value}, f"{value!r} in the {column.kind} column '{column.name}'")
    return f"{tries} values of the wrong type, one at a time: rejected"


@check("wire", "A category that is not listed is rejected, also in another letter case.")
def unknown_categories_are_refused(probe: Probe) -> str:
    row = probe.sample(1)[0]
    closed = [column for column in probe.described.signature.used if column.closed]
    if not closed:
        raise NotApplicable("the document lists no closed set of categories")
    tries = probe.tries([(column.name, value) for column in closed for value in _strangers(column)])
    for name, value in tries:
        _refused_row(probe, row | {name: value}, f"{value!r} in '{name}'")
    return f"{tries} unknown categories and other letter cases in {len(closed)} columns: rejected"


@check("wire", "More rows than the document allows are rejected, and the next request is answered.")
def too_many_rows_are_refused(probe: Probe) -> str:
    most = probe.described.max_rows
    if most is None:
        raise NotApplicable("the document sets no row limit")
    rows = probe.sample(1)
    if rows_in(probe.described, rows[0]) <= most:
        raise NotApplicable(f"{most + 1:,} rows of this width are larger than a body may be")
    exchange = probe.post(probe.body(rows * (most + 1)))
    if exchange.status not in REFUSED:
        raise Violation(f"{most + 1} rows got {exchange.shown}, expected 413", exchange)
    lives_on(probe)
    return f"{most + 1} rows: {exchange.status}"


def _disguised(column: Column, value: Any) -> Iterator[Any]:
    """A valid value in a type that the column does not take: what a server that converts would score."""
    if value is None:
        return
    if column.kind is not ColumnKind.STRING:
        yield json.dumps(value)
    if column.kind is ColumnKind.INTEGER and not (value + 0.5).is_integer():
        yield value + 0.5
    yield from ([value], {"value": value})


def _refused_row(probe: Probe, row: dict[str, Any], what: str) -> None:
    refused(probe, probe.body([row]), what)


def _strangers(column: Column) -> Iterator[str]:
    known = set(column.levels)
    level = column.levels[0]
    yield from (name for name in ("never published", level.swapcase(), f" {level}", "") if name not in known)
