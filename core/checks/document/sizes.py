"""How much one request may hold: as the document says it, else a cautious size."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.checks.document.description import Described
from core.checks.document.schema import Json, flat
from core.contract import samples
from core.domain.data import ColumnKind
from core.domain.signature import METHODS, Column, Scalar

TOLD = re.compile(r"(\d+(?:\.\d+)?) ?(MB|MiB|KB|kB|KiB)\b")
"""A size within a sentence."""
UNITS = {"m": 2**20, "k": 2**10}
CAUTIOUS_BYTES = 2**20
"""Where no document speaks of it: what the gateways in front of most servers let through as they are installed."""
LARGE_BYTES = 16 * 2**20
"""No larger body is sent where it must be answered, whatever is allowed: that would say more of patience."""
ROWS_MAX = 10_000
"""More are never sent at once."""
CELLS_MAX = 500_000
"""So many cells of one request are drawn, about a second's worth; then its rows repeat."""


def told_bytes(described: Described) -> int | None:
    """The largest body of a scoring request, where the document names a size; else None.

    Only what it says of the operation counts: a column may be called `5 MB`.
    """
    for text in _sentences(described):
        if found := TOLD.search(text):
            return int(float(found[1]) * UNITS[found[2][0].lower()])
    return None


def body_bytes(described: Described) -> int:
    """How large a body may be that a correct endpoint has to answer."""
    return min(told_bytes(described) or CAUTIOUS_BYTES, LARGE_BYTES)


def rows_at_once(described: Described) -> int:
    """How many rows one request may hold, whatever their values and its form: by the document's number and by size."""
    used = described.drawn.used
    if not used or described.one_row:
        return described.max_rows or ROWS_MAX
    longest = {column.name: _longest(column) for column in used}
    most = min(ROWS_MAX, *(rows_in(described, longest, form) for form in described.forms))
    return max(1, most if described.max_rows is None else min(most, described.max_rows))


def rows_in(described: Described, row: Mapping[str, Any], form: str = "") -> int:
    """How many times this row fits into a body of this form, by size alone."""
    one, two = (len(described.body([row] * count, METHODS[-1], form)) for count in (1, 2))
    return (body_bytes(described) - (one - (two - one))) // max(1, two - one)


def _longest(column: Column) -> Scalar:
    """The value of the column that takes the most bytes."""
    if column.levels:
        return max(column.levels, key=lambda level: len(json.dumps(level)))
    if column.kind is ColumnKind.BOOLEAN:
        return False
    return samples.UNSEEN if column.kind is ColumnKind.STRING else LONGEST_NUMBER


LONGEST_NUMBER = -1.2345678901234567e-300


def _sentences(described: Described) -> Iterator[str]:
    document = described.document
    operation = document["paths"][described.score_path]["post"]
    responses = operation.get("responses", {})
    parts: list[Json] = [operation, operation.get("requestBody", {}), responses.get("413", {})]
    parts += [*operation.get("parameters", ()), document.get("info", {})]
    yield from (str(flat(document, part).get("description", "")) for part in parts)
