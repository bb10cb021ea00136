"""The batch job of this machine: a table scored through the endpoint's own route (`core.work.batch`)."""

from core.domain.batch import BatchResult, BatchSpec
from core.domain.data import DataRef
from core.domain.endpoint import DEPLOYMENT_HEADER, Deployment
from core.domain.monitoring import Origin
from core.domain.proof import Target
from core.domain.signature import Signature
from core.local import origins
from core.local.machine import failpoints
from core.local.machine.failpoints import Failpoint
from core.local.worker.work import Work
from core.work.batch import Batch, Point, Table, finished, score_table


def run(work: Work, spec: BatchSpec) -> BatchResult:
    """Score the table that the job names. Raises DataNotFound, TableUnusable, Conflict, ServiceUnavailable."""
    result = finished(work.folder, lambda: score_table(_batch(work, spec), _reach), _reach)
    work.paths.job_table(work.job.id).unlink(missing_ok=True)
    return result


def _reach(point: Point) -> None:
    failpoints.reach(Failpoint(point))


def _batch(work: Work, spec: BatchSpec) -> Batch:
    endpoint = work.store.endpoints.get(spec.endpoint)

    def signature(deployment: Deployment) -> Signature:
        return work.store.models.get(deployment.model, deployment.model_version).signature

    def target(deployment: Deployment) -> Target:
        """The one deployment, by the endpoint's own route, with a key that tells whose requests these are."""
        key = origins.key_of(work.store, endpoint.name, Origin.BATCH)
        return Target(endpoint.scoring_uri.removesuffix("/score"), key, {DEPLOYMENT_HEADER: deployment.name})

    output = work.paths.job_output(work.job.id)
    return Batch(work.folder, output, _table(work, spec), endpoint, spec.deployment, signature, target, work.log.info)


def _table(work: Work, spec: BatchSpec) -> Table:
    """The data version that the job names, or its own copy of a file. Raises DataNotFound."""
    if not spec.source:
        asset = work.store.data.get(DataRef(spec.data, spec.data_version))
        return Table(asset.name, work.paths.table(asset.name, asset.content_id), asset.columns, asset.rows)
    return Table.of(spec.source, work.paths.job_table(work.job.id))
