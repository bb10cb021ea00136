"""A report as JUnit XML, as CI systems read it: one suite a part, one case a check."""

import re
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from core.checks.report import Report, Verdict, verdict_of
from core.domain.proof import CheckResult

ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""
ELEMENTS = {Verdict.VIOLATED: "failure", Verdict.NO_VERDICT: "error"}


def render(report: Report) -> str:
    """The document. What did not apply and known deviations are skipped cases, no verdict is an error."""
    timed = list(zip(report.results, report.seconds, strict=True))
    parts = dict.fromkeys(result.part for result in report.results)
    suites = [_suite(report, part, [(r, s) for r, s in timed if r.part == part]) for part in parts]
    head = f'<testsuites name="contract" {_counts(timed)}>'
    return "\n".join(['<?xml version="1.0" encoding="utf-8"?>', head, *suites, "</testsuites>"]) + "\n"


def _suite(report: Report, part: str, timed: list[tuple[CheckResult, float]]) -> str:
    at = datetime.fromtimestamp(report.created_at, UTC).isoformat(timespec="seconds")
    about = {"url": report.url, "deployment": report.deployment, "profile": report.profile, "seed": str(report.seed)}
    properties = [f"<property name={_attribute(name)} value={_attribute(value)}/>" for name, value in about.items()]
    lines = [
        f"<testsuite name={_attribute(part)} timestamp={_attribute(at)} {_counts(timed)}>",
        f"<properties>{''.join(properties)}</properties>",
        *(_case(result, seconds) for result, seconds in timed),
        "</testsuite>",
    ]
    return "\n".join(lines)


def _case(result: CheckResult, seconds: float) -> str:
    verdict = verdict_of(result)
    name = f"classname={_attribute(f'contract.{result.part}')} name={_attribute(result.name)}"
    head = f'<testcase {name} time="{seconds:.3f}"'
    if verdict is Verdict.HOLDS:
        return f"{head}><system-out>{_text(result.evidence)}</system-out></testcase>"
    element, message = ELEMENTS.get(verdict, "skipped"), f"message={_attribute(result.evidence)}"
    if element == "skipped":
        return f"{head}><skipped {message}/></testcase>"
    text = _text("\n".join(filter(None, (result.about, result.evidence, result.curl))))
    return f'{head}><{element} type="{verdict}" {message}>{text}</{element}></testcase>'


def _counts(timed: list[tuple[CheckResult, float]]) -> str:
    verdicts = [verdict_of(result) for result, _ in timed]
    failures, errors = verdicts.count(Verdict.VIOLATED), verdicts.count(Verdict.NO_VERDICT)
    skipped = len(verdicts) - failures - errors - verdicts.count(Verdict.HOLDS)
    seconds = sum(seconds for _, seconds in timed)
    return f'tests="{len(timed)}" failures="{failures}" errors="{errors}" skipped="{skipped}" time="{seconds:.3f}"'


def _attribute(text: str) -> str:
    return quoteattr(_legal(text))


def _text(text: str) -> str:
    return escape(_legal(text))


def _legal(text: str) -> str:
    return ILLEGAL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
