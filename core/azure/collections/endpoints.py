"""Managed online endpoints: deployments, traffic and keys on Azure; and requests to them, as any client sends them."""

import logging
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msgspec

from core.azure import container_log, gates, packing, preflight, scaling, serving
from core.azure.context import TAG, Context
from core.azure.deployments import Deployments, entities, known_name, missing
from core.azure.names import asset_name
from core.azure.serving import Served, azure_name
from core.domain.autoscale import Autoscale
from core.domain.endpoint import (
    DEPLOYMENT_HEADER,
    Deployment,
    DeploymentSpec,
    DeploymentState,
    Endpoint,
    EndpointKeys,
    EndpointLimits,
    EndpointSpec,
    EndpointState,
    ScoreReply,
    check_expected,
    check_limits,
    check_traffic,
)
from core.domain.errors import Conflict, EndpointNotFound, GateRefused, ServiceUnavailable, SlipwayError, SpecInvalid
from core.domain.job import LogLine
from core.domain.keys import check_header
from core.domain.model import Model
from core.domain.monitoring import Origin
from core.domain.proof import Target
from core.domain.rules import check_limit
from core.domain.version import VERSION
from core.loadtest.way import BEHIND, meant_status
from core.workspace.endpoints import Endpoints
from core.workspace.models import Models

log = logging.getLogger(__name__)
INVOKE_TIMEOUT_S = 60.0
ORIGIN_HEADER = "x-ms-client-request-id"
"""Azure's server records what a client calls its request; ours begin with `slipway-` and who sends them."""
REQUEST_TIMEOUT_MS = 60_000
"""Azure's own default is 5 s: less than a large body takes."""
WHICH = ("primary", "secondary")
BUSY_HINT = "Look at it with `endpoint get`, and ask again when it is settled"


class AzureEndpoints(Endpoints):
    """Everything is read from Azure each time; what Azure does not know stands in tags."""

    def __init__(self, context: Context, models: Models) -> None:
        self._context, self._models = context, models
        self._deployments = Deployments(context)
        self._causes: dict[tuple[str, str, str], str] = {}

    def create(self, spec: EndpointSpec) -> Endpoint:
        if spec.address:
            raise SpecInvalid("Azure chooses the address of an endpoint itself", hint="Leave the address out")
        serving.check_limits(_others(spec.limits))
        if (known := self._known(spec.name)) is not None:
            raise _taken(spec.name, known)
        self._made(spec)
        return self.get(spec.name)

    def update(self, name: str, changes: Mapping[str, Any], *, expected: Mapping[str, Any] | None = None) -> Endpoint:
        found = self._deployments.endpoint(name)
        limits = serving.limits(found.tags or {})
        check_limits(name, limits, expected or {})
        wanted = limits.changed(changes)
        serving.check_limits(changes)
        kept = {key: value for key, value in (found.tags or {}).items() if not key.startswith(serving.LIMIT_TAG)}
        found.tags = kept | serving.limit_tags(wanted)
        self._put(name, found)
        for deployment in self._deployments.of(name):
            with self._busy(name) as client:
                held = client.online_deployments.get(deployment.name, name)
                _limit(held, wanted)
                client.online_deployments.begin_create_or_update(held, skip_script_validation=True)
        return self.get(name)

    def list(self) -> tuple[Endpoint, ...]:
        with self._context.asking() as client:
            found = list(client.online_endpoints.list())
        known = [one for each in found if (one := self._listed(each)) is not None]
        return tuple(sorted(known, key=lambda endpoint: endpoint.created_at, reverse=True))

    def get(self, name: str) -> Endpoint:
        return self._seen(self._deployments.endpoint(name))

    def deploy(self, spec: DeploymentSpec) -> Deployment:
        model = self._models.get(spec.model, spec.model_version)
        name = azure_name(spec.name or f"v{model.version}")
        spec = replace(spec, model_version=model.version, name=name)
        packing.check_asked(spec)
        known = self._known(spec.endpoint)
        if known is not None:
            if known.state is EndpointState.DELETING:
                raise _taken(spec.endpoint, known)
            if (there := known.chosen(name)) is not None:
                return _same(there, model)
        preflight.check(packing.folder_of(self._context, self._models, model.name, model.version))
        if known is None:
            self._made(EndpointSpec(spec.endpoint))
        try:
            self._begin(spec, model)
        except SlipwayError:
            if known is None:  # nobody has asked for an endpoint alone
                self._take_back(spec.endpoint)
            raise
        gates.queue(self._context, spec)
        return self._one(spec.endpoint, name)

    def delete_deployment(self, endpoint: str, name: str) -> None:
        found = self.get(endpoint)
        name = self._meant(found, name)
        if found.traffic.get(name) or found.mirror.get(name):
            raise Conflict(
                f"Deployment '{endpoint}/{name}' gets traffic or is mirrored to", hint="Give its share to another first"
            )
        scaling.forget(self._context, endpoint, name)
        self._context.here.forget_endpoint(endpoint, name)
        with self._busy(endpoint) as client:
            client.online_deployments.begin_delete(name, endpoint).result()

    def delete(self, name: str) -> None:
        self._deployments.endpoint(name)
        scaling.forget(self._context, name)
        self._context.here.forget_endpoint(name)
        with self._busy(name) as client:
            client.online_endpoints.begin_delete(name)

    def set_traffic(
        self,
        endpoint: str,
        traffic: Mapping[str, int],
        mirror: Mapping[str, int] | None = None,
        *,
        force: bool = False,
        by: str = "",
        expected: Mapping[str, int] | None = None,
    ) -> Endpoint:
        check_traffic(traffic, mirror)
        if force and not by:
            raise SpecInvalid(
                "Forced traffic needs the name of a person, which is recorded", hint="Give your name with the request"
            )
        seen = self.get(endpoint)
        if expected is not None:
            check_expected(endpoint, seen.traffic, {self._alias(seen, name): pct for name, pct in expected.items()})
        wanted = {self._meant(seen, name): percent for name, percent in traffic.items() if percent}
        mirrored = None if mirror is None else {self._meant(seen, name): pct for name, pct in mirror.items() if pct}
        for name in traffic:
            self._meant(seen, name)
        unproven = [one for name in wanted if (one := seen.chosen(name)) is not None and not one.proven]
        if unproven and not force:
            raise _refused(unproven[0])
        for name in (*wanted, *(mirrored or {})):
            self._check_ready(endpoint, name)
        found = self._deployments.endpoint(endpoint)
        if expected is not None:  # waiting may have taken minutes
            check_expected(endpoint, serving.shares(found.traffic), seen.traffic)
        found.traffic = wanted
        found.mirror_traffic = found.mirror_traffic if mirrored is None else mirrored
        found.tags = dict(found.tags or {}) | {f"{serving.FORCED_TAG}{one.name}": by for one in unproven}
        self._put(endpoint, found)
        return self.get(endpoint)

    def autoscale(self, endpoint: str, deployment: str) -> Autoscale | None:
        return scaling.get(self._context, endpoint, self._deployments.get(endpoint, deployment).name)

    def set_autoscale(self, endpoint: str, deployment: str, autoscale: Autoscale | None) -> None:
        name = self._deployments.get(endpoint, deployment).name
        if autoscale is None:
            scaling.delete(self._context, endpoint, name)
        else:
            scaling.put(self._context, endpoint, name, autoscale)

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

    def package(self, name: str, folder: Path, *, deployment: str = "") -> Path:
        endpoint = self.get(name)
        if not endpoint.deployments:
            raise Conflict(f"Endpoint '{name}' has no deployment", hint="Deploy a model to it first")
        chosen = endpoint.chosen(self._meant(endpoint, deployment)) or endpoint.chosen("") or endpoint.deployments[-1]
        return packing.package(self._context, self._models, endpoint, chosen, folder)

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

    def _known(self, name: str) -> Endpoint | None:
        try:
            return self.get(name)
        except EndpointNotFound:
            return None

    def _listed(self, found: Any) -> Endpoint | None:
        """One of a list; None for one that has gone since."""
        try:
            return self._seen(found)
        except EndpointNotFound:
            return None

    def _seen(self, found: Any) -> Endpoint:
        tags = dict(found.tags or {})
        deployments = [
            serving.deployment(each, tags, gates.proven(self._context, each), self._cause(each))
            for each in self._deployments.of(found.name)
        ]
        return serving.endpoint(found, deployments, self._expected_uri(found.name))

    def _one(self, endpoint: str, name: str) -> Deployment:
        found = self.get(endpoint).chosen(name)
        if found is None:
            raise missing(endpoint, name, ())
        return found

    def _cause(self, found: Served) -> str:
        """Why a deployment has failed; asked once, since what has failed stays so."""
        if found.state is not DeploymentState.FAILED:
            return ""
        key = (found.endpoint, found.name, found.made)
        if not self._causes.get(key):
            self._causes[key] = self._deployments.cause(found)
        return self._causes[key] or "Azure tells no cause; see `endpoint logs`"

    def _new(self, spec: EndpointSpec) -> Any:
        return entities().ManagedOnlineEndpoint(
            name=spec.name,
            auth_mode="key",
            description=spec.description or None,
            tags={TAG: VERSION, **serving.limit_tags(spec.limits)},
        )

    def _made(self, spec: EndpointSpec) -> None:
        """Make an endpoint; nothing of it stays where Azure fails to."""
        try:
            self._put(spec.name, self._new(spec))
        except Conflict:
            raise  # it is another's by now
        except SlipwayError:
            self._take_back(spec.name)
            raise

    def _take_back(self, name: str) -> None:
        """Remove an endpoint that was half made; what went wrong before is told, not what goes wrong here."""
        try:
            self.delete(name)
        except EndpointNotFound:
            pass
        except SlipwayError as e:
            log.warning("Endpoint '%s' was half made and cannot be removed now (%s): delete it later", name, e.message)

    def _put(self, name: str, entity: Any) -> None:
        """Make or change an endpoint, and wait for it: it has no keys and takes no deployment before."""
        with self._busy(name) as client:
            client.online_endpoints.begin_create_or_update(entity).result()

    def _begin(self, spec: DeploymentSpec, model: Model) -> None:
        """Ask for a deployment. What it comes to is seen later: machines take minutes."""
        settings = self._context.settings
        made = entities().ManagedOnlineDeployment(
            name=spec.name,
            endpoint_name=spec.endpoint,
            model=f"azureml:{asset_name(model.name)}:{model.version}",
            instance_type=spec.size or settings.azure_instance_type,
            instance_count=spec.instances or settings.azure_instances,
            app_insights_enabled=True,
            tags={TAG: VERSION, **serving.deployment_tags(model, serving.budget_of(spec.budget))},
        )
        _limit(made, serving.limits(self._deployments.endpoint(spec.endpoint).tags or {}))
        with self._busy(spec.endpoint) as client:
            client.online_deployments.begin_create_or_update(made, skip_script_validation=True)

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

    def _check_ready(self, endpoint: str, name: str) -> None:
        """Wait until Azure has made a deployment. Raises Conflict where that has failed."""
        found = self._deployments.ended(endpoint, name)
        if found.state is DeploymentState.FAILED:
            raise Conflict(
                f"Deployment '{endpoint}/{name}' has failed and cannot take traffic: {self._cause(found)}",
                hint="`endpoint logs` shows its log",
            )

    def _meant(self, endpoint: Endpoint, name: str) -> str:
        """The deployment of that name. Raises EndpointNotFound."""
        known = tuple(each.name for each in endpoint.deployments)
        if name and (found := known_name(name, known)) not in known:
            raise missing(endpoint.name, name, known)
        return found if name else ""

    def _alias(self, endpoint: Endpoint, name: str) -> str:
        return known_name(name, tuple(each.name for each in endpoint.deployments))

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


def _others(limits: EndpointLimits) -> list[str]:
    """The limits that somebody has given."""
    usual = EndpointLimits()
    return [name for name in EndpointLimits.__dataclass_fields__ if getattr(limits, name) != getattr(usual, name)]


def _limit(deployment: Any, limits: EndpointLimits) -> None:
    """Give a deployment of the SDK its endpoint's limits."""
    # Azure's own default takes two requests at a time, and refuses the third.
    request = deployment.request_settings or entities().OnlineRequestSettings(request_timeout_ms=REQUEST_TIMEOUT_MS)
    request.max_concurrent_requests_per_instance = limits.max_concurrent
    deployment.request_settings = request
    if limits.workers != EndpointLimits().workers:
        deployment.environment_variables = {
            **(deployment.environment_variables or {}), serving.WORKERS_VARIABLE: str(limits.workers)
        }  # fmt: skip


def _taken(name: str, known: Endpoint) -> Conflict:
    if known.state is EndpointState.DELETING:
        return Conflict(f"Endpoint '{name}' is being deleted", hint="Its name is free once it is gone")
    return Conflict(f"There is an endpoint '{name}' already", hint="Choose another name, or use it")


def _same(there: Deployment, model: Model) -> Deployment:
    if (there.model, there.model_version) != (model.name, model.version):
        raise Conflict(
            f"'{there.endpoint}' has a deployment '{there.name}' already, of {there.model}:{there.model_version}",
            hint="Choose another name for this one",
        )
    return there


def _refused(unproven: Deployment) -> GateRefused:
    return GateRefused(
        f"The gate of '{unproven.endpoint}/{unproven.name}' has not passed ({unproven.gate})",
        hint="Wait for its gate, or force it by name, which is recorded",
    )


def _parsed(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return raw.decode("utf-8", "replace")
