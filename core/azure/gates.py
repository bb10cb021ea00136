"""Where the gates of deployments stand: this machine's own jobs, and the reports that the workspace keeps."""

from core.azure import reports
from core.azure.context import Context
from core.azure.reports import VERDICTS
from core.azure.serving import Proven, Served, budget_of
from core.domain.endpoint import DeploymentSpec, GateState
from core.domain.job import Job, JobState
from core.domain.proof import GateSpec

STATES = {
    VERDICTS[True]: GateState.PASSED,
    VERDICTS[False]: GateState.FAILED,
    VERDICTS[None]: GateState.NO_VERDICT,
}
GOING_ON = {JobState.QUEUED: GateState.QUEUED, JobState.RUNNING: GateState.RUNNING}
EXPERIMENT = "gate"


def queue(context: Context, spec: DeploymentSpec) -> Job:
    """The gate that comes with a deployment."""
    return context.here.add(GateSpec(spec.endpoint, spec.name, budget=budget_of(spec.budget)), EXPERIMENT)


def proven(context: Context, deployment: Served) -> Proven:
    """What is known of a deployment's gates. One that another machine is at is known when it has ended."""
    job = context.here.of_gate(deployment.endpoint, deployment.name)
    kept = [one for one in reports.gates_of(context, deployment.endpoint, deployment.name) if one.of(deployment)]
    judged = [one.verdict for one in kept if one.verdict != VERDICTS[None]]
    before = judged[:1] == [VERDICTS[True]]
    if job is not None and job.created_at < deployment.created_at - CLOCKS_APART_S:
        job = None  # of an earlier deployment of this name
    if job is not None and job.state in GOING_ON:
        return Proven(GOING_ON[job.state], job.id, before)
    if kept and (job is None or kept[0].at >= job.created_at):
        return Proven(STATES.get(kept[0].verdict, GateState.NO_VERDICT), kept[0].job_id, before)
    if job is not None:  # it was canceled, or has failed itself
        return Proven(GateState.NO_VERDICT, job.id, before)
    return Proven(passed_before=before)


CLOCKS_APART_S = 120.0
"""So much this machine's clock and Azure's may differ."""
