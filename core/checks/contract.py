"""Schemathesis on the endpoint's own document: what it allows must be answered, what it forbids refused.

Schemathesis and Hypothesis are imported when the first of these checks runs, never before.
"""

import shlex
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Timer
from time import monotonic
from typing import TYPE_CHECKING, Any

from core.checks.probe import HANG_S, Probe
from core.checks.registry import NotApplicable, Violation, check
from core.domain.errors import NoVerdict
from core.domain.proof import Target

if TYPE_CHECKING:
    from schemathesis.config import SchemathesisConfig
    from schemathesis.engine.events import NonFatalError, ScenarioFinished

ABOUT: Mapping[str, str] = {
    "not_a_server_error": "No request makes the server fail (5xx).",
    "status_code_conformance": "Every status that is answered is listed in the document.",
    "content_type_conformance": "Every answer has a content type that the document lists.",
    "response_headers_conformance": "Every answer carries the headers that the document promises.",
    "response_schema_conformance": "Every answer has the shape that the document gives for its status.",
    "positive_data_acceptance": "Every request that the document allows is accepted.",
    "negative_data_rejection": "Every request that the document forbids is refused.",
    "missing_required_header": "A request without a required header is refused.",
    "unsupported_method": "Methods that the document does not list are refused with 405.",
    "allow_header_conformance": "A 405 answer's Allow header lists the methods of the document.",
    "ignored_auth": "Where the document asks for a key, nothing is answered without it or with a wrong one.",
}
STATEFUL = ("use_after_free", "ensure_resource_availability", "object_level_authorization")
"""Schemathesis checks of resources that are created and deleted, which a scoring endpoint has not."""
ITEMS_MAX = 100
"""Longer arrays are not generated: one of 10,000 rows costs seconds. A wire check tries the bound on rows."""
GENERATING, COVERING = ("examples", "fuzzing"), ("coverage",)
"""The phases in two runs: only the second grows with the number of columns, and takes what time is left."""
REFUSALS = ("4xx", "5xx")
"""Any of these refuses a forbidden request: Schemathesis's own list lacks 408, 413 and 431."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that Schemathesis made, as the curl command it gives; that one holds the key in the clear."""

    command: str = field(repr=False)

    def curl(self, target: Target) -> str:
        key = target.key
        if not key:
            return self.command
        known = self.command.replace(
            shlex.quote(f"Authorization: Bearer {key}"), '"Authorization: Bearer $SLIPWAY_KEY"'
        )
        return known.replace(key, "$SLIPWAY_KEY")


@dataclass(slots=True)
class Findings:
    """What one Schemathesis run saw, by check."""

    requests: int = 0
    passed: Counter[str] = field(default_factory=Counter)
    failed: dict[str, dict[str, Request]] = field(default_factory=dict)
    """Check -> what was wrong -> the shortest request that shows it."""
    unanswered: dict[str, Request] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    """What Schemathesis could not make sense of in the document."""


@check("contract", "The document says where, what and how to score.")
def document_is_usable(probe: Probe) -> str:
    for problem in probe.once(drive).unreadable:
        raise Violation(problem)
    described = probe.described
    version = described.document.get("openapi") or described.document.get("swagger")
    used = len(described.signature.used)
    return (
        f"version {version}: {used} columns, {len(described.signature.classes)} classes, {', '.join(described.forms)}"
    )


@check("contract", "Every generated request is answered: no broken connection, no silence.")
def every_request_is_answered(probe: Probe) -> str:
    findings = probe.once(drive)
    for what, request in findings.unanswered.items():
        raise Violation(what, request)
    return f"{findings.requests} generated requests, all answered"


def verdict(name: str, probe: Probe) -> str:
    """The outcome of one Schemathesis check. Raises Violation, NotApplicable."""
    findings = probe.once(drive)
    if name == "ignored_auth" and not (probe.described.secured and probe.target.key):
        raise NotApplicable("the document asks for no key" if probe.target.key else "no key was given")
    if problems := findings.failed.get(name):
        what, request = next(iter(problems.items()))
        more = f" (and {len(problems) - 1} more kinds)" if len(problems) > 1 else ""
        raise Violation(f"{what}{more}", request)
    if not findings.passed[name]:
        raise NotApplicable("nothing in the document gives it a request to try")
    return f"held on {findings.passed[name]} answers to generated requests (seed {probe.seed})"


for _name, _about in ABOUT.items():
    check("contract", _about, name=_name)(partial(verdict, _name))


def drive(probe: Probe) -> Findings:
    """Run Schemathesis once, bounded in examples and seconds. Raises NoVerdict when it cannot run."""
    findings = Findings()
    until = monotonic() + probe.depth.generated_s
    for phases in (GENERATING, COVERING):
        _run(probe, findings, phases, until)
    return findings


def _run(probe: Probe, findings: Findings, phases: Collection[str], until: float) -> None:
    import schemathesis
    from schemathesis.engine import events, from_schema

    left_s = until - monotonic()
    # The engine gives each of the three operations an equal share, and scoring is the one with many cases. Told of
    # twice the time, it gives scoring two thirds of what is really there; the alarm keeps the promise.
    config = _config(probe, phases, max(1, int(2 * left_s)) if phases == COVERING else None)
    schema = schemathesis.openapi.from_dict(_bounded(probe.described.document), config=config)
    stream = from_schema(schema).execute()
    alarm = Timer(max(1.0, left_s), stream.stop)
    alarm.start()
    try:
        for event in stream:
            if isinstance(event, events.ScenarioFinished):
                _collect(event, findings)
            elif isinstance(event, events.NonFatalError):
                _note(event, findings)
            elif isinstance(event, events.FatalError):
                raise NoVerdict(f"Schemathesis could not go on: {event.exception}") from event.exception
    finally:
        alarm.cancel()


def _note(event: "NonFatalError", findings: Findings) -> None:
    """A request without an answer is the endpoint's fault; any other error says that the document makes no sense."""
    import requests

    what = f"{event.label}: {event.info.title}. {event.info.message}"
    if isinstance(event.value, requests.RequestException):
        findings.unanswered.setdefault(what, Request(event.info.code_sample or ""))
    else:
        findings.unreadable.append(what)


def _bounded(document: Any) -> Any:
    if isinstance(document, Mapping):
        return {k: _bounded(v) for k, v in document.items() if not (k == "maxItems" and v > ITEMS_MAX)}
    return [_bounded(value) for value in document] if isinstance(document, list) else document


def _config(probe: Probe, phases: Collection[str], max_time_s: int | None) -> "SchemathesisConfig":
    from schemathesis.config import SchemathesisConfig

    headers = dict(probe.target.headers)
    if probe.target.key:
        headers["Authorization"] = f"Bearer {probe.target.key}"
    every_phase = (*GENERATING, *COVERING, "stateful")
    settings: dict[str, Any] = {
        "seed": probe.seed,
        "base-url": probe.target.url,
        "headers": headers,
        "continue-on-failure": True,
        "request-timeout": HANG_S,
        "workers": 1,
        "generation": {"max-examples": probe.depth.examples, "database": "none"},
        "phases": {name: {"enabled": name in phases} for name in every_phase},
        "checks": {"negative_data_rejection": {"expected-statuses": list(REFUSALS)}}
        | {name: {"enabled": False} for name in STATEFUL},
        # Reproductions need the whole request; the key is replaced by ours.
        "output": {"sanitization": {"enabled": False}, "truncation": {"enabled": False}},
        "cache": {"enabled": False},
    }
    return SchemathesisConfig.from_dict(settings | ({"max-time": max_time_s} if max_time_s else {}))


def _collect(event: "ScenarioFinished", findings: Findings) -> None:
    recorder = event.recorder
    findings.requests += len(recorder.interactions)
    for nodes in recorder.checks.values():
        for node in nodes:
            if node.failure_info is None:
                findings.passed[node.name] += 1
                continue
            failure = node.failure_info.failure
            what = f"{failure.operation}: {failure.title}. {' '.join(failure.message.split())}"
            request = Request(node.failure_info.code_sample)
            kinds = findings.failed.setdefault(node.name, {})
            known = kinds.get(what)
            if known is None or len(request.command) < len(known.command):
                kinds[what] = request
