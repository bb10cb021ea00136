"""The Quality page as people use it: a gate is run, watched and taken along."""

import re
from xml.etree import ElementTree

import pytest
from living import Live
from playwright.sync_api import Page, expect

GATE_TIMEOUT_MS = 60_000


@pytest.mark.full
@pytest.mark.measures
def test_a_gate_is_run_watched_and_its_report_downloaded(page: Page, app: str, quickstart: Live) -> None:
    before = len(quickstart.workspace.proofs.gate_reports(quickstart.endpoint))
    page.goto(f"{app}/quality")
    page.get_by_role("button", name="Run the gate").click()
    expect(page.get_by_text(f"Gate of {quickstart.endpoint}")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("of about")).to_be_visible(timeout=20_000)
    expect(page.get_by_text(re.compile("Parity 1$")).first).to_be_visible(timeout=GATE_TIMEOUT_MS)

    expect(page.get_by_text("Gate history")).to_be_visible(timeout=GATE_TIMEOUT_MS)
    expect(page.get_by_text(f"Gate of {quickstart.endpoint}")).to_have_count(0, timeout=GATE_TIMEOUT_MS)
    report, *earlier = quickstart.workspace.proofs.gate_reports(quickstart.endpoint)
    assert len(earlier) == before
    with page.expect_download() as download:
        page.get_by_role("button", name="JUnit report").click()
    downloaded = ElementTree.parse(download.value.path()).getroot()
    assert downloaded.get("name") == f"{report.endpoint}.{report.deployment}"
    assert downloaded.get("time") == f"{report.duration_s:.3f}"
