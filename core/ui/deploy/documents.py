"""OpenAPI documents from a file or an address: read, and refused in a sentence where they are none."""

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import yaml

from core.domain.errors import ServiceUnavailable, SpecInvalid
from core.domain.keys import key_in

BYTES_MAX = 5_000_000
WAIT_S = 10.0


def fetch(url: str, key: str = "") -> Mapping[str, Any]:
    """The document at an address, asked for with the key where there is one, which goes to no other address.

    Raises SpecInvalid for what is no document, ServiceUnavailable where nothing is answered.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SpecInvalid(f"'{url}' is no address", hint="Give one like https://host/swagger.json")
    key = key_in(key, "that was given")
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    try:
        asked = Request(url, headers=headers)  # noqa: S310  # the scheme was looked at above
        with build_opener(_Stay).open(asked, timeout=WAIT_S) as reply:
            return parse(reply.read(BYTES_MAX + 1))
    except HTTPError as e:
        hint = "Give one of the endpoint's keys" if e.code in (401, 403) else "Is the address the document's own?"
        raise ServiceUnavailable(f"{url} answered {e.code}", hint=hint) from e
    except (OSError, HTTPException) as e:
        raise ServiceUnavailable(f"{url} does not answer: {e}", hint="Is it reachable from this machine?") from e


class _Stay(HTTPRedirectHandler):
    """Redirects are answers like others: the key was given for one address."""

    def redirect_request(self, *_: Any) -> None:
        return None


def parse(raw: bytes) -> Mapping[str, Any]:
    """An OpenAPI document from JSON or YAML. Raises SpecInvalid that says what is wrong with it."""
    if len(raw) > BYTES_MAX:
        raise SpecInvalid(f"The document is larger than the {BYTES_MAX:,} bytes that are shown")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        try:
            document = yaml.safe_load(raw)
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as e:
            raise SpecInvalid("It is neither JSON nor YAML", hint="Give a swagger.json") from e
    if not isinstance(document, dict) or not {"swagger", "openapi"} & document.keys():
        raise SpecInvalid("It is no OpenAPI document: it has neither `swagger` nor `openapi`")
    return document
