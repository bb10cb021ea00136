"""What is behind a finding of Schemathesis, where other checks meet the same: one cause is told once."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.checks import azure
from core.checks.asking.refusals import needs_no_key
from core.checks.document.kinds import classifies, kinds_shown, label_of, wrong_kind
from core.checks.document.replies import answers_in
from core.checks.generated.drive import Finding
from core.checks.outcome import (
    ELSEWHERE,
    ERRORS,
    FAULT,
    GONE,
    HEADERS,
    KIND,
    LABELS,
    MOVED,
    OPEN,
    TWICE,
    NotApplicable,
    Violation,
)
from core.checks.probe import encoding
from core.checks.probe.exchange import Exchange
from core.checks.probe.places import meant, refusal
from core.checks.probe.probe import Probe
from core.domain.errors import NoVerdict, ServiceUnavailable

SHAPES = ("response_schema_conformance", "content_type_conformance")
ACCEPTED = "positive_data_acceptance"
TOLD_BY_STATUS = (*SHAPES, "status_code_conformance", "not_a_server_error", ACCEPTED, "response_headers_conformance")
"""What Schemathesis says of any answer with a status that nobody expected."""
ABOUT_KEYS = ("ignored_auth", "missing_required_header", "negative_data_rejection")


def shared(name: str, problems: Mapping[str, Finding], probe: Probe) -> tuple[Mapping[str, Finding], str]:
    """The problems that are the check's own, with no cause; where there are none, all of them with their cause."""
    causes = {what: _cause(name, finding, probe) for what, finding in problems.items()}
    own = {what: finding for what, finding in problems.items() if not causes[what]}
    return (own, "") if own else (problems, "; ".join(sorted(set(causes.values()))))


def _cause(name: str, finding: Finding, probe: Probe) -> str:
    seen = finding.seen
    if name in TOLD_BY_STATUS and seen.status >= 500 and probe.shut is None:
        return FAULT
    if name in TOLD_BY_STATUS and seen.status // 100 == 3:
        return MOVED
    if _about_the_key(name, seen, probe) and needs_no_key(probe):
        return OPEN
    if seen.path != probe.described.score_path:
        return ""
    if isinstance(probe.shut, Violation) and refusal(seen.status, seen.reply) == probe.shut.cause:
        return probe.shut.cause
    if name == ACCEPTED:
        return refusal(seen.status, seen.reply)
    if name == "response_headers_conformance" and "missing" in seen.message.lower():
        return HEADERS
    if name in SHAPES and 400 <= seen.status < 500:
        return ERRORS
    if name == "content_type_conformance" and seen.status == 200:
        return KIND
    return _shape(finding, probe) if name == "response_schema_conformance" and seen.status == 200 else ""


def _about_the_key(name: str, seen: azure.Objection, probe: Probe) -> bool:
    named = probe.described.scheme.header.lower() in seen.message.lower()
    return name == "ignored_auth" or (name in ABOUT_KEYS and named)


def unanswered_now(probe: Probe) -> str:
    """Why a plain valid request gets no answer now; empty where it gets one."""
    try:
        probe.post(probe.body(probe.sample(1)))
    except Violation as e:
        return e.cause
    except ServiceUnavailable:
        return GONE
    except (NotApplicable, NoVerdict):
        return ""
    return ""


def _shape(finding: Finding, probe: Probe) -> str:
    """Why a reply is not as the document describes it: the whole is wrapped once more, or stands elsewhere."""
    seen, form = finding.seen, probe.described.primary_form
    if encoding.meant(seen.status, seen.reply) != (seen.status, seen.reply):
        return TWICE
    told = probe.described.reply_keys[form]
    if told is None:
        return ""
    exchange = Exchange(seen.method, finding.at, {}, None, seen.body, seen.status, {}, seen.reply)
    try:
        if (found := answers_in(meant(exchange), told)) is not None:
            return LABELS if _other_kind(found, probe) else ""
        return ELSEWHERE if probe.place_of(form) != told else ""
    except Violation as e:
        return e.cause
    except (NoVerdict, ServiceUnavailable):
        return ""


def _other_kind(answers: Sequence[Any], probe: Probe) -> bool:
    """Whether labels are of another type than the document's example shows."""
    shown = kinds_shown(probe.described)
    labels = [label for label in map(label_of, answers) if label is not None]
    strict = classifies(probe.described, answers)
    return bool(shown) and any(wrong_kind(label, shown, strict) for label in labels)
