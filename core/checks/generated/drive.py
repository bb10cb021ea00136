"""One run of Schemathesis on the endpoint's own document, bounded in examples and seconds, and what it saw.

Its settings are `schemathesis.toml`'s. Schemathesis and Hypothesis are imported when a run begins, never before.
"""

import json
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
from core.checks.document.allowed import AS_IT_IS, NAMED, Bodies
from core.checks.document.home import without_addresses
from core.checks.document.security import Credential
from core.checks.probe.curl import quoted
from core.checks.probe.probe import Probe
from core.domain.errors import NoVerdict
from core.domain.proof import Target

if TYPE_CHECKING:
    from schemathesis.config import SchemathesisConfig
    from schemathesis.engine.events import NonFatalError, ScenarioFinished
    from schemathesis.engine.recorder import CheckNode, ScenarioRecorder

SETTINGS = Path(__file__).resolve().parents[3] / "schemathesis.toml"
ITEMS_MAX = 100
"""Longer arrays are not generated: one of 10,000 rows costs seconds. A wire check tries the bound on rows."""
GONE = "Server Unavailable"
"""So Schemathesis calls it when the server stops answering altogether."""
GENERATING, COVERING = ("examples", "fuzzing", "stateful"), ("coverage",)
"""The phases in two runs: only the second grows with the number of columns, and takes what time is left."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that Schemathesis made, as the curl command it gives; that one holds the key in the clear."""

    command: str = field(repr=False)
    credential: Credential | None = None
    """What it carries for a key."""

    def curl(self, target: Target) -> str:
        key = target.key
        if not key:
            return self.command
        known = self.command
        if (credential := self.credential) is not None:
            header, made = f"{credential.header}: {credential.value}", f"{credential.header}: {credential.shell}"
            for said in (shlex.quote(header), f"'{header}'"):
                known = known.replace(said, f'"{made}"')
        return known.replace(key, "$SLIPWAY_KEY")


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of failure: the shortest request that shows it, and how it was answered."""

    request: Request
    seen: azure.Objection
    at: str
    """The path that it was sent to, below the server's root."""
    pointed: bool
    """It holds whole numbers with a decimal point, and is kept apart from those that hold none."""


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

    from core.checks.generated.straight import go_straight

    left_s = until - monotonic()
    # The engine gives each of the three operations an equal share, and scoring is the one with many cases. Told of
    # twice the time, it gives scoring two thirds of what is really there; the alarm keeps the promise.
    config = _config(probe, phases, max(1, int(2 * left_s)) if phases == COVERING else None)
    go_straight()
    schema = schemathesis.openapi.from_dict(bounded(without_addresses(probe.described.document)), config=config)
    stream = from_schema(schema).execute()
    alarm = Timer(max(1.0, left_s), stream.stop)
    alarm.start()
    try:
        for event in stream:
            if isinstance(event, events.ScenarioFinished):
                _collect(event, findings, probe)
            elif isinstance(event, events.NonFatalError):
                _note(event, findings, probe.credential)
            elif isinstance(event, events.FatalError):
                raise NoVerdict(f"Schemathesis could not continue: {event.exception}") from event.exception
    finally:
        alarm.cancel()


def _note(event: "NonFatalError", findings: Findings, credential: Credential | None) -> None:
    """A request without an answer is the endpoint's fault; any other error says that the document makes no sense."""
    import requests

    what = f"{event.label}: {event.info.title}. {event.info.message}"
    if isinstance(event.value, requests.RequestException) or event.info.title == GONE:
        findings.unanswered.setdefault(what, Request(event.info.code_sample or "", credential))
    else:
        findings.unreadable.append(what)


def bounded(schema: Any, word: str = "") -> Any:
    """The document without long lists. Only where `word` stands before a schema: names and data are as they are."""
    if word in AS_IT_IS:
        return schema
    if isinstance(schema, Mapping):
        long = word not in NAMED and _may_be_shorter(schema)
        return {k: bounded(v, "" if word in NAMED else k) for k, v in schema.items() if not (long and k == "maxItems")}
    return [bounded(value) for value in schema] if isinstance(schema, list) else schema


def _may_be_shorter(schema: Mapping[str, Any]) -> bool:
    """Whether a limit on its items says nothing of those that are made without it. Tuples keep it."""
    least, most = schema.get("minItems", 0), schema.get("maxItems", 0)
    return isinstance(most, int) and most > ITEMS_MAX and least <= ITEMS_MAX and "prefixItems" not in schema


def _config(probe: Probe, phases: Collection[str], max_time_s: int | None) -> "SchemathesisConfig":
    from schemathesis.config import SchemathesisConfig

    settings = tomllib.loads(SETTINGS.read_text("utf-8"))
    headers = dict(probe.target.headers)
    if (credential := probe.credential) is not None:
        headers[credential.header] = credential.value
    every_phase = {name: dict(settings["phases"][name]) for name in (*GENERATING, *COVERING)}
    for name, phase in every_phase.items():
        phase["enabled"] = phase["enabled"] and name in phases
    settings |= {
        "seed": probe.seed,
        "base-url": probe.target.url,
        "headers": headers,
        "generation": settings["generation"] | {"max-examples": probe.depth.examples},
        "phases": every_phase,
    }
    return SchemathesisConfig.from_dict(settings | ({"max-time": max_time_s} if max_time_s else {}))


def _collect(event: "ScenarioFinished", findings: Findings, probe: Probe) -> None:
    recorder = event.recorder
    findings.requests += len(recorder.interactions)
    for case_id, nodes in recorder.checks.items():
        for node in nodes:
            if node.failure_info is None:
                findings.passed[node.name] += _tried(recorder, case_id, node.name)
                continue
            if _mistaken(recorder, case_id, node.name, probe):
                continue
            what, finding = _finding(recorder, case_id, node, probe)
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


def _mistaken(recorder: "ScenarioRecorder", case_id: str, check: str, probe: Probe) -> bool:
    """Whether data that were generated as valid are forbidden by the document itself, or the other way round."""
    from schemathesis.core.parameters import ParameterLocation

    case = recorder.cases[case_id].value
    asked = (case.method, case.path) == ("POST", probe.described.score_path)
    if check not in ("negative_data_rejection", "positive_data_acceptance") or not asked or case.meta is None:
        return False
    allowed = probe.once(_bodies).allowed(_sent(recorder, case_id))
    if check == "positive_data_acceptance":
        return allowed is False
    wrong = {where for where, how in case.meta.components.items() if how.mode.is_negative}
    return wrong == {ParameterLocation.BODY} and allowed is True


def _bodies(probe: Probe) -> Bodies:
    return Bodies(probe.described)


def _finding(recorder: "ScenarioRecorder", case_id: str, node: "CheckNode", probe: Probe) -> tuple[str, Finding]:
    assert node.failure_info is not None
    failure, credential = node.failure_info.failure, probe.credential
    case, response = recorder.cases[case_id].value, recorder.find_response(case_id=case_id)
    sent, reply = _sent(recorder, case_id), (response.content or b"") if response else b""
    status = response.status_code if response else 0
    what = ". ".join(filter(None, (f"{failure.operation}: {failure.title}", " ".join(failure.message.split()))))
    content_type = next(iter(response.headers.get("content-type", [])), "") if response else ""
    seen = azure.Objection(node.name, case.method, case.path, status, content_type, sent, reply, what, bool(credential))
    pointed = without_points(sent) != sent
    at = case.formatted_path
    kind = f"{what} (whole numbers with a decimal point)" if pointed else what
    return kind, Finding(Request(_faithful(node.failure_info.code_sample, sent), credential), seen, at, pointed)


def without_points(body: bytes) -> bytes:
    """The JSON with its whole numbers as integers; the bytes as they are where there are none, or no JSON."""
    found = False

    def number(literal: str) -> int | float:
        nonlocal found
        value = float(literal)
        whole = value.is_integer()  # False for what is infinite as a double
        found = found or whole
        return int(value) if whole else value

    try:
        read = json.loads(body, parse_float=number)
    except (ValueError, RecursionError):
        return body
    return json.dumps(read).encode() if found else body


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
