"""JUnit XML for machines and one page for people tell the same results, and ask nothing of anybody."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from core.checks.reports import html, junit
from core.checks.reports.report import Report, Verdict
from core.domain.proof import CheckResult

HOSTILE = "</script><img src=http://evil.example/x onerror=alert(1)> ]]> & \x00\x1b \ud800 é"
RESULTS = (
    CheckResult("a", "contract", True, "held on 3 answers", about="It answers."),
    CheckResult(
        "b", "contract", False, f"Got {HOSTILE}", f"curl -d '{HOSTILE}' http://127.0.0.1:1/score", about=HOSTILE
    ),
    CheckResult("c", "semantic", None, "not applicable: the document says nothing", about="Order is kept."),
    CheckResult("d", "semantic", None, "known deviation (error as 200): 3 kinds", about="Errors are errors."),
    CheckResult("e", "wire", None, "no verdict: it is gone", no_verdict=True, about="Keys are checked."),
)


def report(*results: CheckResult) -> Report:
    return Report(
        url="http://127.0.0.1:8000",
        deployment="v1",
        profile="strict",
        depth="default",
        seed=7,
        created_at=0.0,
        results=results,
        seconds=[0.25] * len(results),
    )


class Reader(HTMLParser):
    """What a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_junit_counts_and_tells_every_check() -> None:
    root = ElementTree.fromstring(junit.render(report(*RESULTS)))
    assert {n: root.get(n) for n in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5",
        "failures": "1",
        "errors": "1",
        "skipped": "2",
    }
    assert [suite.get("name") for suite in root] == ["contract.contract", "contract.semantic", "contract.wire"]
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert list(cases) == [result.name for result in RESULTS]
    assert all(case.get("time") == "0.250" for case in cases.values())
    assert cases["a"].findtext("system-out") == "held on 3 answers"
    failure = cases["b"].find("failure")
    assert failure is not None
    assert "curl -d" in (failure.text or "")
    assert [child.tag for name in "cde" for child in cases[name]] == ["skipped", "skipped", "error"]
    properties = {p.get("name"): p.get("value") for p in root[0].iter("property")}
    assert properties == {"url": "http://127.0.0.1:8000", "deployment": "v1", "profile": "strict", "seed": "7"}


def test_the_page_shows_every_check_and_the_worst_first() -> None:
    text = Reader(html.render(report(RESULTS[0], *RESULTS[1:])).decode()).text
    for result in RESULTS:
        assert result.name in text
        assert result.evidence.split(":")[0][:12] in text
    assert text.index("It answers.") > text.index("curl -d")
    assert "It does not hold" in text
    assert "python -m core contract http://127.0.0.1:8000 --profile strict --seed 7 --deployment v1" in text


def test_the_page_asks_for_nothing_and_runs_nothing() -> None:
    page = html.render(report(*RESULTS)).decode()
    seen = Reader(page)
    assert not seen.tags & {"script", "img", "link", "iframe", "object", "form", "a", "base"}
    assert not {name for name in seen.attributes if name.startswith("on") or name in ("src", "href", "action", "style")}
    assert "default-src 'none'" in page
    assert not re.search(r"url\(|@import", page)


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        (RESULTS, Verdict.VIOLATED),
        (RESULTS[2:], Verdict.NO_VERDICT),
        (RESULTS[2:4], Verdict.HOLDS),
        (RESULTS[:1], Verdict.HOLDS),
    ],
)
def test_the_worst_check_decides(results: tuple[CheckResult, ...], verdict: Verdict) -> None:
    assert report(*results).verdict is verdict


def test_the_summary_counts_by_verdict() -> None:
    assert report(*RESULTS).summary == "1 hold, 1 violated, 1 known deviations, 1 not applicable, 1 no verdict"
