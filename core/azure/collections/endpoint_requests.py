"""Requests to managed online endpoints, as any client sends them: addresses, keys, what is answered and logged."""

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec

from core.azure import container_log
from core.azure.context import TAG, Context
from core.azure.deployments import Deployments, known_name, missing
from core.domain.endpoint import DEPLOYMENT_HEADER, Endpoint, EndpointKeys, ScoreReply
from core.domain.errors import Conflict, ServiceUnavailable, SpecInvalid
from core.domain.job import LogLine
from core.domain.keys import check_header
from core.domain.monitoring import Origin
from core.domain.proof import Target
from core.domain.rules import check_limit
from core.loadtest.way import BEHIND, meant_status
from core.workspace.endpoints import Endpoints

INVOKE_TIMEOUT_S = 60.0
ORIGIN_HEADER = "x-ms-client-request-id"
"""Azure's server records what a client calls its request; ours begin with `slipway-` and who sends them."""
WHICH = ("primary", "secondary")
BUSY_HINT = "Look at it with `endpoint get`, and ask again when it is settled"


class EndpointRequests(Endpoints):
    """The half of the verbs that changes no deployment and no traffic."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._deployments = Deployments(context)

    def keys(self, name: str) -> EndpointKeys:
        with self._context.asking("endpoint", name) as client:
            keys = client.online_endpoints.get_keys(name)
        if not getattr(keys, "primary_key", ""):
            raise Conflict(
                f"Endpoint '{name}' has no keys: it takes tokens of Microsoft Entra",
                hint="Create one with Slipway, or with auth_mode: key",
            )
        return EndpointKeys(str(keys.primary_key), str(keys.secondary_key))

    def rotate_key(self, name: str, which: str) -> EndpointKeys:
        if which not in WHICH:
            raise SpecInvalid(f"A key is 'primary' or 'secondary', got '{which}'")
        with self._busy(name) as client:
            client.online_endpoints.begin_regenerate_keys(name, key_type=which).result()
        return self.keys(name)

    def target(self, name: str, origin: Origin) -> Target:
        uri = self._address(name)
        return Target(uri.removesuffix("/score"), self.keys(name).primary, origin_headers(origin))

    def invoke(self, name: str, body: bytes, *, deployment: str = "", origin: Origin = Origin.CLIENT) -> ScoreReply:
        # Never the SDK's `online_endpoints.invoke`: its deployment header stays in every later call.
        headers = {"Content-Type": "application/json", **origin_headers(origin)}
        if deployment:
            check_header(deployment, "The deployment's name")
            headers[DEPLOYMENT_HEADER] = self._meant(self.get(name), deployment)
        return self._request(name, "POST", self._address(name), body, headers)

    def swagger(self, name: str, version: str = "2") -> Mapping[str, Any]:
        uri = self.get(name).swagger_uri
        reply = self._request(name, "GET", f"{uri}?version={version}", b"", {})
        if reply.status != 200 or not isinstance(reply.body, dict):
            raise ServiceUnavailable(
                f"Endpoint '{name}' returned no document (status {reply.status})", hint=str(reply.body)[:300]
            )
        return reply.body

    def logs(self, name: str, limit: int = 1000, *, level: str = "", request_id: str = "") -> tuple[LogLine, ...]:
        self._deployments.endpoint(name)
        if level and level not in container_log.LEVELS:
            raise SpecInvalid(f"A level is one of {', '.join(container_log.LEVELS)}, got '{level}'")
        check_limit(limit)
        found = [
            line
            for deployment in self._deployments.of(name)
            for line in container_log.lines(self._deployments.log(deployment))
            if container_log.LEVELS.get(line.level, 1) >= container_log.LEVELS.get(level, 0) and request_id in line.text
        ]
        return tuple(sorted(found, key=lambda line: line.at)[-limit:])

    @contextmanager
    def _busy(self, name: str) -> Iterator[Any]:
        """The client, to change an endpoint. Raises Conflict where somebody else is changing it just now."""
        try:
            with self._context.asking("endpoint", name) as client:
                yield client
        except Conflict as e:
            raise Conflict(
                f"Endpoint '{name}' cannot be changed now: {e.message}",
                hint=BUSY_HINT,
            ) from e

    def _meant(self, endpoint: Endpoint, name: str) -> str:
        """The deployment of that name. Raises EndpointNotFound."""
        known = tuple(each.name for each in endpoint.deployments)
        if name and (found := known_name(name, known)) not in known:
            raise missing(endpoint.name, name, known)
        return found if name else ""

    def _address(self, name: str) -> str:
        return str(self._deployments.endpoint(name).scoring_uri or self._expected_uri(name))

    def _expected_uri(self, name: str) -> str:
        return f"https://{name}.{self._context.region}.inference.ml.azure.com/score"

    def _request(self, name: str, method: str, uri: str, body: bytes, headers: Mapping[str, str]) -> ScoreReply:
        sent = {"Authorization": f"Bearer {self.keys(name).primary}", **headers}
        start_s = time.perf_counter()
        try:
            reply = httpx.request(method, uri, content=body, headers=sent, timeout=INVOKE_TIMEOUT_S)
        except httpx.HTTPError as e:
            raise ServiceUnavailable(
                f"Endpoint '{name}' does not answer at {uri}: {e}", hint="`endpoint get` shows its state and the cause"
            ) from e
        elapsed_ms = (time.perf_counter() - start_s) * 1000
        # What the model's server refuses, Azure answers with 424: a refusal is told as everywhere else.
        status = meant_status(reply.status_code, reply.headers.get(BEHIND))
        return ScoreReply(status, _parsed(reply.content), dict(reply.headers), elapsed_ms)


def origin_headers(origin: Origin) -> dict[str, str]:
    """What tells our own requests apart in Application Insights; a client's have nothing."""
    return {} if origin is Origin.CLIENT else {ORIGIN_HEADER: f"{TAG}-{origin}-{uuid.uuid4()}"}


def _parsed(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return raw.decode("utf-8", "replace")
