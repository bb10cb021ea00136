"""What a browser test must not see: errors on the console, tracebacks, requests to other hosts."""

from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request

OURS = ("localhost", "127.0.0.1")
HARMLESS = ("/_stcore/health", "/_stcore/host-config")
"""Streamlit 1.67 asks for these beside the page's own path on a deep link, gets 404, then asks at the root."""


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
