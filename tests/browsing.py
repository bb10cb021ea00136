"""A real app and a real Chromium, for as long as a block lasts."""

import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import living
import pytest
from playwright.sync_api import BrowserContext, sync_playwright
from waiting import wait_until

from core.settings import CHECKOUT

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
START_TIMEOUT_S = 40.0

Running = tuple[str, "subprocess.Popen[bytes]"]


@contextmanager
def open_chromium() -> Iterator[BrowserContext]:
    """A browser; skips the test where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser.new_context(viewport={"width": 1280, "height": 800})
        browser.close()


@contextmanager
def running_app(
    home: Path, log_path: Path, root: Path = CHECKOUT, environ: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """The app of the checkout in `root` over the workspace in `home`: its address when it answers, its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://localhost:{port}"
    line = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with log_path.open("wb") as log:
        server = subprocess.Popen(line, cwd=root, env=environ or living.environment(home), stdout=log, stderr=log)
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
