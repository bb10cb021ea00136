"""What a second deployment on Azure is compared by: rows of the training data, since no requests are kept there."""

from dataclasses import replace

from core.azure.serving import Served
from core.azure.work import Work
from core.contract import samples
from core.domain.endpoint import DEPLOYMENT_HEADER
from core.domain.errors import NotFound, NotSupported
from core.domain.monitoring import Origin
from core.gate import Shadow

ROWS = 100


def shadow_of(work: Work, deployment: Served) -> Shadow | None:
    """The live side of a comparison; None where no other deployment has traffic, or its data is not known."""
    endpoint = work.workspace.endpoints.get(deployment.endpoint)
    others = [one for one in endpoint.live if one.name != deployment.name]
    if not others:
        return None
    busiest = max(others, key=lambda one: endpoint.traffic[one.name])
    target = work.workspace.endpoints.target(endpoint.name, Origin.SHADOW)
    # By name: a candidate that is live too, or a third deployment, would answer some of what is replayed.
    live = replace(target, headers={**target.headers, DEPLOYMENT_HEADER: busiest.name})
    model = work.workspace.models.get(deployment.model, deployment.model_version)
    try:
        sample = work.workspace.data.sample(model.data, ROWS)
    except (NotFound, NotSupported):
        work.log.warning(f"No comparison with '{busiest.name}': {model.data} is not there any more")
        return None
    inputs = {column.name for column in model.signature.columns}
    rows = [
        {name: value for name, value in zip(sample.columns, row, strict=True) if name in inputs} for row in sample.rows
    ]
    return Shadow(live, [samples.body([row], target.form) for row in rows], f"rows of {model.data}")
