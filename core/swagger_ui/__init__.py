"""Swagger UI, vendored: the files that show an OpenAPI document in a browser, without a request to anywhere else."""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "assets"

MEDIA = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}
"""The content type of each kind of file."""

SERVED = ("docs.js", "swagger-ui-bundle.js", "swagger-ui.css")
"""What the page of an endpoint is made of, beside `docs.html`."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""A browser that obeys this talks to the page's own server alone."""


@cache
def asset(name: str) -> bytes:
    """The bytes of one file. Raises FileNotFoundError for a name that is none of ours."""
    return (FOLDER / name).read_bytes()
