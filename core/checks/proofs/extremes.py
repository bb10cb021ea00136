"""Values at the edge of what a document allows, and beyond it: numbers, texts, categories, one column at a time."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from core.checks.asking.altering import with_literal
from core.checks.asking.answers import answers, same
from core.checks.asking.refusals import refused
from core.checks.effort import Profile
from core.checks.outcome import NotApplicable, Violation
from core.checks.probe.exchange import REFUSED, Exchange
from core.checks.probe.probe import Probe
from core.checks.registry import check
from core.domain.data import NUMERIC, ColumnKind
from core.domain.signature import Column

BEYOND_64_BITS = ("1e999", "-1e999", "1" + "0" * 400)
TEXTS: Mapping[str, bytes] = {
    "half a surrogate pair": rb'"\ud800"',
    "a reversed surrogate pair": rb'"\udc00\ud800"',
    "a NUL": rb'"\u0000"',
    "100,000 characters": b'"' + b"x" * 100_000 + b'"',
    "four-byte characters": '"😀𝒳"'.encode(),
}


@check("semantic", "Both ends of every column's range can be scored, one at a time.")
def both_bounds_are_scored(probe: Probe) -> str:
    tries = probe.tries([(column.name, end) for column in _numeric(probe) for end in _bounds(probe, column)])
    for name, end in tries:
        answers(probe, [probe.sample(1)[0] | {name: end}])
    return f"{tries} bounds, one at a time: all scored"


def _bounds(probe: Probe, column: Column) -> list[float]:
    declared = probe.described.declared.get(column.name)
    ends = {column.low, column.high} | ({declared.least, declared.most} if declared else set())
    found = sorted(end for end in ends if end is not None)
    return [int(end) for end in found] if column.kind is ColumnKind.INTEGER else found


@check("semantic", "An integer means the same with a decimal point: 7.0 is 7.")
def integral_numbers_are_integers(probe: Probe) -> str:
    whole = [column for column in _numeric(probe) if column.kind is ColumnKind.INTEGER]
    if not whole:
        raise NotApplicable("the document has no integer column")
    row = probe.sample(1)[0]
    name = whole[0].name
    (usual,), first = answers(probe, [row])
    second = _with(probe, row, name, f"{row[name]}.0".encode())
    if second.status in REFUSED:
        return f"{row[name]}.0 in '{name}': rejected"
    (other,) = _unwrapped(probe, second)
    if not same(usual, other):
        raise Violation(f"{row[name]} in '{name}' got {usual}, {row[name]}.0 got {other}", first, second)
    return f"{row[name]}.0 in '{name}': the same answer as {row[name]}"


@check("wire", "Numbers outside a column's declared range are rejected, and so are numbers that do not fit in 64 bits.")
def numbers_beyond_their_range_are_refused(probe: Probe) -> str:
    row, numeric = probe.sample(1)[0], _numeric(probe)
    tries = probe.tries([(column.name, *beyond) for column in numeric for beyond in _beyond(probe, column)])
    for name, literal, must in tries:
        exchange = _with(probe, row, name, literal.encode())
        if must and exchange.status not in REFUSED:
            raise Violation(f"{literal[:20]} in '{name}' got {exchange.shown}, expected 400", exchange)
        _survived(exchange, f"{literal[:20]} in '{name}'")
    return f"{tries} numbers beyond a range, one at a time: rejected where the document forbids them"


@check("wire", "Strings that programs often mishandle are answered or rejected, and never cause a server error.")
def odd_texts_are_no_fault(probe: Probe) -> str:
    texts = [c for c in probe.described.signature.used if c.kind is ColumnKind.STRING]
    if not texts:
        raise NotApplicable("the document has no text column")
    row = probe.sample(1)[0]
    tries = probe.tries([(column, what) for column in texts for what in TEXTS])
    for column, what in tries:
        exchange = _with(probe, row, column.name, TEXTS[what])
        if column.closed and json.loads(TEXTS[what]) not in column.levels and exchange.status not in REFUSED:
            raise Violation(f"{what} in '{column.name}' got {exchange.shown}, expected 400", exchange)
        _survived(exchange, f"{what} in '{column.name}'")
    return f"{', '.join(TEXTS)} in {len(texts)} columns, {tries} tries: no server error"


@check("wire", "Bytes that are not UTF-8 are rejected, wherever they are.")
def bad_utf8_is_refused(probe: Probe) -> str:
    row = probe.sample(1)[0]
    texts = [c for c in probe.described.signature.used if c.kind is ColumnKind.STRING]
    if not texts:
        raise NotApplicable("the document has no text column")
    for column in texts[:5]:
        level = (column.levels or ("Oslo",))[0].encode()
        middle = len(level) // 2
        for what, byte in {
            "a stray byte": b"\xff",
            "a truncated character": b"\xc3",
            "a surrogate": b"\xed\xa0\x80",
        }.items():
            literal = b'"' + level[:middle] + byte + level[middle:] + b'"'
            exchange = _with(probe, row, column.name, literal)
            # Python reads halves of pairs into strings, and so do many servers: only our contract says what to do.
            lenient = what == "a surrogate" and probe.profile is not Profile.SLIPWAY and not column.closed
            if exchange.status not in REFUSED and not (lenient and exchange.status < 500):
                raise Violation(f"{what} in '{column.name}' got {exchange.shown}, expected 400", exchange)
    return "stray bytes, truncated characters and surrogates: rejected"


@check("wire", "Categories must match exactly: no other letter case, no extra space, no part of one.")
def categories_are_exact(probe: Probe) -> str:
    closed = [c for c in probe.described.signature.used if c.closed and c.kind is ColumnKind.STRING]
    if not closed:
        raise NotApplicable("the document lists no closed set of categories")
    row, tries = probe.sample(1)[0], probe.tries([(column.name, value) for column in closed for value in _near(column)])
    for name, value in tries:
        refused(probe, probe.body([row | {name: value}]), f"'{value}' in '{name}'")
    return f"{tries} near misses of categories: rejected"


NEAR_MAX = 60


def _near(column: Column) -> list[str]:
    """What is almost a category: every level in other letter cases, and the first with spaces and cut short."""
    made = [changed for level in column.levels for changed in (level.swapcase(), level.upper(), level.title())]
    first = column.levels[0]
    made += [f"{first} ", f" {first}", first[:-1], first + first[-1:], f"{first}\n", f"{first}\0"]
    known = set(column.levels)
    return [value for value in dict.fromkeys(made) if value not in known][:NEAR_MAX]


def _beyond(probe: Probe, column: Column) -> Iterator[tuple[str, bool]]:
    """Literals outside of the range, and whether the document forbids them."""
    declared = probe.described.declared.get(column.name)
    if declared is None:
        return
    if column.kind is ColumnKind.INTEGER:
        yield from ((str(int(end) + step), True) for end, step in _ends(declared.least, declared.most))
        yield from ((literal, declared.sized) for literal in (str(2**63), str(-(2**63) - 1)))
    else:
        yield from ((repr(_past(end, step)), True) for end, step in _ends(declared.least, declared.most))
    for end, step in ((declared.most, 1), (declared.least, -1)):
        if column.kind is ColumnKind.NUMBER and end is None:
            yield f"{step}e300", False
    for literal in BEYOND_64_BITS:
        # An integer of any length is one, unless its size is told; a number that is infinite as a double is none.
        yield literal, declared.sized or (column.kind is ColumnKind.NUMBER and probe.described.strict)


def _ends(least: float | None, most: float | None) -> Iterator[tuple[float, int]]:
    yield from ((end, step) for end, step in ((least, -1), (most, 1)) if end is not None and abs(end) < 1e300)


def _past(end: float, step: int) -> float:
    return end + step * max(1.0, abs(end) * 1e-3)


def _numeric(probe: Probe) -> list[Column]:
    found = [column for column in probe.described.signature.used if column.kind in NUMERIC]
    if not found:
        raise NotApplicable("the document has no numeric column")
    return found


def _with(probe: Probe, row: Mapping[str, Any], name: str, literal: bytes) -> Exchange:
    """The answer to a row that holds these bytes where the column's value stands."""
    method = next((m for m in ("predict_proba", "predict") if m in probe.described.methods), None)
    return probe.post(with_literal(probe, row, name, literal, method))


def _unwrapped(probe: Probe, exchange: Exchange) -> list[Any]:
    if exchange.status != 200:
        raise Violation(f"Expected 200 or 400, got {exchange.shown}", exchange)
    return probe.unwrap(exchange, probe.described.primary_form)


def _survived(exchange: Exchange, what: str) -> None:
    """Neither a fault of the server nor an answer that is no JSON."""
    if exchange.status >= 500:
        raise Violation(f"{what[:1].upper()}{what[1:]} got {exchange.shown}, which is a server error", exchange)
    if exchange.status == 200:
        exchange.json()
