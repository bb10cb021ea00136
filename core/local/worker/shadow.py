"""What a second deployment is compared by: requests that were kept, else rows of the training data."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from core.contract import samples
from core.domain.endpoint import DEPLOYMENT_HEADER, DeploymentSpec
from core.domain.model import Model
from core.domain.monitoring import Origin
from core.domain.proof import Target
from core.gate import SHADOW_BODIES_MAX, Shadow
from core.local import origins
from core.local.records import inputs
from core.local.worker.work import Work

ROWS = 100
"""Enough to see a difference of a few per cent, few beside the live endpoint's own requests."""
SEED = 0
"""Of rows that are made up: the same model meets the same ones."""


class Kept(msgspec.Struct):
    """The part that matters here of a request that a server has kept; `data` holds one list a column."""

    columns: list[str]
    data: list[list[Any]]
    masked: list[str] = []
    """Without these columns it cannot be sent again."""


def shadow_of(work: Work, spec: DeploymentSpec) -> Shadow | None:
    """The live side of a comparison; None where no other deployment has traffic."""
    endpoint = work.store.endpoints.get(spec.endpoint)
    others = [deployment for deployment in endpoint.live if deployment.name != spec.name]
    if not others:
        return None
    busiest = max(others, key=lambda deployment: endpoint.traffic[deployment.name])
    # By name: a candidate that is live too, or a third deployment, would answer some of what is replayed.
    headers = {DEPLOYMENT_HEADER: busiest.name}
    key = origins.key_of(work.store, endpoint.name, Origin.SHADOW)
    live = Target(endpoint.scoring_uri.removesuffix("/score"), key, headers)
    kept = list(islice(kept_requests(work.paths.model_data(endpoint.name)), SHADOW_BODIES_MAX))
    if kept:
        return Shadow(live, kept, "as clients sent them, newest first")
    model = work.store.models.get(spec.model, spec.model_version)
    if model.imported and not any(asset.ref == model.data for asset in work.store.data.list()):
        return Shadow(live, _made_up(model), "rows made from the signature, since the data is elsewhere")
    return Shadow(live, _of_training(work, spec), f"rows of {model.data}, since no requests are recorded")


def kept_requests(folder: Path) -> Iterator[bytes]:
    """A body for each kept request, newest first, of at most `ROWS` rows each; none where nothing is kept."""
    for line in inputs.newest(folder):
        try:
            kept = msgspec.json.decode(line, type=Kept)
        except msgspec.DecodeError:
            continue  # another Slipway's, or nobody's
        if kept.masked:
            continue
        rows = islice(zip(*kept.data, strict=True), ROWS)
        yield samples.body([dict(zip(kept.columns, row, strict=True)) for row in rows])


def _made_up(model: Model) -> Sequence[bytes]:
    """Rows that the signature allows, one a request."""
    rows = samples.rows(model.signature, ROWS, SEED)
    return [samples.body([row]) for row in rows]


def _of_training(work: Work, spec: DeploymentSpec) -> Sequence[bytes]:
    """The first rows of the data that the candidate learned from, one a request."""
    model = work.store.models.get(spec.model, spec.model_version)
    sample = work.workspace.data.sample(model.data, ROWS)
    inputs = {column.name for column in model.signature.columns}
    rows = [
        {name: value for name, value in zip(sample.columns, row, strict=True) if name in inputs} for row in sample.rows
    ]
    return [samples.body([row]) for row in rows]
