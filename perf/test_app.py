"""The app as people meet it: how soon it answers, how soon a page is there, what memory it needs."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import perf_counter

import living
import pytest
from browsing import Running, open_chromium, running_app
from playwright.sync_api import BrowserContext, Page, expect
from watcher import settled

from core.ui.shell.navigation import PAGES, PageEntry
from perf.conftest import Measure
from perf.memory import held_mb

pytestmark = [pytest.mark.measures, pytest.mark.full, pytest.mark.browser]

START_MAX_S, SWITCH_MAX_S = 40.0, 10.0
MEMORY_MAX_MB = 800.0
"""Bounds far above what is seen: the history shows a change, these only that something is badly wrong."""
ROUNDS = 7


@pytest.fixture(scope="module")
def chromium() -> Iterator[BrowserContext]:
    with open_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def app(quickstart: living.Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_app(quickstart.home, tmp_path_factory.mktemp("app") / "app.log") as running:
        yield running


@pytest.fixture
def page(chromium: BrowserContext) -> Iterator[Page]:
    opened = chromium.new_page()
    yield opened
    opened.close()


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.title)
def test_a_page_is_switched_to(measure: Measure, app: Running, page: Page, entry: PageEntry) -> None:
    other = next(known for known in PAGES if known is not entry)
    page.goto(app[0] if other is PAGES[0] else f"{app[0]}/{other.file}")
    settled(page, other.title)

    def look() -> Mapping[str, float]:
        took = switch(page, entry)
        settled(page, entry.title)
        switch(page, other)
        settled(page, other.title)
        return {"s to the heading": took}

    look()
    seen = measure.values(f"page switch, {entry.title}", "browser", "elements of the page", look, ROUNDS)
    assert max(seen["s to the heading"]) < SWITCH_MAX_S


def test_an_app_starts(
    measure: Measure, quickstart: living.Live, chromium: BrowserContext, new_folder: Callable[[], Path]
) -> None:
    def look() -> Mapping[str, float]:
        started = perf_counter()
        with running_app(quickstart.home, new_folder() / "app.log") as (url, _):
            answered = perf_counter() - started
            page = chromium.new_page()
            page.goto(url)
            expect(page.get_by_role("heading", name=PAGES[0].title, exact=True, level=1)).to_be_visible(timeout=30_000)
            drawn = perf_counter() - started
            settled(page, PAGES[0].title)
            page.close()
        return {"s to the first answer": answered, "s to the first page": drawn}

    seen = measure.values("app start", "start", "modules imported", look, rounds=3)
    assert max(seen["s to the first page"]) < START_MAX_S


def test_an_app_keeps_to_its_memory(
    measure: Measure, quickstart: living.Live, chromium: BrowserContext, new_folder: Callable[[], Path]
) -> None:
    def look() -> Mapping[str, float]:
        with running_app(quickstart.home, new_folder() / "app.log") as (url, server):
            rest, page = held_mb(server.pid), chromium.new_page()
            page.goto(url)
            settled(page, PAGES[0].title)
            for entry in PAGES[1:]:
                switch(page, entry)
                settled(page, entry.title)
            page.close()
            return {"MB at rest": rest, "MB after every page": held_mb(server.pid)}

    seen = measure.values("memory of the app", "memory", "modules imported, what is cached", look, rounds=2)
    assert max(seen["MB after every page"]) < MEMORY_MAX_MB


def switch(page: Page, entry: PageEntry) -> float:
    """Click a page in the menu; seconds until its heading is there."""
    link = page.get_by_test_id("stSidebarNav").get_by_role("link", name=entry.title, exact=True)
    started = perf_counter()
    link.click()
    page.get_by_role("heading", name=entry.title, exact=True, level=1).wait_for()
    return perf_counter() - started
