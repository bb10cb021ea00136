"""Online endpoints and deployments as Azure tells them -> the domain's, and the names and tags in between."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.domain.endpoint import (
    Deployment,
    DeploymentState,
    Endpoint,
    EndpointLimits,
    EndpointState,
    GateBudget,
    GateState,
)
from core.domain.errors import SpecInvalid
from core.domain.model import Model

DEPLOYMENT = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")
"""Azure's rule for names of deployments is that for endpoints; ours takes `v1` too."""
SHORT = "d-"
"""What a name that is too short for Azure, or begins with a digit, begins with there: `v1` is `d-v1`."""
MODEL_TAG, BUDGET_TAG, FORCED_TAG = "slipway.model", "slipway.budget", "slipway.forced."
LIMIT_TAG = "slipway.limit."
LIMITS = ("max_concurrent", "workers", "app_insights")
"""Limits that Azure's server has: `max_concurrent_requests_per_instance`, and WORKER_COUNT of its inference server."""
WORKERS_VARIABLE = "WORKER_COUNT"
ENDPOINT_STATES = {
    "creating": EndpointState.CREATING,
    "updating": EndpointState.STARTING,
    "deleting": EndpointState.DELETING,
    "succeeded": EndpointState.READY,
}
"""What Azure calls the state of an endpoint; any other is failed."""
DEPLOYMENT_STATES = {
    "creating": DeploymentState.STARTING,
    "updating": DeploymentState.STARTING,
    "scaling": DeploymentState.STARTING,
    "deleting": DeploymentState.STARTING,
    "succeeded": DeploymentState.READY,
}
SERVER_BUDGET = GateBudget(p99_ms=400.0, requests_per_s=20.0)
"""What a gate asks for here where nobody has named a budget: twice the p99, and less than half the rate, that
Microsoft's own server has at its best (200 ms, 50 requests/s). The network's part is told apart and not counted."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What is known of the gates of a deployment."""

    gate: GateState = GateState.NONE
    job_id: str = ""
    passed_before: bool = False


@dataclass(frozen=True, slots=True)
class Served:
    """A deployment as Azure tells it."""

    name: str
    endpoint: str
    model: str
    model_version: int
    state: DeploymentState
    created_at: float
    made: str
    """When it was made, in Azure's own words: a later deployment of the same name has others."""
    tags: Mapping[str, str] = field(default_factory=dict)
    instances: int = 1
    size: str = ""
    operation: str = ""
    """Where Azure tells what became of the last change to it."""

    @property
    def ref(self) -> str:
        return f"{self.model}:{self.model_version}"

    @property
    def budget(self) -> GateBudget:
        """What its gate asks for."""
        try:
            return GateBudget(**json.loads(self.tags[BUDGET_TAG]))
        except (KeyError, ValueError, TypeError):
            return SERVER_BUDGET


def azure_name(name: str) -> str:
    """The name of a deployment as Azure takes it. Raises SpecInvalid."""
    if DEPLOYMENT.fullmatch(name):
        return name
    longer = f"{SHORT}{name}"
    if not DEPLOYMENT.fullmatch(longer):
        raise SpecInvalid(
            f"'{name[:60]}' is not the name of a deployment on Azure: 3 to 32 lower-case letters, digits and dashes, a"
            " letter first",
            hint="As in blue or v-2",
        )
    return longer


def budget_of(given: GateBudget) -> GateBudget:
    """The budget that is meant: nobody who names none expects what this machine's own server does."""
    return SERVER_BUDGET if given == GateBudget() else given


def model_of(asset: str) -> tuple[str, int]:
    """Name and version of a model's id; the version is 0 where it is no number."""
    parts = [part for part in re.split(r"[/:]", asset) if part]
    if "versions" in parts and (at := parts.index("versions")) >= 1 and at + 1 < len(parts):
        name, version = parts[at - 1], parts[at + 1]
    else:
        name, version = (parts[-2], parts[-1]) if len(parts) > 1 else (asset, "")
    return name, int(version) if version.isdecimal() else 0


def _ref(text: str) -> tuple[str, int] | None:
    """A model by the name that somebody gave it; its asset may have another."""
    name, _, version = text.rpartition(":")
    return (name, int(version)) if name and version.isdecimal() else None


def served(found: Any) -> Served:
    """A deployment of the SDK."""
    context = found.creation_context
    created = getattr(context, "created_at", None)
    model = found.model if isinstance(found.model, str) else str(getattr(found.model, "id", "") or "")
    tags = dict(found.tags or {})
    name, version = _ref(tags.get(MODEL_TAG, "")) or model_of(model)
    return Served(
        name=str(found.name),
        endpoint=str(found.endpoint_name),
        model=name,
        model_version=version,
        state=DEPLOYMENT_STATES.get(word(found.provisioning_state), DeploymentState.FAILED),
        created_at=created.timestamp() if isinstance(created, datetime) else 0.0,
        made=created.isoformat() if isinstance(created, datetime) else "",
        tags=tags,
        instances=int(found.instance_count or 1),
        size=str(found.instance_type or ""),
        operation=str((found.properties or {}).get("AzureAsyncOperationUri") or ""),
    )


def word(state: Any) -> str:
    """A state in lower case: the SDK gives a text, or an enumeration whose text is its Python name."""
    return str(getattr(state, "value", state) or "").lower()


def deployment(found: Served, endpoint_tags: Mapping[str, str], proven: Proven, error: str = "") -> Deployment:
    """A deployment as the domain has it."""
    return Deployment(
        name=found.name,
        endpoint=found.endpoint,
        model=found.model,
        model_version=found.model_version,
        state=found.state,
        gate=proven.gate,
        created_at=found.created_at,
        error=error,
        gate_job_id=proven.job_id,
        forced_by=endpoint_tags.get(f"{FORCED_TAG}{found.name}", ""),
        passed_before=proven.passed_before,
    )


def endpoint(found: Any, deployments: Sequence[Deployment], scoring_uri: str) -> Endpoint:
    """An endpoint of the SDK; `scoring_uri` is what it will be, while Azure says nothing."""
    tags = dict(found.tags or {})
    state = ENDPOINT_STATES.get(word(found.provisioning_state), EndpointState.FAILED)
    traffic = shares(found.traffic)
    live = [one for one in deployments if traffic.get(one.name)]
    if state is EndpointState.READY and any(one.state is DeploymentState.FAILED for one in live):
        state = EndpointState.DEGRADED
    uri = found.scoring_uri or scoring_uri
    return Endpoint(
        name=str(found.name),
        state=state,
        scoring_uri=uri,
        swagger_uri=found.openapi_uri or f"{uri.removesuffix('/score')}/swagger.json",
        traffic=traffic,
        mirror=shares(getattr(found, "mirror_traffic", None)),
        deployments=tuple(sorted(deployments, key=lambda one: one.created_at)),
        limits=limits(tags),
        created_at=_made_at(found.properties or {}),
        description=found.description or "",
        error="; ".join(one.error for one in live if one.error),
        settled=state in (EndpointState.READY, EndpointState.DEGRADED) and all(one.state.final for one in deployments),
    )


def shares(given: Mapping[str, Any] | None) -> dict[str, int]:
    """Traffic without those that get none."""
    return {name: int(percent) for name, percent in (given or {}).items() if int(percent)}


def limits(tags: Mapping[str, str]) -> EndpointLimits:
    """Those that Azure has, as they were set; the others have their defaults, and nobody looks at them."""
    kept = {name: tags.get(f"{LIMIT_TAG}{name}", "") for name in LIMITS}
    kinds = {name: type(getattr(EndpointLimits(), name)) for name in LIMITS}
    return EndpointLimits().changed({name: kinds[name](int(text)) for name, text in kept.items() if text.isdecimal()})


def check_limits(names: Iterable[str]) -> None:
    """Raises SpecInvalid for limits that Azure's server does not have."""
    if others := sorted(set(names) - set(LIMITS)):
        raise SpecInvalid(f"An endpoint on Azure has no limit '{others[0]}'", hint=f"It has {', '.join(LIMITS)}")


def limit_tags(given: EndpointLimits) -> dict[str, str]:
    """The tags of limits that are not as they are by default."""
    usual = EndpointLimits()
    changed = [name for name in LIMITS if getattr(given, name) != getattr(usual, name)]
    return {f"{LIMIT_TAG}{name}": str(int(getattr(given, name))) for name in changed}


def deployment_tags(model: Model, budget: GateBudget) -> dict[str, str]:
    """What a deployment keeps beside what Azure knows of it."""
    named = {name: getattr(budget, name) for name in GateBudget.__dataclass_fields__}
    return {MODEL_TAG: model.ref, BUDGET_TAG: json.dumps(named)}


def _made_at(properties: Mapping[str, Any]) -> float:
    text = str(properties.get("createdAt", ""))
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()  # as the SDK writes it
    except ValueError:
        return 0.0
