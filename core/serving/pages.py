"""Pages for people that the server itself shows: /docs."""

from collections.abc import Callable
from pathlib import Path

from core.serving.exchange import Exchange
from core.serving.http import Reply

HTML = b"text/html; charset=utf-8"

# Everything is in the page: a browser that obeys this fetches nothing from elsewhere.
PAGE_POLICY = (
    b"default-src 'self'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'"
)

_PAGE = (Path(__file__).parent / "docs.html").read_bytes()


def find(path: str) -> Callable[[Exchange], Reply] | None:
    """What answers GET and HEAD on `path`; None where there is no page."""
    return _docs if path == "/docs" else None


def _docs(_: Exchange) -> Reply:
    return Reply(200, _PAGE, HTML, ((b"content-security-policy", PAGE_POLICY),))
