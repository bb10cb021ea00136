"""What the endpoint does with requests that a careful client never sends: keys, bodies, headers, paths."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from core.checks.probe import Credential, Exchange, Probe
from core.checks.registry import REFUSED, NotApplicable, Violation, check
from core.contract import samples
from core.domain.data import ColumnKind
from core.domain.signature import Column

ID_MAX_CHARS = 100
ID_HEADERS = ("x-request-id", "x-ms-client-request-id")
TRACES = (b"Traceback (most recent call last)", b'File "/', b'.py", line ', b"\\n    at ", b"site-packages")
HOLDERS = {"v1": "data", "v2": "Inputs.data", "dataframe_records": "dataframe_records", "instances": "instances"}
"""Form -> what holds its list of rows."""
WRONG: Mapping[ColumnKind, tuple[Any, ...]] = {
    ColumnKind.INTEGER: ("old", "41", 1.5, True, [1], {}),
    ColumnKind.NUMBER: ("high", "1.5", True, [1.0], {}),
    ColumnKind.STRING: (7, True, ["a"], {}),
    ColumnKind.BOOLEAN: ("yes", "true", 1, 0, [True], {}),
}
"""Values that no column of this kind may take."""


def valid_body(probe: Probe) -> bytes:
    """A body with one valid row, in the document's first form."""
    return samples.body(probe.sample(1), probe.described.primary_form)


@check("wire", "Without a key nothing is scored: 401, and the answer says how to authenticate.")
def no_key_is_refused(probe: Probe) -> str:
    return unauthorized(probe, None)


@check("wire", "The key in another scheme than Bearer is refused.")
def other_schemes_are_refused(probe: Probe) -> str:
    key = probe.target.key
    basic = base64.b64encode(f"user:{key}".encode()).decode()
    return unauthorized(
        probe,
        Credential(f"Basic {basic}", "Basic $(printf 'user:%s' \"$SLIPWAY_KEY\" | base64 -w0)"),
        Credential(f"Basic {key}", "Basic $SLIPWAY_KEY"),
        Credential(f"Token {key}", "Token $SLIPWAY_KEY"),
        Credential(key, "$SLIPWAY_KEY"),
    )


@check("wire", "A wrong key is refused.")
def wrong_keys_are_refused(probe: Probe) -> str:
    key = probe.target.key
    return unauthorized(
        probe,
        Credential("Bearer wrong", "Bearer wrong"),
        Credential("Bearer", "Bearer"),
        Credential(f"Bearer {key[::-1]}", "Bearer $(rev <<<$SLIPWAY_KEY)"),
        Credential(f"Bearer {key}x", "Bearer ${SLIPWAY_KEY}x"),
        Credential(f"Bearer x{key}", "Bearer x$SLIPWAY_KEY"),
    )


@check("wire", "A part of the key is not the key.")
def prefixes_of_the_key_are_refused(probe: Probe) -> str:
    key = probe.target.key
    lengths = sorted({len(key) - 1, len(key) // 2, min(8, len(key) - 1)})
    return unauthorized(
        probe, *(Credential(f"Bearer {key[:n]}", f"Bearer ${{SLIPWAY_KEY:0:{n}}}") for n in lengths if n > 0)
    )


@check("wire", "NaN and Infinity, which JSON does not know, are refused.")
def nan_literals_are_refused(probe: Probe) -> str:
    name = _column(probe, ColumnKind.NUMBER, ColumnKind.INTEGER).name
    marked = samples.body([probe.sample(1)[0] | {name: "@"}], probe.described.primary_form)
    for literal in (b"NaN", b"Infinity", b"-Infinity"):
        refused(probe, marked.replace(b'"@"', literal), f"{literal.decode()} in '{name}'")
    return f"NaN, Infinity and -Infinity in '{name}': refused"


@check("wire", "A body that is not JSON is refused.")
def broken_json_is_refused(probe: Probe) -> str:
    body = valid_body(probe)
    broken = {
        "an empty body": b"",
        "a truncated body": body[:-2],
        "trailing text": body + b"}",
        "single quotes": body.replace(b'"', b"'"),
        "bytes that are not UTF-8": b'{"data": "\xff\xfe"}',
        "plain text": b"score me",
    }
    for what, sent in broken.items():
        refused(probe, sent, what)
    return f"{', '.join(broken)}: refused"


@check("wire", "Content types other than JSON get 415; JSON with a charset is JSON.")
def other_content_types_are_refused(probe: Probe) -> str:
    body = valid_body(probe)
    types = ("text/plain", "application/xml", "application/x-www-form-urlencoded", "text/json", "application/jsonp")
    for content_type in types:
        exchange = probe.post(body, {"Content-Type": content_type})
        if exchange.status != 415:
            raise Violation(f"Content-Type {content_type} got {exchange.shown}, expected 415", exchange)
    exchange = probe.post(body, {"Content-Type": "application/json; charset=utf-8"})
    if exchange.status != 200:
        raise Violation(f"JSON with a charset got {exchange.shown}, expected 200", exchange)
    return f"{', '.join(types)}: 415; application/json; charset=utf-8: 200"


@check("wire", "A method that a path does not know gets 405 with the methods that it does know.")
def other_methods_are_refused(probe: Probe) -> str:
    methods = ("GET", "PUT", "DELETE", "PATCH")
    for method in methods:
        exchange = probe.send(method, probe.described.score_path)
        allowed = [name.strip() for name in exchange.reply_headers.get("allow", "").split(",")]
        if exchange.status != 405:
            raise Violation(f"{method} {exchange.path} got {exchange.shown}, expected 405", exchange)
        if "POST" not in allowed or method in allowed:
            raise Violation(f"405 for {method} with Allow {allowed}, expected POST there and not {method}", exchange)
    return f"{', '.join(methods)}: 405 with Allow"


@check("wire", "A path that does not exist gets 404.")
def unknown_paths_are_not_found(probe: Probe) -> str:
    paths = ("/nowhere", f"{probe.described.score_path}/x", "/admin")
    for path in paths:
        exchange = probe.send("GET", path)
        if exchange.status != 404:
            raise Violation(f"GET {path} got {exchange.shown}, expected 404", exchange)
    return f"{', '.join(paths)}: 404"


@check("wire", "Request ids of more than 100 characters get 431, those of 100 are accepted.")
def long_ids_are_refused(probe: Probe) -> str:
    if "431" not in probe.described.statuses:
        raise NotApplicable("the document does not list 431")
    body = valid_body(probe)
    for name in ID_HEADERS:
        for length, expected in ((ID_MAX_CHARS, 200), (ID_MAX_CHARS + 1, 431)):
            exchange = probe.post(body, {name: "x" * length})
            if exchange.status != expected:
                raise Violation(f"{name} of {length} characters got {exchange.shown}, expected {expected}", exchange)
    return f"{' and '.join(ID_HEADERS)}: 100 characters accepted, 101 refused with 431"


@check("wire", "A row without one of its required columns is refused.")
def missing_columns_are_refused(probe: Probe) -> str:
    row = probe.sample(1)[0]
    required = sorted(probe.described.required)
    if not required:
        raise NotApplicable("the document requires no column")
    for name in required:
        _refused_row(probe, {key: value for key, value in row.items() if key != name}, f"a row without '{name}'")
    return f"each of {len(required)} required columns left out: refused"


@check("wire", "A row with a column that the document does not know is refused.")
def unknown_columns_are_refused(probe: Probe) -> str:
    if not probe.described.strict:
        raise NotApplicable("the document does not forbid other columns")
    row = probe.sample(1)[0]
    for name in ("no such column", "", "__proto__"):
        _refused_row(probe, row | {name: 1}, f"the unknown column {name!r}")
    return "unknown columns: refused"


@check("wire", "Rows that are no list of objects are refused.")
def other_shapes_are_refused(probe: Probe) -> str:
    key = HOLDERS.get(probe.described.primary_form)
    if key is None:
        raise NotApplicable("the document's first form is a table")
    row = probe.sample(1)[0]
    body = samples.body([row], probe.described.primary_form)
    listed = msgspec.json.encode([row])
    shapes = {
        "a bare row": msgspec.json.encode(row),
        "rows as lists": msgspec.json.encode([list(row.values())]),
        "rows in a text": msgspec.json.encode(listed.decode()),
        "null": b"null",
        "a number": b"1",
        "null for a row": b"[null]",
        "rows by number": b'{"0": ' + msgspec.json.encode(row) + b"}",
    }
    for what, shape in shapes.items():
        refused(probe, body.replace(listed, shape), f"{what} as '{key}'")
    refused(probe, listed, "a list of rows alone")
    return f"{', '.join(shapes)} as '{key}': refused"


@check("wire", "A value of the wrong type is refused, in every column.")
def wrong_types_are_refused(probe: Probe) -> str:
    row = probe.sample(1)[0]
    tried = 0
    for column in probe.described.signature.used:
        # Only a document that forbids other columns is taken at its word where it does not speak of null.
        null = (None,) if probe.described.strict and not column.nullable else ()
        for value in WRONG[column.kind] + null:
            _refused_row(probe, row | {column.name: value}, f"{value!r} in the {column.kind} column '{column.name}'")
            tried += 1
    return f"{tried} values of wrong type, one at a time: refused"


@check("wire", "A category that is not published is refused, also in another letter case.")
def unknown_categories_are_refused(probe: Probe) -> str:
    row = probe.sample(1)[0]
    closed = [column for column in probe.described.signature.used if column.closed]
    if not closed:
        raise NotApplicable("the document publishes no closed categories")
    for column in closed:
        for value in _strangers(column):
            _refused_row(probe, row | {column.name: value}, f"{value!r} in '{column.name}'")
    return f"unknown categories and other letter cases in {len(closed)} columns: refused"


@check("wire", "More rows than the document allows are refused, and the next request is answered.")
def too_many_rows_are_refused(probe: Probe) -> str:
    most = probe.described.max_rows
    if most is None:
        raise NotApplicable("the document sets no limit of rows")
    exchange = probe.post(samples.body(probe.sample(1) * (most + 1), probe.described.primary_form))
    if exchange.status not in (*REFUSED, 413):
        raise Violation(f"{most + 1} rows got {exchange.shown}, expected 413", exchange)
    probe.score(probe.sample(1))
    return f"{most + 1} rows: {exchange.status}"


@check("wire", "Every error is a JSON object with a message, as the document says.")
def errors_have_one_shape(probe: Probe) -> str:
    if "message" not in probe.described.error_fields:
        raise NotApplicable("the document describes no error with a message")
    seen = set()
    for exchange in _errors(probe):
        if not probe.promised(exchange, "message"):
            continue
        reply = exchange.json()
        message = reply.get("message") if isinstance(reply, dict) else None
        if not isinstance(message, str) or not message:
            raise Violation(f"An error without a message: {exchange.shown}", exchange)
        if not exchange.reply_headers.get("content-type", "").startswith("application/json"):
            raise Violation(f"An error as {exchange.reply_headers.get('content-type')!r}: {exchange.shown}", exchange)
        seen.add(exchange.status)
    return f"{', '.join(map(str, sorted(seen)))}: JSON with a message"


@check("wire", "No error shows a stack trace, a file path of the server, or the key.")
def errors_leak_nothing(probe: Probe) -> str:
    tried = 0
    for exchange in _errors(probe):
        key = probe.target.key.encode()
        for secret in (*TRACES, *((key,) if key else ())):
            if secret in exchange.reply:
                shown = "the key" if secret == key else secret.decode()
                raise Violation(f"A {exchange.status} answer holds {shown!r}", exchange)
        tried += 1
    return f"{tried} errors: no trace, no path, no key"


def unauthorized(probe: Probe, *credentials: Credential | None) -> str:
    """Each of these credentials gets 401 with a challenge. Raises Violation, NotApplicable without a key to test."""
    if not probe.described.secured or not probe.target.key:
        raise NotApplicable("the document asks for no key" if probe.target.key else "no key was given")
    body = valid_body(probe)
    for credential in credentials:
        exchange = probe.send("POST", probe.described.score_path, body, credential)
        if exchange.status != 401:
            raise Violation(f"Got {exchange.shown}, expected 401", exchange)
        if "www-authenticate" not in exchange.reply_headers:
            raise Violation("401 without WWW-Authenticate, which HTTP requires (RFC 9110, 15.5.2)", exchange)
    return f"{len(credentials)} way(s): 401 with WWW-Authenticate"


def refused(probe: Probe, body: bytes, what: str) -> None:
    """The body gets a status that blames it. Raises Violation."""
    exchange = probe.post(body)
    if exchange.status not in REFUSED:
        raise Violation(f"{what[:1].upper()}{what[1:]} got {exchange.shown}, expected 400", exchange)


def _refused_row(probe: Probe, row: dict[str, Any], what: str) -> None:
    refused(probe, samples.body([row], probe.described.primary_form), what)


def _column(probe: Probe, *kinds: ColumnKind) -> Column:
    for kind in kinds:
        for column in probe.described.signature.used:
            if column.kind is kind:
                return column
    raise NotApplicable(f"the document has no {' or '.join(kinds)} column")


def _strangers(column: Column) -> Iterator[str]:
    known = set(column.levels)
    level = column.levels[0]
    yield from (name for name in ("never published", level.swapcase(), f" {level}", "") if name not in known)


def _errors(probe: Probe) -> Iterator[Exchange]:
    """Answers to requests that a correct endpoint refuses, one of each kind; those that it accepts are left out."""
    body, path = valid_body(probe), probe.described.score_path
    attempts = [
        probe.send("POST", path, body, Credential("Bearer wrong", "Bearer wrong")),
        probe.send("GET", "/nowhere"),
        probe.send("PUT", path),
        probe.post(body, {"Content-Type": "text/plain"}),
        *(
            probe.post(sent)
            for sent in (b"", b"{", b"[]", b'"data"', b'{"data": 1}', b'{"data": [1]}', b'{"data": [{}]}')
        ),
        *(probe.post(samples.body([row], probe.described.primary_form)) for row in _bad_rows(probe)),
    ]
    yield from (exchange for exchange in attempts if exchange.status >= 400)


def _bad_rows(probe: Probe) -> Iterator[dict[str, Any]]:
    row = probe.sample(1)[0]
    for column in probe.described.signature.used:
        yield row | {column.name: {"an": "object"}}
        yield row | {column.name: "x" * 300}
