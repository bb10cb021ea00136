"""What stands beside a request's body: its query and the headers that we read, each checked."""

from starlette.requests import Request

from core.domain.errors import SpecInvalid

REPEAT_HEADERS = ("repeatability-request-id", "idempotency-key")
"""Azure's, and the one that the IETF drafts (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header)."""


def only(request: Request, name: str) -> str | None:
    """A query's value, None where it is not given. Raises SpecInvalid where it is given twice."""
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise SpecInvalid(f"{name} is given more than once")
    return values[0] if values else None


def whole(request: Request, name: str, default: int, highest: int) -> int:
    """A query's whole number of at least 1, `default` where it is not given."""
    text = only(request, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:12]) <= highest):
        raise SpecInvalid(f"{name} is '{text[:40]}', expected 1 to {highest}")
    return int(text)


def repeat_key(request: Request) -> str:
    """What makes a repeated request the same one; empty where it has none. Raises SpecInvalid for two of them."""
    given = [value for name in REPEAT_HEADERS for value in request.headers.getlist(name)]
    if len(set(given)) > 1:
        raise SpecInvalid(
            "Two different idempotency keys are given", hint=f"Send one of the headers {' or '.join(REPEAT_HEADERS)}"
        )
    if given and not given[0]:
        raise SpecInvalid("The idempotency key is empty", hint="A UUID is a good one")
    return given[0] if given else ""
