"""One body in other words: JSON written otherwise, rows in another form, and what only looks like JSON."""

import json
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import msgspec

from core.checks.asking.altering import changed, escaped, unlike
from core.checks.asking.answers import answers, difference
from core.checks.asking.refusals import refused
from core.checks.document.forms import ONE
from core.checks.document.sizes import rows_in
from core.checks.effort import OURS, Profile
from core.checks.outcome import NotApplicable, Violation
from core.checks.probe.exchange import REFUSED
from core.checks.probe.probe import Probe
from core.checks.registry import check
from core.domain.data import NUMERIC, ColumnKind
from core.domain.errors import NoVerdict
from core.domain.signature import Column


@check("semantic", "The same JSON with different whitespace and escapes gets the same answers.")
def json_may_be_written_otherwise(probe: Probe) -> str:
    usual, first = answers(probe, probe.sample(2))
    for what, other in _otherwise(first.body or b"").items():
        second = probe.post(other)
        if second.status != 200:
            raise Violation(f"Valid JSON with {what} was rejected: {second.shown}", second)
        got = probe.unwrap(second, probe.described.primary_form)
        if probe.described.one_row:
            usual = usual[-len(got) :]
        if len(got) != len(usual) or difference(usual, got) is not None:
            raise Violation(f"{usual} became {got} with {what}", first, second)
    return "whitespace, line breaks and escapes: the same answers"


def _otherwise(plain: bytes) -> Mapping[str, bytes]:
    """The same JSON in other bytes. Raises NoVerdict where it would be another, or the very same."""
    body = json.loads(plain)
    ascii_only = json.dumps(body)
    found = {
        "line breaks and spaces": ("\r\n\t " + json.dumps(body, indent=2) + "\n ").encode(),
        "unescaped non-ASCII characters": json.dumps(body, ensure_ascii=False).encode(),
        "escapes": escaped(ascii_only).encode(),
    }
    for what, other in found.items():
        if other == plain or json.loads(other) != body:
            raise NoVerdict(f"The body with {what} is not the same JSON in other bytes")
    return found


@check("wire", "What is rejected in one request form is rejected in every form.")
def forms_refuse_the_same(probe: Probe) -> str:
    forms = [form for form in probe.described.forms[1:] if form != ONE]
    if not forms:
        raise NotApplicable(f"the document allows one form, {probe.described.primary_form}")
    if not probe.described.strict:
        raise NotApplicable("the document does not say what a row contains")
    tries, row = probe.tries(_bad_rows(probe)), probe.sample(1)[0]
    for what, change, count in tries:
        rows = [_changed(row, change)] * count
        alone = probe.post(probe.body(rows))
        if alone.status not in (*REFUSED, 413):
            continue  # other checks judge what the first form takes
        for form in forms:
            exchange = probe.post(probe.described.body(rows, None, form))
            if exchange.status not in (*REFUSED, 413):
                raise Violation(f"{what} got {exchange.shown} as {form}; in the first form {alone.shown}", exchange)
    return f"{tries} bad requests in {', '.join(forms)}: rejected as in {probe.described.primary_form}"


def _bad_rows(probe: Probe) -> list[tuple[str, dict[str, Any], int]]:
    """What is wrong, what it changes in a row (`LEFT_OUT`: is not there), and how many rows of it."""
    described = probe.described
    found: list[tuple[str, dict[str, Any], int]] = [("An unknown column", {_stranger(probe): 1}, 1)]
    found += [(f"A row without '{name}'", {name: LEFT_OUT}, 1) for name in sorted(described.required)]
    for column in described.signature.used:
        found.append((f"An object in '{column.name}'", {column.name: {}}, 1))
        if column.closed:
            level = unlike("never published", column.levels)
            found.append((f"An unknown category in '{column.name}'", {column.name: level}, 1))
        if column.kind is not ColumnKind.STRING:
            found.append((f"A text in '{column.name}'", {column.name: "old"}, 1))
    if (most := described.max_rows) is not None and rows_in(described, probe.sample(1)[0]) > most:
        found.append((f"{most + 1} rows", {}, most + 1))
    return found


LEFT_OUT = object()


def _changed(row: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**row, **change}.items() if value is not LEFT_OUT}


def _stranger(probe: Probe) -> str:
    return unlike("no such column", (column.name for column in probe.described.signature.columns))


@check("semantic", "When two columns swap places, their values go with them.")
def swapped_columns_take_their_values_along(probe: Probe) -> str:
    if "mlflow" not in probe.described.forms:
        raise NotApplicable("the document has no form with a list of columns")
    method = next((m for m in ("predict_proba", "predict") if m in probe.described.methods), None)
    tries, tried = probe.tries(_exchangeable(probe)), 0
    for one, other, values in tries:
        row = {**probe.sample(1)[0], one.name: values[0], other.name: values[1]}
        names = list(row)
        at, to = names.index(one.name), names.index(other.name)
        names[at], names[to] = names[to], names[at]
        usual, first = probe.score([row], method, "mlflow")
        second = probe.post(probe.described.body([{name: row[name] for name in names}], method, "mlflow"))
        if second.status == 200 and difference(usual, got := probe.unwrap(second, "mlflow")) is not None:
            raise Violation(f"{usual} became {got} when '{one.name}' and '{other.name}' swapped places", first, second)
        tried += second.status == 200
    if not tried:
        raise NotApplicable("the document has no two columns that could be mixed up")
    more = " (no time for more)" if tries.cut else ""
    return f"{tried:,} pairs of columns swapped{more}: the same answers"


def _exchangeable(probe: Probe) -> Iterator[tuple[Column, Column, tuple[Any, Any]]]:
    """Pairs of columns with two values that either of them takes."""
    for one, other in _pairs(probe):
        if one.kind in NUMERIC and other.kind in NUMERIC:
            low = max(-EXACT, *(column.low or 0.0 for column in (one, other)))
            high = min(EXACT, *(column.high or 0.0 for column in (one, other)))
            if int(high) - int(low) >= 2:
                yield one, other, (int(low) + 1, int(high))
        elif one.kind is other.kind is ColumnKind.BOOLEAN:
            yield one, other, (True, False)
        elif one.kind is other.kind and (shared := _shared(one, other)):
            yield one, other, shared


EXACT = 2.0**53
"""Up to here integers and doubles are the same numbers."""


def _pairs(probe: Probe) -> Iterator[tuple[Column, Column]]:
    """Every pair of columns once; of a wide table the first pairs touch each column, whatever comes of the others."""
    used = probe.described.signature.used
    if len(used) > WIDE:
        used = tuple(Random(probe.seed).sample(used, len(used)))  # noqa: S311 - an order, no secret
    for apart in range(1, len(used)):
        yield from zip(used, used[apart:], strict=False)


WIDE = 40


def _shared(one: Column, other: Column) -> tuple[str, str] | None:
    both = [level for level in one.levels or other.levels if _takes(one, level) and _takes(other, level)]
    return (both[0], both[1]) if len(both) > 1 else None


def _takes(column: Column, text: str) -> bool:
    return not column.closed or text in column.levels


@check("wire", "What only looks like JSON is rejected: trailing commas, comments, unquoted keys, other number formats.")
def lookalikes_of_json_are_refused(probe: Probe) -> str:
    body = probe.body(probe.sample(1)).decode()
    last = max(body.rfind("}"), body.rfind("]"))
    lookalikes = {
        "a trailing comma": f"{body[:last]},{body[last:]}",
        "a comment": f"{body} // a comment",
        "a comment within": f"{body[:1]}/* a comment */{body[1:]}",
        "two documents": f"{body}{body}",
    }
    for what, sent in lookalikes.items():
        refused(probe, sent.encode(), what)
    if probe.profile is Profile.SLIPWAY:
        refused(probe, body.encode("utf-16"), "JSON in UTF-16")
    return f"{', '.join(lookalikes)}: rejected"


@check("wire", "A duplicate or very long key in an object never causes a server error.")
def odd_keys_are_no_fault(probe: Probe) -> str:
    row = probe.sample(1)[0]
    body = probe.body([row])
    # A form that names its columns once has no object for a row: then it is the whole body that gets the key.
    record = written if (written := msgspec.json.encode(row)) in body else body
    name = next(iter(json.loads(record)))
    twice = json.dumps({name: json.loads(record)[name]})[1:-1]
    odds = {f"'{name}' twice": twice.encode(), "a key of 5,000 characters": f'"{"k" * 5_000}":1'.encode()}
    if probe.profile is Profile.SLIPWAY:  # many readers of JSON take it for a text that they then cannot echo
        odds["a key with half a surrogate pair"] = rb'"\ud800":1'
    for what, odd in odds.items():
        exchange = probe.post(changed(body, record, b"{" + odd + b"," + record[1:]))
        if exchange.status >= 500:
            raise Violation(f"{what} got {exchange.shown}, which is a server error", exchange)
    return "duplicate, long and odd keys: no server error"


@check("wire", "What needs no key according to the document is answered without one.")
def open_operations_need_no_key(probe: Probe) -> str:
    found = list(_open(probe))
    if not found:
        raise NotApplicable("the document has no GET without a key and without parameters")
    for path in found:
        exchange = probe.send("GET", path)
        if exchange.status >= 400:
            raise Violation(f"GET {path} without a key got {exchange.shown}", exchange)
    return f"GET {', '.join(found)}: answered without a key"


def _open(probe: Probe) -> Iterator[str]:
    document = probe.described.document
    for path, item in document["paths"].items():
        operation = item.get("get")
        if operation is None or "{" in path or operation.get("security", document.get("security")):
            continue
        parameters = (*item.get("parameters", ()), *operation.get("parameters", ()))
        if not any(each.get("required") or "$ref" in each for each in parameters):
            yield path


@check("semantic", "The default method is `predict`, and a missing value means null.", profiles=OURS)
def what_is_left_out_means_what_is_promised(probe: Probe) -> str:
    rows = probe.sample(3)
    said, first = probe.score(rows, "predict")
    left_out, second = probe.score(rows)
    if difference(said, left_out) is not None:
        raise Violation(f"predict gives {said}, no method {left_out}", first, second)
    optional = [column.name for column in probe.described.signature.used if column.nullable]
    tries = probe.tries(optional)
    for name in tries:
        null, first = answers(probe, [{**rows[0], name: None}])
        absent, second = answers(probe, [{key: value for key, value in rows[0].items() if key != name}])
        if difference(null, absent) is not None:
            raise Violation(f"null in '{name}' gives {null}, leaving it out {absent}", first, second)
    return f"no method: predict; each of {tries} nullable columns left out: as null"
