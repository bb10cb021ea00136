"""A real Chromium against a real app over the workspace that the quickstart left running."""

import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.error import URLError

import living
import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright
from waiting import wait_until
from watcher import Watcher

from core.settings import CHECKOUT

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
START_TIMEOUT_S = 40.0

Running = tuple[str, "subprocess.Popen[bytes]"]
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
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser.new_context(viewport={"width": 1280, "height": 800})
        browser.close()


@pytest.fixture(scope="module")
def app(quickstart: living.Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app's address."""
    with _running_app(quickstart.home, tmp_path_factory.mktemp("app") / "app.log") as (url, _):
        yield url


@pytest.fixture
def fresh_app(quickstart: living.Live, page: Page, tmp_path: Path) -> Iterator[str]:
    """The address of a server that nobody has visited yet; `page` leaves it before it ends."""
    with _running_app(quickstart.home, tmp_path / "app.log") as (url, _):
        yield url
        page.goto("about:blank")


@pytest.fixture
def start_app(quickstart: living.Live, tmp_path: Path) -> StartApp:
    """Starts a server of the test's own; its address and its process, for as long as the block lasts."""
    return lambda: _running_app(quickstart.home, tmp_path / "app.log")


@pytest.fixture
def page(chromium: BrowserContext) -> Iterator[Page]:
    """A page that fails the test for an error on the console, a crash, or a request to another host."""
    opened = chromium.new_page()
    watcher = Watcher()
    watcher.watch(opened)
    yield opened
    opened.close()
    assert watcher.complaints == []


@contextmanager
def _running_app(home: Path, log_path: Path) -> Iterator[Running]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://localhost:{port}"
    line = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with log_path.open("wb") as log:
        server = subprocess.Popen(line, cwd=CHECKOUT, env=living.environment(home), stdout=log, stderr=log)
    try:
        wait_until(lambda: _answers(url), START_TIMEOUT_S)
        yield url, server
    finally:
        server.terminate()
        server.wait(timeout=10)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1) as reply:
            return bool(reply.status == 200)
    except (URLError, OSError):
        return False
