"""Checks as a JUnit report, the XML that every continuous integration server reads.

The dialect is that of the Jenkins xUnit plugin (`junit-10.xsd`), which the report readers of GitLab, GitHub and Azure
Pipelines know too: a suite for each part, a case for each check.
"""

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from core.domain.proof import CheckResult

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 can hold in no form, not even escaped (section 2.2); evidence quotes whatever a server sent."""


def junit(name: str, checks: Sequence[CheckResult], duration_s: float) -> bytes:
    """One report named `name`, in UTF-8: violations are failures, checks without a verdict errors, others skipped.

    The order of parts and checks stays. `duration_s` is that of the whole run: single checks are not timed.
    """
    root = ET.Element("testsuites", {"name": _clean(name), **_counts(checks), "time": f"{duration_s:.3f}"})
    for part in dict.fromkeys(check.part for check in checks):
        members = [check for check in checks if check.part == part]
        suite = ET.SubElement(root, "testsuite", {"name": f"{_clean(name)}.{_clean(part)}", **_counts(members)})
        for check in members:
            _case(suite, check)
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


def _case(suite: ET.Element, check: CheckResult) -> None:
    case = ET.SubElement(suite, "testcase", {"classname": suite.attrib["name"], "name": _clean(check.name)})
    if outcome := _outcome(check):
        told = ET.SubElement(case, outcome, {"message": _clean(check.evidence)})
        if outcome == "failure":
            told.text = _clean("\n".join(filter(None, (check.about, check.evidence, check.curl))))
    else:
        ET.SubElement(case, "system-out").text = _clean(check.evidence)


def _clean(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)
