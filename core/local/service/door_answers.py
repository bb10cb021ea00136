"""What the service's door answers: JSON, and every refusal in one shape."""

import logging
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from core.domain.errors import QueueFull, SlipwayError, Unauthorized
from core.domain.plain import plain

log = logging.getLogger(__name__)


def in_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A domain value as it is sent."""
    return Response(msgspec.json.encode(plain(value)), status, headers, media_type="application/json")


def refusal(error: SlipwayError) -> Response:
    """An error of ours, with the header that says what to do about it."""
    headers: dict[str, str] = {}
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, QueueFull):
        headers["Retry-After"] = str(error.retry_after_s)
    return _refused(error.status, error.message, error.hint, headers)


def _refused(status: int, message: str, hint: str = "", headers: dict[str, str] | None = None) -> Response:
    return in_json({"error": {"status": status, "message": message, "hint": hint}}, status, headers)


async def explained(_: Request, error: Exception) -> Response:
    """Our own errors."""
    assert isinstance(error, SlipwayError)
    return refusal(error)


async def http(request: Request, error: Exception) -> Response:
    """What the router refuses: no such path, another method."""
    assert isinstance(error, HTTPException)
    message = f"{request.method} {request.url.path[:100]}: {error.detail}"
    return _refused(error.status_code, message, "See /swagger.json", dict(error.headers or {}))


async def bug(_: Request, error: Exception) -> Response:
    """Anything else, which is a bug and gives nothing away."""
    log.error("a bug behind the door", exc_info=error)
    return _refused(500, "A bug in Slipway", "The traceback is in service.log")
