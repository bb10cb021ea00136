"""Deploy a model to an endpoint, which is created where it is absent, and wait until its server has loaded it."""

from core.domain.endpoint import Deployment, DeploymentSpec, DeploymentState, Endpoint, EndpointState
from core.domain.errors import StepFailed
from core.domain.names import reference
from core.domain.run import StepResult
from core.domain.step_settings import DeploySettings
from core.local.worker.step_attempt import Step, acted, waited
from core.local.worker.work import Work

READY_TIMEOUT_S = 120.0
LAST_WORDS = 5
"""Lines of a server's log that are told where it failed."""


def run(work: Work, step: Step) -> StepResult:
    """Twice gives the deployment that is there. Raises Conflict for its name with another model, StepFailed."""
    settings = step.settings(DeploySettings)
    model, version = reference(step.inputs["model"])
    wanted = DeploymentSpec(settings.endpoint, model, version, settings.deployment)
    deployed = work.workspace.endpoints.deploy(wanted)
    acted()
    work.log.info(f"Deployed {model}:{version} to {deployed.endpoint}/{deployed.name} with 0 % traffic.")
    endpoint, deployment = _loaded(work, deployed.endpoint, deployed.name)
    if deployment.state is not DeploymentState.READY or endpoint.state is EndpointState.FAILED:
        raise _failed(work, endpoint, deployment)
    said = f"{endpoint.name}/{deployment.name} serves {model}:{version}"
    return StepResult({"deployment": f"{endpoint.name}/{deployment.name}"}, note=said)


def _loaded(work: Work, endpoint: str, name: str) -> tuple[Endpoint, Deployment]:
    """Both as they are when the server has tried, or when the time is up."""

    def look() -> tuple[Endpoint, Deployment]:
        return work.store.endpoints.get(endpoint), work.store.deployments.get(endpoint, name)

    return waited(look, lambda now: now[0].state.final and now[1].state.final, READY_TIMEOUT_S)


def _failed(work: Work, endpoint: Endpoint, deployment: Deployment) -> StepFailed:
    """Why it is not ready, in its server's last words."""
    for line in work.workspace.endpoints.logs(endpoint.name, LAST_WORDS):
        work.log.warning(line.text)
    late = f"it is still {deployment.state} after {READY_TIMEOUT_S:g} s"
    return StepFailed(
        f"Deployment {endpoint.name}/{deployment.name} is not ready: {deployment.error or endpoint.error or late}",
        hint=f"Its server's log says more: python -m core endpoint logs {endpoint.name}",
    )
