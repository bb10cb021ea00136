"""Which pages of other origins may call the endpoint: none, unless `cors_origins` names them (`*`: all)."""

from collections.abc import Mapping, Sequence

from core.domain.endpoint import DEPLOYMENT_HEADER

Headers = tuple[tuple[bytes, bytes], ...]

# What a page may read of a reply beside its body.
EXPOSED = f"x-request-id, x-ms-client-request-id, x-ms-run-fn-exec-ms, {DEPLOYMENT_HEADER}, retry-after".encode()

PREFLIGHT_S = b"600"


def headers(request: Mapping[bytes, bytes], origins: Sequence[str]) -> Headers:
    """What to add to a reply so that its origin may read it; nothing where CORS is off or the origin is another."""
    origin = request.get(b"origin")
    if not origins or origin is None:
        return ()
    if "*" in origins:
        return ((b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", EXPOSED))
    if origin.decode("latin-1") not in origins:
        return ((b"vary", b"Origin"),)
    return (
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", EXPOSED),
        (b"vary", b"Origin"),
    )


def preflight(request: Mapping[bytes, bytes], origins: Sequence[str]) -> Headers:
    """What to add to the answer of OPTIONS /score, beside `headers`: the methods and headers a page may send."""
    if not origins or b"access-control-request-method" not in request:
        return ((b"allow", b"OPTIONS, POST"),)
    asked = request.get(b"access-control-request-headers", b"authorization, content-type")
    return (
        (b"allow", b"OPTIONS, POST"),
        (b"access-control-allow-methods", b"POST"),
        (b"access-control-allow-headers", asked),
        (b"access-control-max-age", PREFLIGHT_S),
    )
