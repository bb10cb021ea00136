"""One run of Schemathesis on the endpoint's own document, bounded in examples and seconds, and what it saw.

Its settings are `schemathesis.toml`'s. Schemathesis and Hypothesis are imported when a run begins, never before.
"""

import shlex
import tomllib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import TYPE_CHECKING, Any

from core.checks import azure
from core.checks.probe import Probe, quoted
from core.domain.errors import NoVerdict
from core.domain.proof import Target

if TYPE_CHECKING:
    from schemathesis.config import SchemathesisConfig
    from schemathesis.engine.events import NonFatalError, ScenarioFinished
    from schemathesis.engine.recorder import CheckNode, ScenarioRecorder

SETTINGS = Path(__file__).resolve().parents[2] / "schemathesis.toml"
ITEMS_MAX = 100
"""Longer arrays are not generated: one of 10,000 rows costs seconds. A wire check tries the bound on rows."""
GENERATING, COVERING = ("examples", "fuzzing", "stateful"), ("coverage",)
"""The phases in two runs: only the second grows with the number of columns, and takes what time is left."""


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


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of failure: the shortest request that shows it, and how it was answered."""

    request: Request
    seen: azure.Seen


@dataclass(slots=True)
class Findings:
    """What one Schemathesis run saw, by check."""

    requests: int = 0
    passed: Counter[str] = field(default_factory=Counter)
    failed: dict[str, dict[str, Finding]] = field(default_factory=dict)
    """Check -> what was wrong -> a finding that shows it."""
    unanswered: dict[str, Request] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    """What Schemathesis could not make sense of in the document."""


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
                _collect(event, findings, keyed=bool(probe.target.key))
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

    settings = tomllib.loads(SETTINGS.read_text("utf-8"))
    headers = dict(probe.target.headers)
    if probe.target.key:
        headers["Authorization"] = f"Bearer {probe.target.key}"
    every_phase = {name: dict(settings["phases"][name]) for name in (*GENERATING, *COVERING)}
    for name, phase in every_phase.items():
        phase["enabled"] = phase["enabled"] and name in phases
    settings |= {
        "seed": probe.seed,
        "base-url": probe.target.url + probe.described.prefix,
        "headers": headers,
        "generation": settings["generation"] | {"max-examples": probe.depth.examples},
        "phases": every_phase,
    }
    return SchemathesisConfig.from_dict(settings | ({"max-time": max_time_s} if max_time_s else {}))


def _collect(event: "ScenarioFinished", findings: Findings, *, keyed: bool) -> None:
    recorder = event.recorder
    findings.requests += len(recorder.interactions)
    for case_id, nodes in recorder.checks.items():
        for node in nodes:
            if node.failure_info is None:
                findings.passed[node.name] += _tried(recorder, case_id, node.name)
                continue
            what, finding = _finding(recorder, case_id, node, keyed=keyed)
            kinds = findings.failed.setdefault(node.name, {})
            known = kinds.get(what)
            if known is None or len(finding.request.command) < len(known.request.command):
                kinds[what] = finding


def _tried(recorder: "ScenarioRecorder", case_id: str, check: str) -> bool:
    """Whether a case that passed a check tried what the check is about: most of them pass what they do not concern."""
    meta, response = recorder.cases[case_id].value.meta, recorder.find_response(case_id=case_id)
    if check in ("negative_data_rejection", "positive_data_acceptance"):
        return meta is not None and meta.generation.mode.is_negative == (check == "negative_data_rejection")
    return check != "allow_header_conformance" or (response is not None and response.status_code == 405)


def _finding(recorder: "ScenarioRecorder", case_id: str, node: "CheckNode", *, keyed: bool) -> tuple[str, Finding]:
    assert node.failure_info is not None
    failure = node.failure_info.failure
    case, response = recorder.cases[case_id].value, recorder.find_response(case_id=case_id)
    sent, reply = _sent(recorder, case_id), (response.content or b"") if response else b""
    status = response.status_code if response else 0
    what = ". ".join(filter(None, (f"{failure.operation}: {failure.title}", " ".join(failure.message.split()))))
    content_type = next(iter(response.headers.get("content-type", [])), "") if response else ""
    seen = azure.Seen(node.name, case.method, case.path, status, content_type, sent, reply, what, keyed)
    return what, Finding(Request(_faithful(node.failure_info.code_sample, sent)), seen)


def _sent(recorder: "ScenarioRecorder", case_id: str) -> bytes:
    interaction = recorder.interactions.get(case_id)
    return (interaction.request.body or b"") if interaction else b""


def _faithful(command: str, sent: bytes) -> str:
    """The command with the very bytes: Schemathesis writes what is not UTF-8 as the replacement character."""
    head, data, tail = command.partition(" -d ")
    if not data or "\ufffd" not in tail:
        return command
    url = tail.rsplit(" ", 1)[-1]
    return f"{head} --data-binary {quoted(sent)} {url}"
