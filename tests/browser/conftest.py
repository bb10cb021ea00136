"""A real Chromium against a real app over the workspace that the quickstart left running."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import living
import pytest
from browsing import Running, open_chromium, running_app
from playwright.sync_api import BrowserContext, Page
from watcher import Watcher

StartApp = Callable[[], AbstractContextManager[Running]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def chromium() -> Iterator[BrowserContext]:
    """One browser for all tests, which open pages of their own in it and share what it has fetched.

    It ends with them: while Playwright is open its event loop runs in this thread, and no other may.
    """
    with open_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def app(quickstart: living.Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app's address."""
    with running_app(quickstart.home, tmp_path_factory.mktemp("app") / "app.log") as (url, _):
        yield url


@pytest.fixture
def fresh_app(quickstart: living.Live, page: Page, tmp_path: Path) -> Iterator[str]:
    """The address of a server that nobody has visited yet; `page` leaves it before it ends."""
    with running_app(quickstart.home, tmp_path / "app.log") as (url, _):
        yield url
        page.goto("about:blank")


@pytest.fixture
def start_app(quickstart: living.Live, tmp_path: Path) -> StartApp:
    """Starts a server of the test's own; its address and its process, for as long as the block lasts."""
    return lambda: running_app(quickstart.home, tmp_path / "app.log")


@pytest.fixture
def page(chromium: BrowserContext) -> Iterator[Page]:
    """A page that fails the test for an error on the console, a crash, or a request to another host."""
    opened = chromium.new_page()
    watcher = Watcher()
    watcher.watch(opened)
    yield opened
    opened.close()
    assert watcher.complaints == []
