"""Requests that nobody should take: what is no JSON, other content types, methods, paths, ids that are too long."""

from core.checks.asking.altering import with_literal
from core.checks.asking.refusals import ID_HEADERS, ID_MAX_CHARS, refused, valid_body
from core.checks.effort import Profile
from core.checks.outcome import NotApplicable, Violation
from core.checks.probe import places
from core.checks.probe.exchange import REFUSED
from core.checks.probe.probe import Probe
from core.checks.registry import check
from core.domain.data import ColumnKind
from core.domain.signature import Column


@check("wire", "NaN and Infinity, which are not valid JSON, are rejected.")
def nan_literals_are_refused(probe: Probe) -> str:
    name = _column(probe, ColumnKind.NUMBER, ColumnKind.INTEGER).name
    row = probe.sample(1)[0]
    for literal in (b"NaN", b"Infinity", b"-Infinity"):
        refused(probe, with_literal(probe, row, name, literal), f"{literal.decode()} in '{name}'")
    return f"NaN, Infinity and -Infinity in '{name}': rejected"


@check("wire", "A body that is not JSON is rejected.")
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
    return f"{', '.join(broken)}: rejected"


@check(
    "wire",
    "Content types other than JSON are rejected, with 415 where the document lists it; a charset is accepted.",
)
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
    return f"{', '.join(types)}: rejected; application/json; charset=utf-8: 200"


@check("wire", "A method that a path does not support gets 405 and the list of methods that it supports.")
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


@check("wire", "Request IDs of more than 100 characters get 431; those of 100 are accepted.")
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
    return f"{' and '.join(ID_HEADERS)}: 100 characters accepted, 101 rejected with 431"


def _taken_without(probe: Probe, body: bytes) -> None:
    """Raises Violation where the body alone is refused, whatever comes with it."""
    if (exchange := probe.post(body)).status != 200:
        raise places.refused(exchange)


def _column(probe: Probe, *kinds: ColumnKind) -> Column:
    for kind in kinds:
        for column in probe.described.signature.used:
            if column.kind is kind:
                return column
    raise NotApplicable(f"the document has no {' or '.join(kinds)} column")
