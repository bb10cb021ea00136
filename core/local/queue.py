"""Jobs as they are when they are queued, for the collections that queue them."""

from importlib.util import find_spec

from core.domain.compute import Compute, ExecutorKind
from core.domain.endpoint import DeploymentSpec, GateBudget
from core.domain.errors import SpecInvalid
from core.domain.job import Job, JobSpec, JobState, kind_of
from core.domain.proof import GateSpec
from core.local.context import PROOF_COMPUTE, Context
from core.local.paths import new_id


def new_job(context: Context, spec: JobSpec, experiment: str, compute: str, parent_id: str = "") -> Job:
    """A queued job, not stored yet."""
    return Job(
        id=new_id(context.clock),
        kind=kind_of(spec),
        state=JobState.QUEUED,
        experiment_name=experiment,
        compute=compute,
        spec=spec,
        created_at=context.clock(),
        parent_id=parent_id or None,
    )


def gate_job(
    context: Context,
    spec: DeploymentSpec,
    depth: str = "default",
    budget: GateBudget | None = None,
    loosened_by: str = "",
) -> Job:
    """The gate of a deployment, by the budget of its spec unless there is another."""
    wanted = GateSpec(spec.endpoint, spec.name, depth, budget or spec.budget, loosened_by)
    return new_job(context, wanted, "gate", PROOF_COMPUTE)


def check_compute(context: Context, name: str) -> Compute:
    """The compute of that name. Raises SpecInvalid where there is none."""
    known = {compute.name: compute for compute in context.store.computes.list()}
    if name not in known:
        raise SpecInvalid(f"There is no compute '{name}'", hint=f"Computes: {', '.join(known)}")
    return known[name]


def check_training_compute(context: Context, name: str) -> None:
    """Raises SpecInvalid where there is no compute of that name, and where what runs its trials is not installed."""
    compute = check_compute(context, name)
    if compute.executor is ExecutorKind.RAY and find_spec("ray") is None:
        raise SpecInvalid(
            f"The compute '{name}' runs trials on Ray, which is not installed",
            hint="Run: pip install ray, or choose a compute with another executor (compute list)",
        )
