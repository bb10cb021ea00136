"""Schemathesis on the endpoint's own document: what it allows must be answered, what it forbids refused.

The first of these checks runs Schemathesis; the others read what it found.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping

from core.checks import azure
from core.checks.asking.refusals import denials
from core.checks.document.schema import Json, flat
from core.checks.effort import Profile
from core.checks.generated.causes import shared, unanswered_now
from core.checks.generated.drive import Finding, drive, without_points
from core.checks.outcome import TWICE, KnownDeviation, NotApplicable, Violation
from core.checks.probe import encoding
from core.checks.probe.exchange import LIMITED, REFUSED, shown
from core.checks.probe.probe import SMALL_BYTES, Probe
from core.checks.registry import CheckFunction, check
from core.loadtest.busy import BUSY

BORDER = re.compile(rb"(?<![\d.])\d{309}(?![\d.eE])")
ABOUT: Mapping[str, str] = {
    "not_a_server_error": "No request causes a server error (5xx).",
    "status_code_conformance": "Every status code in an answer is listed in the document.",
    "content_type_conformance": "Every answer has a content type listed in the document.",
    "response_headers_conformance": "Every answer carries the headers that the document promises.",
    "response_schema_conformance": "Every answer has the schema that the document gives for its status code.",
    "positive_data_acceptance": "Every request that the document allows is accepted.",
    "negative_data_rejection": "Every request that the document forbids is rejected.",
    "missing_required_header": "A request without a required header is rejected.",
    "unsupported_method": "Methods that the document does not list are rejected with 405.",
    "allow_header_conformance": "A 405 answer's Allow header lists the methods of the document.",
    "use_after_free": "A deleted resource is gone.",
    "ensure_resource_availability": "A created resource is available.",
    "object_level_authorization": "Nobody can read what belongs to someone else.",
    "ignored_auth": "Where the document requires a key, a request without one or with a wrong one is rejected.",
}

TELLING = ("ignored_auth", "not_a_server_error")
"""What names the fault, of several that meet it."""
CREATING = frozenset({"use_after_free", "ensure_resource_availability", "object_level_authorization"})
"""Schemathesis checks of resources with a name of their own, which a scoring endpoint has not."""


LIMITED_HEADS = (414, 431)
"""Limits of what stands before a body, which is short in what is sent otherwise."""
REFUSING = ("negative_data_rejection", "missing_required_header", "ignored_auth")
"""They hold for whoever refuses everything: something must be accepted too."""


def _promised_headers(document: Json) -> bool:
    return any("headers" in flat(document, response) for response in _all(document, "responses"))


def _required_headers(document: Json) -> bool:
    parameters = (flat(document, parameter) for parameter in _all(document, "parameters"))
    secured = "security" in document or any("security" in operation for operation in _operations(document))
    return secured or any(found.get("in") == "header" and found.get("required") for found in parameters)


SAID_OF_HEADERS: Mapping[str, Callable[[Json], bool]] = {
    "response_headers_conformance": _promised_headers,
    "missing_required_header": _required_headers,
}


def _operations(document: Json) -> Iterator[Json]:
    for item in document["paths"].values():
        yield from (operation for operation in item.values() if isinstance(operation, Mapping))


def _all(document: Json, word: str) -> Iterator[Json]:
    """Every response or parameter of every operation."""
    for operation in _operations(document):
        held = operation.get(word, ())
        yield from held.values() if isinstance(held, Mapping) else held


@check("contract", "The document says where to score, what to send and how.")
def document_is_usable(probe: Probe) -> str:
    for problem in probe.once(drive).unreadable:
        raise Violation(problem)
    described = probe.described
    version = described.document.get("openapi") or described.document.get("swagger")
    used = len(described.signature.used)
    told = f"version {version}: {used} columns, {len(described.signature.classes)} classes"
    other = f"; it names {described.home.other}, which is not tried" if described.home.other else ""
    return f"{told}, {', '.join(described.forms)}, at {probe.target.url}{described.score_path}{other}"


@check("contract", "Every generated request is answered: no dropped connection, no time-out.")
def every_request_is_answered(probe: Probe) -> str:
    findings = probe.once(drive)
    for what, request in findings.unanswered.items():
        raise Violation(what, request, cause=unanswered_now(probe))
    return f"{findings.requests} generated requests, all answered"


@check(
    "contract",
    "A reply is JSON, not JSON inside a JSON string (unless the document says string).",
    profiles=frozenset({Profile.STRICT, Profile.SLIPWAY}),
)
def replies_are_encoded_once(probe: Probe) -> str:
    if probe.described.legacy_reply:
        raise NotApplicable("the document says that the reply is a string")
    exchange = probe.post(probe.body(probe.sample(1)))
    if encoding.meant(exchange.status, exchange.reply) != (exchange.status, exchange.reply):
        raise Violation(f"The reply is encoded twice: {exchange.shown}", exchange, cause=TWICE, telling=True)
    return f"a row got {exchange.shown}"


def _unexplained(problems: Mapping[str, Finding], probe: Probe) -> Mapping[str, Finding]:
    """The problems without those in the profile's baseline. Raises KnownDeviation when that leaves none of several."""
    if probe.profile is not Profile.AZURE or not problems:
        return problems
    explained = {what: azure.known(finding.seen) for what, finding in problems.items()}
    names = sorted({deviation.name for deviation in explained.values() if deviation})
    left = {what: finding for what, finding in problems.items() if explained[what] is None}
    if not left:
        raise KnownDeviation(", ".join(names), f"{len(problems)} kinds, such as {next(iter(problems))}")
    return left


def _by_a_limit(name: str, finding: Finding) -> bool:
    """Whether a limit was met that no document has to tell: the server is busy, or a long request too long for it."""
    status, length = finding.seen.status, len(finding.seen.body)
    met = status in (BUSY, *LIMITED_HEADS) or (status in LIMITED and length > SMALL_BYTES)
    return met and name in ("positive_data_acceptance", "status_code_conformance")


def _said(name: str, problems: Mapping[str, Finding], probe: Probe) -> Mapping[str, Finding]:
    """The problems without those that are none here. Raises NotApplicable where a loose document explains them all."""
    if name == "missing_required_header" and 403 in denials(probe):
        return {what: finding for what, finding in problems.items() if finding.seen.status != 403}
    if name == "negative_data_rejection":
        return {what: finding for what, finding in problems.items() if not _beyond_words(finding.seen.body, probe)}
    if name != "positive_data_acceptance":
        return problems
    if probe.profile is not Profile.SLIPWAY:
        problems = {what: finding for what, finding in problems.items() if not _minds_the_point(finding, probe)}
    if probe.described.strict:
        return problems
    left = {what: finding for what, finding in problems.items() if finding.seen.status not in REFUSED}
    if problems and not left:
        raise NotApplicable("the document does not say what a row contains, so rejected rows prove nothing")
    return left


def _beyond_words(body: bytes, probe: Probe) -> bool:
    """Whether a body is right to accept although the document forbids it, for want of words to allow it."""
    described = probe.described
    names = [column.name for column in described.signature.columns]
    return on_a_doubles_border(body) or names_fewer_columns(body, names, described.required)


def names_fewer_columns(body: bytes, names: Collection[str], required: Collection[str]) -> bool:
    """Whether it is the MLflow form without rows, and names all required columns but not all there are.

    A document that types cells by their position lists the columns in one way, and cannot say that those which may be
    absent may be left out (docs/scoring-contract.md, D2). Bodies with rows are not excused: rows that keep to the
    document are too long for fewer columns, and must be refused for it.
    """
    try:
        split = json.loads(body)["input_data"]
        named, rows = split["columns"], split["data"]
        distinct = set(named)
    except (ValueError, RecursionError, LookupError, TypeError):
        return False
    whole = isinstance(named, list) and rows == [] and len(distinct) == len(named)
    return whole and set(required) <= distinct < set(names)


def on_a_doubles_border(body: bytes) -> bool:
    """Whether it holds an integer of as many digits as the largest double has.

    `maximum: 1.7976931348623157e308` is one number for those who read it as a decimal, and a larger one for those who
    read it as a double; in between, no server can please both.
    """
    return BORDER.search(body) is not None


def _minds_the_point(finding: Finding, probe: Probe) -> bool:
    """Whether the request is refused for 7.0 where an integer belongs, which older JSON Schemas call no integer."""
    if not finding.pointed or finding.seen.status not in REFUSED:
        return False
    again = probe.send(finding.seen.method, finding.at, without_points(finding.seen.body), probe.credential)
    return again.status not in REFUSED


def verdict(name: str, probe: Probe) -> str:
    """The outcome of one Schemathesis check. Raises Violation, NotApplicable, KnownDeviation."""
    findings = probe.once(drive)
    if name in CREATING and not any("{" in path for path in probe.described.document["paths"]):
        raise NotApplicable("the document has nothing that can be created and deleted")
    if name in SAID_OF_HEADERS and not SAID_OF_HEADERS[name](probe.described.document):
        raise NotApplicable("the document names no such header")
    if name == "ignored_auth" and not (probe.described.secured and probe.target.key):
        raise NotApplicable("the document does not require a key" if probe.target.key else "no key was given")
    failed = {what: each for what, each in findings.failed.get(name, {}).items() if not _by_a_limit(name, each)}
    problems = _unexplained(_said(name, failed, probe), probe)
    if problems:
        problems, cause = shared(name, problems, probe)
        what, finding = next(iter(problems.items()))
        more = f" (and {len(problems) - 1} more kinds)" if len(problems) > 1 else ""
        seen = finding.seen
        raise Violation(
            f"{what}{more}; got {shown(seen.status, seen.reply)}", finding.request, cause=cause, telling=name in TELLING
        )
    if name in REFUSING:
        probe.needs_acceptance()
    if not findings.passed[name]:
        raise NotApplicable("the document offers no request to try it with")
    return f"held on {findings.passed[name]} answers to generated requests (seed {probe.seed})"


def _read(name: str) -> CheckFunction:
    def read(probe: Probe) -> str:
        return verdict(name, probe)

    return read


for _name, _about in ABOUT.items():
    check("contract", _about, name=_name)(_read(_name))
