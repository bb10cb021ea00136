"""The README's pictures, made anew: a real quickstart in a folder of its own, some requests, and the app in a browser.

It takes what the browser tests take. The figures are the machine's own; the window, the theme and the pages are fixed.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "tests")]

import living  # noqa: E402
from browsing import open_chromium, running_app  # noqa: E402
from playwright.sync_api import Page  # noqa: E402
from watcher import settled  # noqa: E402

from core.contract import samples  # noqa: E402

FOLDER = CHECKOUT / "docs" / "images"
WINDOW = {"width": 1280, "height": 960}
PAGES = ("Home", "Leaderboard", "Quality")
SEARCH_S = "40"
REQUESTS = 400
BYTES_MAX = 200_000
DRAWN = """() => !document.querySelector("[data-testid=stSkeleton], [data-testid=stSpinner]")
    && [...document.querySelectorAll("[data-testid=stMetricChart]")].every(one => one.querySelector("canvas, svg"))"""
"""Nothing is still awaited, and every small chart is there: on a busy machine they come later than the page's text."""


def main() -> int:
    """Make every picture; 1 when one is larger than a README should load."""
    with TemporaryDirectory() as folder:
        home = Path(folder) / "workspaces" / "bank-marketing"
        try:
            live = living.go_live(home, "--timeout", SEARCH_S)
            _ask(live)
            with running_app(home, Path(folder) / "app.log") as (url, _), open_chromium() as browser:
                page = browser.new_page()
                page.set_viewport_size(WINDOW)  # type: ignore[arg-type]
                sizes = {title: _picture(page, url, title) for title in PAGES}
        finally:
            living.close(home)
    for title, size in sizes.items():
        sys.stdout.write(f"{_path(title).relative_to(CHECKOUT)}: {size / 1000:.0f} kB\n")
    return int(max(sizes.values()) > BYTES_MAX)


def _ask(live: living.Live) -> None:
    """Requests as clients send them, so that the pages have something to tell."""
    signature = live.workspace.models.get(**live.report["model"]).signature
    for number in range(REQUESTS):
        live.workspace.endpoints.invoke(
            live.endpoint, samples.body(samples.rows(signature, 1 + number % 8, seed=number))
        )


def _picture(page: Page, url: str, title: str) -> int:
    page.goto(f"{url}/{title.lower() if title != 'Home' else ''}")
    settled(page, title)
    page.wait_for_load_state("networkidle")
    page.wait_for_selector("[data-testid=stApp]:not([data-test-script-state=running])")
    page.wait_for_function(DRAWN)
    page.screenshot(path=_path(title), animations="disabled", caret="hide")
    return _path(title).stat().st_size


def _path(title: str) -> Path:
    return FOLDER / f"{title.lower()}.png"


if __name__ == "__main__":
    sys.exit(main())
