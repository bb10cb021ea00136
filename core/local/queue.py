"""Jobs as they are when they are queued, for the collections that queue them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from core.domain.endpoint import DeploymentSpec
from core.domain.errors import SpecInvalid
from core.domain.job import Job, JobKind, JobState
from core.local.context import PROOF_COMPUTE, Context
from core.local.paths import new_id


def new_job(
    context: Context, kind: JobKind, experiment: str, compute: str, spec: Mapping[str, Any], parent_id: str = ""
) -> Job:
    """A queued job, not stored yet."""
    return Job(
        id=new_id(context.clock),
        kind=kind,
        state=JobState.QUEUED,
        experiment_name=experiment,
        compute=compute,
        spec=spec,
        created_at=context.clock(),
        parent_id=parent_id or None,
    )


def gate_job(context: Context, spec: DeploymentSpec, depth: str = "default", loosened_by: str = "") -> Job:
    """The gate of a deployment, by the budget of its spec."""
    body = {
        "endpoint": spec.endpoint,
        "deployment": spec.name,
        "depth": depth,
        "budget": msgspec.to_builtins(spec.budget),
        "loosened_by": loosened_by,
    }
    return new_job(context, JobKind.GATE, "gate", PROOF_COMPUTE, body)


def check_compute(context: Context, name: str) -> None:
    """Raises SpecInvalid where there is no compute of that name."""
    if name not in (names := [compute.name for compute in context.store.computes.list()]):
        raise SpecInvalid(f"There is no compute '{name}'", hint=f"Computes: {', '.join(names)}")
