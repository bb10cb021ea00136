"""The verbs that touch more than one noun: each is one transaction, hence done as a whole or not at all."""

from collections.abc import Sequence
from dataclasses import replace

from core.domain.endpoint import Deployment, DeploymentSpec, EndpointKeys, EndpointSpec
from core.domain.job import Job, JobState
from core.domain.proof import GateReport, GateResult, GateSpec
from core.domain.run import PipelineRunSpec, StepRun
from core.local.store import Nouns, Store


def deploy(
    store: Store,
    spec: DeploymentSpec,
    gate: Job,
    now: float,
    *,
    create: tuple[EndpointSpec, int, EndpointKeys] | None = None,
) -> Deployment:
    """Create a deployment (`spec` has name and model version) and queue its gate; with `create`, the endpoint too.

    The same name and model again give what is there. Raises Conflict for the name with another model and for an
    endpoint that is being deleted, EndpointNotFound for one that is not there and is not to be created.
    """
    with store.write() as tx:
        if create and not tx.endpoints.exists(spec.endpoint):
            tx.endpoints.add(*create, now)
        if tx.deployments.add(spec, gate.id, now):
            tx.jobs.add(gate)
        return tx.deployments.get(spec.endpoint, spec.name)


def prove_again(store: Store, endpoint: str, deployment: str, gate: Job) -> Job:
    """Queue another gate for a deployment. Until it has a verdict, the last one that has stands.

    Raises EndpointNotFound, Conflict while the endpoint is being deleted.
    """
    with store.write() as tx:
        first_gate = tx.deployments.prove_again(endpoint, deployment, gate.id)
        assert isinstance(gate.spec, GateSpec)
        return tx.jobs.add(replace(gate, spec=replace(gate.spec, first_gate=first_gate)))


def end_gate(store: Store, job_id: str, report: GateReport, now: float) -> None:
    """Keep the report and end its job; a verdict replaces the one that stood.

    The gate that came with a deployment gives it 100 % where it passed and the endpoint's traffic map is empty. A gate
    that was asked for later never changes traffic.
    """
    with store.write() as tx:
        gate = tx.jobs.get(job_id).spec
        assert isinstance(gate, GateSpec)
        first_gate = gate.first_gate or job_id
        tx.jobs.end(job_id, JobState.SUCCEEDED, now, result=GateResult(report.verdict, report.id))
        tx.proofs.add_gate_report(report)
        if report.verdict is None or not tx.deployments.judge(report.endpoint, report.deployment, first_gate, job_id):
            return
        if report.verdict and job_id == first_gate:
            tx.endpoints.begin_traffic(report.endpoint, report.deployment)


def add_run(tx: Nouns, job: Job, steps: Sequence[StepRun]) -> None:
    """Queue a pipeline's run together with its steps, inside a transaction."""
    assert isinstance(job.spec, PipelineRunSpec)
    tx.jobs.add(job)
    tx.runs.add(job.id, job.spec, steps, job.created_at)
