"""Managed online endpoints: deployments and traffic on Azure."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.azure import gates, packing, preflight, scaling, serving
from core.azure.collections.endpoint_requests import EndpointRequests
from core.azure.context import TAG, Context
from core.azure.deployments import entities, known_name, missing
from core.azure.names import asset_name
from core.azure.serving import Served, azure_name
from core.domain.autoscale import Autoscale
from core.domain.endpoint import (
    Deployment,
    DeploymentSpec,
    DeploymentState,
    Endpoint,
    EndpointLimits,
    EndpointSpec,
    EndpointState,
    check_answered_for,
    check_expected,
    check_limits,
    check_traffic,
)
from core.domain.errors import Conflict, EndpointNotFound, GateRefused, SlipwayError, SpecInvalid
from core.domain.model import Model
from core.domain.version import VERSION
from core.workspace.models import Models

log = logging.getLogger(__name__)
REQUEST_TIMEOUT_MS = 60_000
"""Azure's own default is 5 s: less than a large body takes."""


class AzureEndpoints(EndpointRequests):
    """Everything is read from Azure each time; what Azure does not know stands in tags."""

    def __init__(self, context: Context, models: Models) -> None:
        super().__init__(context)
        self._models = models
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
        check_answered_for(force, by)
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

    def package(self, name: str, folder: Path, *, deployment: str = "") -> Path:
        endpoint = self.get(name)
        if not endpoint.deployments:
            raise Conflict(f"Endpoint '{name}' has no deployment", hint="Deploy a model to it first")
        chosen = endpoint.chosen(self._meant(endpoint, deployment)) or endpoint.chosen("") or endpoint.deployments[-1]
        return packing.package(self._context, self._models, endpoint, chosen, folder)

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
            tags={TAG: VERSION, **serving.deployment_tags(model, serving.budget_of(spec.budget))},
        )
        _limit(made, serving.limits(self._deployments.endpoint(spec.endpoint).tags or {}))
        with self._busy(spec.endpoint) as client:
            client.online_deployments.begin_create_or_update(made, skip_script_validation=True)

    def _check_ready(self, endpoint: str, name: str) -> None:
        """Wait until Azure has made a deployment. Raises Conflict where that has failed."""
        found = self._deployments.ended(endpoint, name)
        if found.state is DeploymentState.FAILED:
            raise Conflict(
                f"Deployment '{endpoint}/{name}' has failed and cannot take traffic: {self._cause(found)}",
                hint="`endpoint logs` shows its log",
            )

    def _alias(self, endpoint: Endpoint, name: str) -> str:
        return known_name(name, tuple(each.name for each in endpoint.deployments))


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
    deployment.app_insights_enabled = limits.app_insights
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
