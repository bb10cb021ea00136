"""What a second deployment is compared by: rows of the training data, answered by the live one too."""

from core.contract import samples
from core.domain.endpoint import DeploymentSpec, EndpointState
from core.domain.proof import Target
from core.gate import Shadow
from core.local.work import Work
from core.local.workspace import LocalWorkspace

ROWS = 100
"""Enough to see a difference of a few per cent, few beside the live endpoint's own requests."""


def shadow_of(work: Work, spec: DeploymentSpec) -> Shadow | None:
    """The live side of a comparison; None where no other deployment answers."""
    endpoint = work.store.endpoint(spec.endpoint)
    others = [deployment for deployment in endpoint.live if deployment.name != spec.name]
    if not others or endpoint.state is not EndpointState.READY:
        return None
    model = work.store.model(spec.model, spec.model_version)
    sample = LocalWorkspace(work.settings, work.clock).sample(model.data, ROWS)
    inputs = {column.name for column in model.signature.columns}
    rows = [
        {name: value for name, value in zip(sample.columns, row, strict=True) if name in inputs} for row in sample.rows
    ]
    live = Target(endpoint.scoring_uri.removesuffix("/score"), work.store.keys(endpoint.name).primary)
    origin = f"rows of {model.data}, since no requests are kept"
    return Shadow(live, [samples.body([row]) for row in rows], origin)
