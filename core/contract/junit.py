"""Checks as a JUnit report, the XML that every continuous integration server reads.

The dialect is that of the Jenkins xUnit plugin (`junit-10.xsd`), which the report readers of GitLab, GitHub and Azure
Pipelines know too: a suite for each part, a case for each check.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from types import MappingProxyType
from xml.etree import ElementTree as ET

from core.domain.proof import CheckResult

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 can hold in no form, not even escaped (section 2.2); evidence quotes whatever a server sent."""


def junit(
    name: str,
    checks: Sequence[CheckResult],
    duration_s: float,
    *,
    seconds: Sequence[float] = (),
    about: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """One report named `name`, in UTF-8: violations are failures, checks without a verdict errors, others skipped.

    The order of parts and checks stays. `duration_s` is that of the whole run, `seconds` that of each check where it
    was timed; `about` becomes the properties of every suite.
    """
    root = ET.Element("testsuites", {"name": _clean(name), **_counts(checks), "time": f"{duration_s:.3f}"})
    timed = list(zip_longest(checks, seconds[: len(checks)]))
    for part in dict.fromkeys(check.part for check in checks):
        members = [(check, took_s) for check, took_s in timed if check.part == part]
        counts = _counts([check for check, _ in members])
        suite = ET.SubElement(root, "testsuite", {"name": f"{_clean(name)}.{_clean(part)}", **counts})
        if about:
            _properties(suite, about)
        for check, took_s in members:
            _case(suite, check, took_s)
    ET.indent(root)
    report: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return report + b"\n"


def _counts(checks: Sequence[CheckResult]) -> dict[str, str]:
    outcomes = [_outcome(check) for check in checks]
    plural = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    return {"tests": str(len(checks))} | {many: str(outcomes.count(one)) for many, one in plural.items()}


def _outcome(check: CheckResult) -> str:
    """The element that tells a check's outcome; empty where it passed."""
    if check.no_verdict:
        return "error"
    return {True: "", False: "failure", None: "skipped"}[check.passed]


def _properties(suite: ET.Element, about: Mapping[str, str]) -> None:
    properties = ET.SubElement(suite, "properties")
    for name, value in about.items():
        ET.SubElement(properties, "property", {"name": _clean(name), "value": _clean(value)})


def _case(suite: ET.Element, check: CheckResult, took_s: float | None) -> None:
    timed = {} if took_s is None else {"time": f"{took_s:.3f}"}
    case = ET.SubElement(suite, "testcase", {"classname": suite.attrib["name"], "name": _clean(check.name), **timed})
    if outcome := _outcome(check):
        told = ET.SubElement(case, outcome, {"message": _clean(check.evidence)})
        if outcome == "failure":
            told.text = _clean("\n".join(filter(None, (check.about, check.evidence, check.curl))))
    else:
        ET.SubElement(case, "system-out").text = _clean(check.evidence)


def _clean(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)
