"""When a page is drawn, and what a test must not see there: console errors, tracebacks, requests to other hosts."""

from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request, expect

OURS = ("localhost", "127.0.0.1")
HARMLESS = ("/_stcore/health", "/_stcore/host-config")
"""Streamlit 1.67 asks for these beside the page's own path on a deep link, gets 404, then asks at the root."""

SETTLED = "[data-testid=stApp]:not([data-test-script-state=running])"
"""An app that draws nothing at the moment."""


def settled(page: Page, title: str) -> None:
    """Wait until the page of that title is drawn, and see that it drew no traceback."""
    expect(page.get_by_role("heading", name=title, exact=True, level=1)).to_be_visible()
    page.wait_for_selector(SETTLED)
    expect(page.get_by_test_id("stException")).to_have_count(0)


class Watcher:
    """Collects what went wrong on the pages it watches."""

    def __init__(self) -> None:
        self.complaints: list[str] = []

    def watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        asked = urlsplit(message.location.get("url", "")).path
        if message.type == "error" and not ("404" in message.text and asked.endswith(HARMLESS)):
            self.complaints.append(f"console: {message.text} ({asked})")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname not in OURS:
            self.complaints.append(f"request to another host: {request.url}")
