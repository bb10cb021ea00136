"""Pages for people that the server itself shows: /docs, which is Swagger UI on the endpoint's own document."""

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import PurePath

from core.serving.exchange import Exchange
from core.serving.http import Reply
from core.swagger_ui import MEDIA, POLICY, SERVED, asset

FILES: Mapping[str, str] = {"/docs": "docs.html"} | {f"/docs/{name}": name for name in SERVED}

# A day: the files change with the server's version alone, and then their tag does.
KEPT = b"max-age=86400"


def find(path: str) -> Callable[[Exchange], Reply] | None:
    """What answers GET and HEAD on `path`; None where there is no page."""
    return _file if path in FILES else None


def _file(exchange: Exchange) -> Reply:
    name = FILES[exchange.path]
    tag = _tag(name)
    headers = (
        (b"content-security-policy", POLICY.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-cache" if name.endswith(".html") else KEPT),
        (b"etag", tag),
    )
    media = MEDIA[PurePath(name).suffix].encode()
    if exchange.headers.get(b"if-none-match") == tag:
        return Reply(304, b"", media, headers)
    return Reply(200, asset(name), media, headers)


@cache
def _tag(name: str) -> bytes:
    return f'"{hashlib.sha256(asset(name)).hexdigest()[:20]}"'.encode()
