"""Who may pass the service's door: the host's name first, then the key, then what that key opens."""

import hmac
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from core.domain.endpoint import EndpointKeys
from core.domain.errors import Forbidden, NotFound, SlipwayError, SpecInvalid, Unauthorized
from core.local.service.door_answers import refusal

OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
"""A page of another site can make a browser call us under that site's name (DNS rebinding), but not under these."""
OPEN_PATHS = ("/health",)
CALLER = "slipway.caller"

Keys = Callable[[], Iterable[tuple[str, EndpointKeys]]]
"""Every pipeline with its keys, as they are now: one that was replaced opens nothing from that moment on."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key a request carries: the service's, which opens everything, or a pipeline's."""

    pipeline: str = ""


class Guard:
    """Before any route: the host's name, then the key."""

    def __init__(self, inner: ASGIApp, key: str, keys: Keys, names: Collection[str] = ()) -> None:
        self._inner, self._service, self._keys = inner, _digest(key), keys
        self._names = {*OWN_NAMES, *(name.lower() for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        headers = dict(scope["headers"])
        refused: SlipwayError | None = None
        try:
            self._check_host(headers.get(b"host", b"").decode("latin-1"))
            if scope["path"] not in OPEN_PATHS:
                scope[CALLER] = await run_in_threadpool(self._caller, headers.get(b"authorization", b""))
        except SlipwayError as e:
            refused = e
        await (refusal(refused) if refused else partial(self._inner))(scope, receive, send)

    def _check_host(self, host: str) -> None:
        if _name(host) not in self._names:
            raise SpecInvalid(
                f"'{host[:100]}' is not a host name of this service",
                hint="Use 127.0.0.1, or list the name in SLIPWAY_SERVICE_NAMES",
            )

    def _caller(self, header: bytes) -> Caller:
        """Every key is compared, in a time that says neither which one it was nor how much of it was right."""
        given = sha256(header).digest()
        found = Caller() if hmac.compare_digest(given, self._service) else None
        for pipeline, keys in self._keys():
            for key in (keys.primary, keys.secondary):
                if hmac.compare_digest(given, _digest(key)):
                    found = found or Caller(pipeline)
        if found is None:
            raise Unauthorized(
                "The key is missing or wrong",
                hint="Send it as `Authorization: Bearer KEY`; `python -m core service key` prints the service's key, "
                "`python -m core pipeline keys NAME` a pipeline's",
            )
        return found


async def check_opens(request: Request, owner: Callable[[], str] | None) -> None:
    """Raises Forbidden for the key of a pipeline other than the `owner` of what is asked for; None: the service's.

    Nothing tells such a key whether the thing is there at all.
    """
    caller: Caller = request.scope[CALLER]
    if not caller.pipeline:
        return
    try:
        allowed = owner is not None and await run_in_threadpool(owner) == caller.pipeline
    except NotFound:
        allowed = False
    if not allowed:
        raise Forbidden(
            f"This key starts and watches the runs of pipeline '{caller.pipeline}', and nothing else",
            hint="Use the service's key: `python -m core service key` prints it",
        )


def _digest(key: str) -> bytes:
    return sha256(f"Bearer {key}".encode()).digest()


def _name(host: str) -> str:
    """The host without its port, in lower case."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()
