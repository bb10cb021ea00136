"""What the endpoint does with requests that a careful client never sends: keys, bodies, headers, paths."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from core.checks.asking.altering import changed, unlike, with_literal
from core.checks.document.forms import LISTED, ONE, holder
from core.checks.document.security import KEY_MIN_CHARS, Credential
from core.checks.document.sizes import rows_in
from core.checks.effort import Profile
from core.checks.generated.causes import needs_no_key
from core.checks.outcome import ERRORS, OPEN, NotApplicable, Violation
from core.checks.probe import places
from core.checks.probe.exchange import REFUSED, Exchange
from core.checks.probe.probe import Probe
from core.checks.registry import check
from core.domain.data import ColumnKind
from core.domain.signature import Column

ID_MAX_CHARS = 100
ROWS_SENT_MAX = 10_000
ID_HEADERS = ("x-request-id", "x-ms-client-request-id")
MESSAGES = ("message", "detail", "error", "title", "reason")
"""What the property of an error that says what is wrong is called."""
TRACES = (b"Traceback (most recent call last)", b'File "/', b'.py", line ', b"\\n    at ", b"site-packages")
WRONG: Mapping[ColumnKind, tuple[Any, ...]] = {
    ColumnKind.INTEGER: ("old", "41", 1.5, True, [1], {}),
    ColumnKind.NUMBER: ("high", "1.5", True, [1.0], {}),
    ColumnKind.STRING: (7, True, ["a"], {}),
    ColumnKind.BOOLEAN: ("yes", "true", 1, 0, [True], {}),
}
"""Values that no column of this kind may take."""


def valid_body(probe: Probe) -> bytes:
    """A body with one valid row, in the document's first form. Raises NoVerdict where no such body is accepted."""
    probe.needs_acceptance()
    return probe.body(probe.sample(1))


@check("wire", "Without a key nothing is scored: 401, and the answer says how to authenticate.")
def no_key_is_refused(probe: Probe) -> str:
    return unauthorized(probe, None)


@check("wire", "The key in another scheme than the document's is refused.")
def other_schemes_are_refused(probe: Probe) -> str:
    key = probe.target.key
    scheme = probe.described.scheme
    if not scheme.bearer:
        words = [word for word in ("Bearer ", "Basic ", "Token ") if word != scheme.word]
        return unauthorized(probe, *(Credential(word + key, f"{word}$SLIPWAY_KEY", scheme.header) for word in words))
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
    key, scheme = probe.target.key, probe.described.scheme
    return unauthorized(
        probe,
        scheme.wrong("wrong", "wrong"),
        Credential(scheme.word.strip(), scheme.word.strip(), scheme.header),
        scheme.wrong(key[::-1], "$(rev <<<$SLIPWAY_KEY)"),
        scheme.wrong(f"{key}x", "${SLIPWAY_KEY}x"),
        scheme.wrong(f"x{key}", "x$SLIPWAY_KEY"),
    )


@check("wire", "A part of the key is not the key.")
def prefixes_of_the_key_are_refused(probe: Probe) -> str:
    key, scheme = probe.target.key, probe.described.scheme
    lengths = sorted({len(key) - 1, len(key) // 2, min(8, len(key) - 1)})
    return unauthorized(probe, *(scheme.wrong(key[:n], f"${{SLIPWAY_KEY:0:{n}}}") for n in lengths if n > 0))


@check("wire", "NaN and Infinity, which JSON does not know, are refused.")
def nan_literals_are_refused(probe: Probe) -> str:
    name = _column(probe, ColumnKind.NUMBER, ColumnKind.INTEGER).name
    row = probe.sample(1)[0]
    for literal in (b"NaN", b"Infinity", b"-Infinity"):
        refused(probe, with_literal(probe, row, name, literal), f"{literal.decode()} in '{name}'")
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


@check("wire", "Content types other than JSON are refused, with 415 where it is listed; JSON with a charset is JSON.")
def other_content_types_are_refused(probe: Probe) -> str:
    body = valid_body(probe)
    listed = probe.profile is Profile.SLIPWAY or "415" in probe.described.statuses
    types = ("text/plain", "application/xml", "application/x-www-form-urlencoded", "text/json", "application/jsonp")
    for content_type in types:
        exchange = probe.post(body, {"Content-Type": content_type})
        if exchange.status != 415 and (listed or exchange.status not in REFUSED):
            raise Violation(f"Content-Type {content_type} got {exchange.shown}, expected 415", exchange)
    exchange = probe.post(body, {"Content-Type": "application/json; charset=utf-8"})
    if exchange.status != 200:
        raise Violation(f"JSON with a charset got {exchange.shown}, expected 200", exchange)
    return f"{', '.join(types)}: refused; application/json; charset=utf-8: 200"


@check("wire", "A method that a path does not know gets 405 with the methods that it does know.")
def other_methods_are_refused(probe: Probe) -> str:
    known = probe.described.operations
    methods = [method for method in ("GET", "PUT", "DELETE", "PATCH") if method not in known]
    for method in methods:
        exchange = probe.send(method, probe.described.score_path, None, probe.credential)
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
        exchange = probe.send("GET", path, None, probe.credential)
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
                _taken_without(probe, body)
                raise Violation(f"{name} of {length} characters got {exchange.shown}, expected {expected}", exchange)
    return f"{' and '.join(ID_HEADERS)}: 100 characters accepted, 101 refused with 431"


def _taken_without(probe: Probe, body: bytes) -> None:
    """Raises Violation where the body alone is refused, whatever comes with it."""
    if (exchange := probe.post(body)).status != 200:
        raise places.refused(exchange)


@check("wire", "A row without one of its required columns is refused.")
def missing_columns_are_refused(probe: Probe) -> str:
    row = probe.sample(1)[0]
    required = sorted(probe.described.required)
    if not required:
        raise NotApplicable("the document requires no column")
    tries = probe.tries(required)
    for name in tries:
        _refused_row(probe, {key: value for key, value in row.items() if key != name}, f"a row without '{name}'")
    return f"each of {tries} required columns left out: refused"


@check("wire", "A row with a column that the document does not know is refused.")
def unknown_columns_are_refused(probe: Probe) -> str:
    if not probe.described.strict:
        raise NotApplicable("the document does not forbid other columns")
    row, known = probe.sample(1)[0], {column.name for column in probe.described.signature.columns}
    for name in dict.fromkeys((unlike("no such column", known), "", "__proto__", "long" * 75)):
        if name not in known:
            _refused_row(probe, row | {name: 1}, f"the unknown column {name[:20]!r}")
    return "unknown columns: refused"


@check("wire", "Rows that are no list of objects are refused.")
def other_shapes_are_refused(probe: Probe) -> str:
    form = probe.described.primary_form
    if form in ("mlflow", ONE):
        raise NotApplicable("the document's first form is no list of objects")
    key, row = "Inputs.data" if form == "v2" else holder(form) or "the body", probe.sample(1)[0]
    body = probe.body([row])
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
        refused(probe, changed(body, listed, shape), f"{what} as '{key}'")
    if form != LISTED:
        refused(probe, listed, "a list of rows alone")
    return f"{', '.join(shapes)} as '{key}': refused"


@check("wire", "A value of the wrong type is refused, in every column.")
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
    return f"{tries} values of wrong type, one at a time: refused"


@check("wire", "A category that is not published is refused, also in another letter case.")
def unknown_categories_are_refused(probe: Probe) -> str:
    row = probe.sample(1)[0]
    closed = [column for column in probe.described.signature.used if column.closed]
    if not closed:
        raise NotApplicable("the document publishes no closed categories")
    tries = probe.tries([(column.name, value) for column in closed for value in _strangers(column)])
    for name, value in tries:
        _refused_row(probe, row | {name: value}, f"{value!r} in '{name}'")
    return f"{tries} unknown categories and other letter cases in {len(closed)} columns: refused"


@check("wire", "More rows than the document allows are refused, and the next request is answered.")
def too_many_rows_are_refused(probe: Probe) -> str:
    most = probe.described.max_rows
    if most is None:
        raise NotApplicable("the document sets no limit of rows")
    rows = probe.sample(1)
    if rows_in(probe.described, rows[0]) <= most:
        raise NotApplicable(f"{most + 1:,} rows of this width are larger than a body may be")
    exchange = probe.post(probe.body(rows * (most + 1)))
    if exchange.status not in REFUSED:
        raise Violation(f"{most + 1} rows got {exchange.shown}, expected 413", exchange)
    lives_on(probe)
    return f"{most + 1} rows: {exchange.status}"


@check("wire", "Every error is a JSON object with a message, as the document says.")
def errors_have_one_shape(probe: Probe) -> str:
    fields = {"message"} if probe.profile is Profile.SLIPWAY else probe.described.error_fields
    name = next((name for name in MESSAGES if name in fields), "")
    if not name:
        raise NotApplicable("the document describes no error with a message")
    seen = set()
    for exchange in refusals(probe):
        if not probe.promised(exchange, name):
            continue
        try:
            reply = exchange.json()
        except Violation as e:
            raise Violation(e.evidence, exchange, cause=ERRORS) from e
        message = reply.get(name) if isinstance(reply, dict) else None
        if not message or (name == "message" and not isinstance(message, str)):
            raise Violation(f"An error without a message: {exchange.shown}", exchange, cause=ERRORS)
        if not exchange.reply_headers.get("content-type", "").startswith("application/json"):
            told = exchange.reply_headers.get("content-type")
            raise Violation(f"An error as {told!r}: {exchange.shown}", exchange, cause=ERRORS)
        seen.add(exchange.status)
    return f"{', '.join(map(str, sorted(seen)))}: JSON with a message"


@check("wire", "No error shows a stack trace, a file path of the server, or the key.")
def errors_leak_nothing(probe: Probe) -> str:
    tried = 0
    for exchange in refusals(probe):
        key = probe.target.key.encode()
        for secret in (*TRACES, *((key,) if len(key) >= KEY_MIN_CHARS else ())):
            if secret in exchange.reply:
                shown = "the key" if secret == key else secret.decode()
                raise Violation(f"A {exchange.status} answer holds {shown!r}", exchange)
        tried += 1
    return f"{tried} errors: no trace, no path, no key"


def lives_on(probe: Probe) -> None:
    """After what should be refused, a valid row is scored as before. Raises Violation, NoVerdict."""
    probe.needs_acceptance()
    probe.score(probe.sample(1))


def needs_key(probe: Probe) -> None:
    """Raises NotApplicable unless the document asks for a key and one was given."""
    if not probe.described.secured or not probe.target.key:
        raise NotApplicable("the document asks for no key" if probe.target.key else "no key was given")


def unauthorized(probe: Probe, *credentials: Credential | None) -> str:
    """Each of these credentials gets 401 with a challenge. Raises Violation, NotApplicable without a key to test."""
    needs_key(probe)
    body, expected = valid_body(probe), denials(probe)
    challenged, right = probe.described.scheme.challenged, probe.described.scheme.credential(probe.target.key)
    # A key may read the same backwards, or be the word that stands for a wrong one: what is the key is let in.
    wrong = [each for each in credentials if each is None or not each.same_as(right)]
    if not wrong:
        raise NotApplicable("none of what would be sent differs from the key")
    for credential in wrong:
        exchange = probe.send("POST", probe.described.score_path, body, credential)
        if exchange.status not in expected:
            cause = OPEN if needs_no_key(probe) else ""
            told = f"Got {exchange.shown}, expected {' or '.join(map(str, expected))}"
            raise Violation(told, exchange, cause=cause, telling=credential is None)
        if exchange.status == 401 and challenged and "www-authenticate" not in exchange.reply_headers:
            raise Violation("401 without WWW-Authenticate, which HTTP requires (RFC 9110, 15.5.2)", exchange)
    return f"{len(wrong)} way(s): {' or '.join(map(str, expected))}"


def denials(probe: Probe) -> tuple[int, ...]:
    """The statuses that deny access: 401, and 403 too where the document does not speak of 401 alone."""
    listed = {status for status in (401, 403) if str(status) in probe.described.statuses}
    return (401,) if probe.profile is Profile.SLIPWAY or listed == {401} else (401, 403)


def refused(probe: Probe, body: bytes, what: str) -> None:
    """The body gets a status that blames it. Raises Violation."""
    exchange = probe.post(body)
    if exchange.status not in REFUSED:
        raise Violation(f"{what[:1].upper()}{what[1:]} got {exchange.shown}, expected 400", exchange)


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


def refusals(probe: Probe) -> Iterator[Exchange]:
    """Answers to requests that a correct endpoint refuses, one of each kind; those that it accepts are left out."""
    path, most, row = probe.described.score_path, probe.described.max_rows, probe.sample(1)[0]
    body = probe.body([row])
    too_many = most is not None and most <= ROWS_SENT_MAX and rows_in(probe.described, row) > most
    attempts = [
        probe.send("POST", path, body, probe.described.scheme.wrong("wrong", "wrong")),
        probe.send("GET", "/nowhere", None, probe.credential),
        probe.send("PUT", path, None, probe.credential),
        probe.post(body, {"Content-Type": "text/plain"}),
        *(
            probe.post(sent)
            for sent in (b"", b"{", b"[]", b'"data"', b'{"data": 1}', b'{"data": [1]}', b'{"data": [{}]}')
        ),
        *([probe.post(probe.body([row] * (most + 1)))] if too_many and most else []),
        probe.post(body, {ID_HEADERS[0]: "x" * (ID_MAX_CHARS + 1)}),
    ]
    yield from (exchange for exchange in attempts if exchange.status >= 400)
    wrong = [
        (column.name, value) for column in probe.described.signature.used for value in ({"an": "object"}, "x" * 300)
    ]
    for name, value in probe.tries(wrong):
        exchange = probe.post(probe.body([row | {name: value}]))
        if exchange.status >= 400:
            yield exchange
