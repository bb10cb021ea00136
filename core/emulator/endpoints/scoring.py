"""The data plane of an online endpoint: who may ask, which deployment answers, and what Azure's front end makes of it.

The codes are those of Azure's troubleshooting guide: 401 and 403 for who may not ask, 404 where no deployment has
traffic, 408 for one that is too slow, 424 for what the model's own server refuses, 429 for too many at a time, 502
where that server is gone.
"""

import hmac
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from core.domain.monitoring import Origin
from core.emulator import entra
from core.emulator.emulation import Emulation
from core.emulator.endpoints import online, own_code, places, traces
from core.emulator.endpoints.checks import percents, seconds
from core.emulator.endpoints.forwarding import DEPLOYMENT, Answer, NoAnswer, TooSlow, forward
from core.emulator.endpoints.places import Place
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.routes import Route

AUDIENCES = ("https://ml.azure.com", "https://management.azure.com")
CHANCE = random.SystemRandom()
LEAST_TIMEOUT_S = 0.1

_PENDING: Counter[str] = Counter()
_LOCK = threading.Lock()


class FrontEndError(AzureError):
    """What the front end says by itself: a word, as plain text."""

    def plain(self) -> Reply:
        return Reply(self.status, self.message.encode(), {"Content-Type": "text/plain; charset=utf-8", **self.headers})


def answer(emulation: Emulation, request: Request) -> Reply:
    """What the endpoint of the host's name answers."""
    began_at, began_s = emulation.clock.now(), time.perf_counter()
    try:
        endpoint, place = _found(emulation, request)
        _check_caller(emulation, endpoint, place, request)
        reply, deployment = _answered(emulation, endpoint, place, request)
    except FrontEndError as e:
        return e.plain()
    elapsed_ms = (time.perf_counter() - began_s) * 1000
    traces.note(emulation, place, request, reply, deployment=deployment, at=began_at, elapsed_ms=elapsed_ms)
    return reply


def _found(emulation: Emulation, request: Request) -> tuple[Document, Place]:
    name = request.host.partition(".")[0]
    endpoint = emulation.state.get(f"{emulation.names.workspace_path}/onlineEndpoints/{name}")
    place = places.place_of(emulation, endpoint["id"]) if endpoint else None
    if endpoint is None or place is None:
        raise FrontEndError(404, "NotFound", f"The endpoint '{name}' was not found")
    return endpoint, place


def _check_caller(emulation: Emulation, endpoint: Document, place: Place, request: Request) -> None:
    """Raises FrontEndError 401 and 403."""
    properties = endpoint["properties"]
    if properties.get("publicNetworkAccess") == "Disabled":
        raise FrontEndError(403, "Forbidden", "Public network access to the endpoint is disabled")
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not given.strip():
        raise FrontEndError(401, "Unauthorized", "key_auth_bad_header_forbidden", {"WWW-Authenticate": "Bearer"})
    if properties["authMode"] == "Key":
        keys = online.keys_of(emulation, place).values()
        if not any(hmac.compare_digest(given.strip().encode(), key.encode()) for key in keys):
            raise FrontEndError(401, "Unauthorized", "key_auth_access_denied", {"WWW-Authenticate": "Bearer"})
        return
    try:
        claims = entra.claims(emulation, request)
    except AzureError as e:
        raise FrontEndError(401, "Unauthorized", "token_auth_access_denied", e.headers) from e
    allowed = (online.audience(place.name), *(AUDIENCES if properties["authMode"] == "AADToken" else ()))
    if str(claims.get("aud", "")).rstrip("/") not in allowed:
        raise FrontEndError(403, "Forbidden", "token_auth_wrong_audience")


def _answered(emulation: Emulation, endpoint: Document, place: Place, request: Request) -> tuple[Reply, str]:
    """The reply, and the name of the deployment that gave it."""
    deployments = online.deployments_of(emulation, endpoint["id"])
    traffic = {name: share for name, share in percents(endpoint["properties"], "traffic").items() if share}
    asked = request.headers.get(DEPLOYMENT, "")
    live = [asked] if asked else list(traffic)
    serving = [deployments[name.lower()] for name in live if name.lower() in deployments]
    if not serving:
        what = f"The deployment '{asked}' was not found" if asked else "No deployment of the endpoint has traffic"
        raise FrontEndError(404, "NotFound", what)
    if asked and serving[0]["properties"]["provisioningState"] != "Succeeded":
        raise FrontEndError(502, "BadGateway", f"The deployment '{asked}' does not answer")
    with _room(endpoint, serving):
        chosen = asked or _chosen(place, traffic)
        _mirror(emulation, endpoint, place, deployments, request, asked)
        limits = [seconds(each["properties"]["requestSettings"]["requestTimeout"], 5.0) for each in serving]
        said = _send(emulation, place, deployments, chosen, request, max(*limits, LEAST_TIMEOUT_S))
    name = chosen or place.azure_deployment(said.headers.get(DEPLOYMENT, ""))
    return _reply(said, name, request), name


@contextmanager
def _room(endpoint: Document, serving: list[Document]) -> Iterator[None]:
    """Raises FrontEndError 429 where more wait than twice what the instances take at a time."""
    at_a_time = sum(
        each["sku"]["capacity"] * each["properties"]["requestSettings"]["maxConcurrentRequestsPerInstance"]
        for each in serving
    )
    key = endpoint["id"].lower()
    with _LOCK:
        if _PENDING[key] >= 2 * at_a_time:
            raise FrontEndError(429, "TooManyRequests", "Too many pending requests", {"Retry-After": "1"})
        _PENDING[key] += 1
    try:
        yield
    finally:
        with _LOCK:
            _PENDING[key] -= 1


def _chosen(place: Place, traffic: dict[str, int]) -> str:
    """The deployment by its share; empty where the workspace's endpoint chooses, since it serves them all."""
    if all(place.local_deployment(name) for name in traffic):
        return ""
    return CHANCE.choices(list(traffic), list(traffic.values()))[0]


def _mirror(
    emulation: Emulation,
    endpoint: Document,
    place: Place,
    deployments: dict[str, Document],
    request: Request,
    asked: str,
) -> None:
    """Where code of a client takes part, the copies go out from here; nobody waits for what they answer."""
    shares = {name: share for name, share in percents(endpoint["properties"], "mirrorTraffic").items() if share}
    names = [*shares, *(name for name, share in percents(endpoint["properties"], "traffic").items() if share)]
    if asked or not shares or all(place.local_deployment(name) for name in names):
        return
    ((name, share),) = shares.items()
    if CHANCE.random() * 100 < share:
        copy = (emulation, place, deployments, name, request, 60.0)
        threading.Thread(target=_send_unheard, args=copy, name="emulation-mirror", daemon=True).start()


def _send_unheard(*copy: object) -> None:
    with suppress(FrontEndError):
        _send(*copy)  # type: ignore[arg-type]


def _send(
    emulation: Emulation,
    place: Place,
    deployments: dict[str, Document],
    chosen: str,
    request: Request,
    timeout_s: float,
) -> Answer:
    """What the server of a deployment answers. Raises FrontEndError 408 and 502."""
    try:
        code = place.deployments.get(chosen.lower(), {}).get("code") if chosen else None
        if code:
            port = own_code.port_of(emulation, deployments[chosen.lower()], code)
            if port is None:
                raise NoAnswer
            return forward(request, f"http://{own_code.LOOPBACK}:{port}", timeout_s)
        local = places.local_endpoint(emulation, place)
        if local is None:
            raise NoAnswer
        target = emulation.workspace.endpoints.target(place.local, _origin(request))
        deployment = place.local_deployment(chosen) if chosen else ""
        return forward(request, target.url, timeout_s, key=target.key, deployment=deployment)
    except TooSlow as e:
        raise FrontEndError(408, "RequestTimeout", f"No answer within {timeout_s:g} seconds") from e
    except NoAnswer as e:
        raise FrontEndError(502, "BadGateway", "The model's server does not answer") from e


def _origin(request: Request) -> Origin:
    """Everybody who comes this way is a client, but for our own proofs, which say so in their request's id."""
    said = request.headers.get("x-ms-client-request-id", "")
    kind = said.removeprefix("slipway-").partition("-")[0] if said.startswith("slipway-") else ""
    return Origin(kind) if kind in {each.value for each in Origin} else Origin.CLIENT


def _reply(said: Answer, deployment: str, request: Request) -> Reply:
    """As Azure's front end hands it on: what the model's server refuses is 424, with its own code beside it."""
    headers = {name: value for name, value in said.headers.items() if name not in ("server", "date")}
    headers |= {DEPLOYMENT: deployment}
    headers.setdefault("x-request-id", request.headers.get("x-request-id") or str(uuid.uuid4()))
    if said.status < 400:
        return Reply(said.status, said.body, headers)
    told = {"ms-azureml-model-error-statuscode": str(said.status), "ms-azureml-model-error-reason": said.reason}
    return Reply(424, said.body, headers | told)


ROUTES = (Route("*", "scoring", "/{rest:rest}", answer),)
