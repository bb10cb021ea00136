"""Wait for a deployment's gate: the one that was queued with it, or a new one where that cannot count."""

from core.domain.endpoint import Deployment, GateState
from core.domain.job import Job
from core.domain.proof import GateSpec
from core.domain.run import StepResult
from core.domain.step_settings import GateSettings
from core.local.worker.step_attempt import Step, acted
from core.local.worker.work import Work


def run(work: Work, step: Step) -> StepResult:
    """The step ends when the gate does. One that has passed counts; one of before that failed does not.

    A later attempt at the step is a new gate, unless one has passed meanwhile. Raises EndpointNotFound.
    """
    depth = step.settings(GateSettings).depth
    endpoint, _, name = step.inputs["deployment"].partition("/")
    deployment = work.store.deployments.get(endpoint, name)
    gate = work.store.jobs.get(deployment.gate_job_id) if deployment.gate_job_id else None
    if gate and deployment.gate is GateState.PASSED and _fits(gate, depth):
        said = f"{endpoint}/{name} has passed its gate"
        return StepResult({"report": gate.id, "passed": True}, note=said)
    if gate is None or not _fits(gate, depth) or not _counts(work, step, deployment, gate):
        gate = work.workspace.proofs.run_gate(endpoint, name, depth=depth)
    acted()
    work.log.info(f"Gate {gate.id} of {endpoint}/{name}.")
    return StepResult(started_job_id=gate.id, note=f"The gate of {endpoint}/{name}")


def _fits(gate: Job, depth: str) -> bool:
    """Whether it proves as much as is asked for."""
    assert isinstance(gate.spec, GateSpec)
    return depth == "default" or gate.spec.depth == depth


def _counts(work: Work, step: Step, deployment: Deployment, gate: Job) -> bool:
    """Whether the verdict of a gate that has not passed is this attempt's: it goes on, or began for this attempt.

    The first attempt takes the gate that the run itself has queued with the deployment.
    """
    since = step.run.created_at if step.attempt == 1 else work.job.created_at
    return not deployment.gate.final or gate.created_at >= since
