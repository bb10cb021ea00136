"""An endpoint in the browser: its own documentation page, any document, its log, a load watched live."""

import csv
import io
import json

import living
import pytest
from playwright.sync_api import Locator, Page, expect
from turns import on_day
from waiting import wait_until
from watcher import settled

from core.contract import samples

expect.set_options(timeout=20_000)

DAYS = 3
"""What is done on the page of an endpoint takes turns: each is 3 to 6 s of a processor."""


@pytest.mark.contract("R4")
def test_the_documentation_page_tries_the_endpoint_with_a_key(page: Page, quickstart: living.Live):
    page.goto(f"{quickstart.url}/docs")
    expect(page.get_by_role("heading", name=quickstart.endpoint)).to_be_visible()

    page.get_by_role("button", name="Authorize").first.click()
    page.locator("input[type=text], input[type=password]").last.fill(quickstart.key)
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").first.click()

    operation = page.locator(".opblock-post")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Execute").click()

    answered = operation.locator(".live-responses-table tbody tr.response").first
    expect(answered.locator(".response-col_status")).to_contain_text("200")
    expect(answered).to_contain_text("result")


@on_day(0, DAYS)
def test_the_app_shows_the_documents_of_this_endpoint_and_of_others(page: Page, app: str, quickstart: living.Live):
    page.goto(f"{app}/deploy?endpoint={quickstart.endpoint}&use=Swagger")
    settled(page, "Deploy")
    shown = page.frame_locator("iframe[title*=swagger_ui]")
    expect(shown.get_by_text("Run the model and get its predictions")).to_be_visible()

    page.get_by_role("radio", name="Another document").or_(page.get_by_role("button", name="Another document")).click()
    other = {"openapi": "3.0.3", "info": {"title": "Somebody's service", "version": "7"}, "paths": {}}
    page.locator("input[type=file]").set_input_files(
        {"name": "swagger.json", "mimeType": "application/json", "buffer": json.dumps(other).encode()}
    )
    expect(shown.get_by_text("Somebody's service")).to_be_visible()


@on_day(2, DAYS)
def test_an_uploaded_table_is_scored_and_the_scored_file_downloaded(page: Page, app: str, quickstart: living.Live):
    signature = quickstart.workspace.models.get(**quickstart.report["model"]).signature
    rows = samples.rows(signature, 30, seed=5)
    table = io.StringIO()
    writer = csv.DictWriter(table, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    page.goto(f"{app}/deploy?endpoint={quickstart.endpoint}&use=Batch")
    settled(page, "Deploy")

    page.locator("input[type=file]").set_input_files(
        {"name": "rows.csv", "mimeType": "text/csv", "buffer": table.getvalue().encode()}
    )
    page.get_by_role("button", name="Score the file").click()
    expect(page.get_by_text("30 rows scored, 0 rejected.")).to_be_visible()
    with page.expect_download() as got:
        page.get_by_role("button", name="Download the scored table").click()

    scored = list(csv.DictReader(got.value.path().open()))
    told = quickstart.workspace.endpoints.invoke(quickstart.endpoint, samples.body(rows))
    assert [row["prediction"] for row in scored] == told.body["result"]


@on_day(2, DAYS)
def test_a_load_is_watched_until_its_figures_stand(page: Page, app: str, quickstart: living.Live):
    page.goto(f"{app}/deploy?endpoint={quickstart.endpoint}&use=Load+test")
    settled(page, "Deploy")

    page.get_by_role("button", name="Run").click()

    expect(page.get_by_text("Load test results")).to_be_visible()
    expect(page.get_by_role("paragraph").filter(has_text="0 of 10")).to_be_visible()


@on_day(1, DAYS)
def test_the_newest_request_stands_in_the_live_log(page: Page, app: str, quickstart: living.Live):
    page.goto(f"{app}/deploy?endpoint={quickstart.endpoint}&use=Logs")
    settled(page, "Deploy")
    asked = quickstart.workspace.endpoints.invoke(quickstart.endpoint, b"{}")
    found = next(value for name, value in asked.headers.items() if name.lower() == "x-request-id")

    page.get_by_label("Request id").fill(found)
    page.get_by_label("Request id").press("Enter")

    # A busy server logs a moment after it has answered.
    lines = wait_until(lambda: quickstart.workspace.endpoints.logs(quickstart.endpoint, request_id=found), 20)
    assert [line.level for line in lines] == ["warning"]
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()


def until_it_stands_still(button: Locator, looks: int = 10) -> None:
    """A panel that opens slides for a moment: a click at where its button was a frame ago meets nothing."""
    button.scroll_into_view_if_needed()
    boxes: list[object] = []

    def still() -> bool:
        boxes.append(button.bounding_box())
        return len(boxes) > looks and all(box == boxes[-1] for box in boxes[-looks:])

    wait_until(still, 20, every_s=0.1)


@on_day(2, DAYS)
def test_a_form_that_was_overtaken_by_another_session_saves_nothing(page: Page, app: str, quickstart: living.Live):
    page.goto(f"{app}/deploy?endpoint={quickstart.endpoint}&use=Details")
    settled(page, "Deploy")
    page.get_by_text("Settings", exact=True).click()
    until_it_stands_still(page.get_by_role("button", name="Save", exact=True))
    page.get_by_role("spinbutton", name="Max concurrent requests").fill("7")
    before = quickstart.workspace.endpoints.get(quickstart.endpoint).limits
    try:
        quickstart.workspace.endpoints.update(quickstart.endpoint, {"max_rows": 4321})
        page.get_by_role("button", name="Save", exact=True).click()

        expect(page.get_by_text("Nothing was saved")).to_be_visible()
        kept = quickstart.workspace.endpoints.get(quickstart.endpoint).limits
        assert (kept.max_rows, kept.max_concurrent) == (4321, before.max_concurrent)
    finally:
        quickstart.workspace.endpoints.update(quickstart.endpoint, {"max_rows": before.max_rows})
