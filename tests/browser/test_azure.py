"""The app on Azure ML: every page, and what a visitor does there, over the emulation and through the real SDK."""

import re
from collections.abc import Iterator

import pytest
from azure_story import ENDPOINT, NOTICE, Emulated
from browsing import running_app
from fitting import WIDTHS, assert_none, cut_texts, wider_than_window
from playwright.sync_api import Page, expect
from tables import customers, write_table
from watcher import settled

from core.ui.shell.navigation import PAGES

expect.set_options(timeout=20_000)

STORIES = {
    "home": "Live and proven",
    "explore": "300",
    "leaderboard": "Logistic regression",
    "deploy": "Live and proven",
    "monitor": "Server response time",
    "pipelines": "again",
    "quality": "applicable checks passed",
}


@pytest.fixture(scope="module")
def app(azure: Emulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app's address."""
    log = tmp_path_factory.mktemp("app") / "app.log"
    with running_app(azure.home, log, environ=azure.environment()) as (url, _):
        yield url


def opened(page: Page, url: str, title: str) -> None:
    """A page that is drawn, says where it is, and has nothing to complain of."""
    page.goto(url)
    settled(page, title)
    expect(page.get_by_text(NOTICE)).to_be_visible()


def no_error(page: Page) -> None:
    """Nothing on the page is the red of an error."""
    expect(page.locator("[data-testid=stAlertContentError]")).to_have_count(0)


def test_a_run_is_started_and_a_schedule_is_made(page: Page, azure_deployed, azure_pipeline: str, app: str):
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    opened(page, f"{app}/pipelines?pipeline={azure_pipeline}", "Pipelines")
    page.get_by_role("button", name="Run now").first.click()
    page.wait_for_url("**run=**")
    expect(page.get_by_text(re.compile("Queued|Running|Starting")).first).to_be_visible()
    no_error(page)

    opened(page, f"{app}/pipelines?view=Schedules&schedule_for={azure_pipeline}", "Pipelines")
    page.get_by_text("Cron", exact=True).click()
    page.get_by_role("textbox", name="Cron expression").fill("15 4 * * *")
    expect(page.get_by_text("Every day at 04:15")).to_be_visible()
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("button", name="Turn off").first).to_be_visible()
    no_error(page)


def test_a_row_is_scored_through_the_form(page: Page, azure_live, app: str):
    opened(page, f"{app}/deploy?endpoint={ENDPOINT}", "Deploy")
    page.get_by_label("age", exact=True).fill("51")
    page.get_by_role("button", name="Score").click()
    expect(page.get_by_text("Prediction", exact=True)).to_be_visible()
    no_error(page)


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.file)
def test_every_page_tells_its_story_and_fits(page: Page, azure_live, azure_pipeline, app: str, entry):
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    opened(page, f"{app}/{entry.file}", entry.title)
    expect(page.get_by_text(STORIES[entry.file]).first).to_be_visible()
    no_error(page)
    for width in (WIDTHS[0], WIDTHS[-1]):
        page.set_viewport_size({"width": width, "height": 900})
        assert_none(lambda: [*cut_texts(page), *wider_than_window(page)], f"{entry.title}, {width} px")


@pytest.mark.full
def test_a_table_becomes_a_live_endpoint_without_a_command(page: Page, azure, app: str, tmp_path):
    """Everything by clicks: register, train, register the best model, deploy, and see the gate pass."""
    table = write_table(tmp_path / "clicked.parquet", customers(300, seed=3))
    opened(page, f"{app}/explore?register=1", "Explore")
    page.locator("input[type=file]").set_input_files(table)
    page.get_by_role("button", name="Register the file").click()
    page.wait_for_url("**data=clicked%3A1**", timeout=60_000)

    opened(page, f"{app}/leaderboard?train=clicked%3A1&target=answer", "Leaderboard")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=300_000)
    page.get_by_role("button", name="Register the best model").or_(
        page.get_by_role("button", name=re.compile("^Register"))
    ).first.click()
    expect(page.get_by_text("Registered as")).to_be_visible(timeout=60_000)

    page.get_by_role("link", name="Deploy it").click()
    page.get_by_role("textbox", name="Endpoint", exact=True).fill("by-clicks")
    page.get_by_test_id("stFormSubmitButton").filter(has_text="Deploy").click()
    expect(page.get_by_text("by-clicks").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Live and proven").first).to_be_visible(timeout=300_000)
    page.get_by_role("button", name="Score").click()
    expect(page.get_by_text("Prediction", exact=True)).to_be_visible(timeout=60_000)
    no_error(page)
