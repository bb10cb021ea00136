"""The batch job of an online endpoint on Azure: this machine sends the table, and keeps the answers as a file.

The file is an asset of the workspace too, for whoever opens it elsewhere.
"""

from dataclasses import replace

from core.azure import reports
from core.azure.packing import signature_of
from core.azure.queueing import TABLE
from core.azure.work import Work
from core.domain.batch import BatchResult, BatchSpec
from core.domain.endpoint import DEPLOYMENT_HEADER, Deployment
from core.domain.monitoring import Origin
from core.domain.proof import Target
from core.domain.signature import Signature
from core.work.batch import Batch, Table, finished, score_table

OUTPUT = "output.csv"


def run(work: Work, spec: BatchSpec) -> BatchResult:
    """Score the table that lies in the job's folder. Raises TableUnusable, Conflict, ServiceUnavailable."""
    result = finished(work.folder, lambda: score_table(_batch(work, spec)))
    reports.keep_output(work.context, work.folder / OUTPUT, work.job.id, spec.endpoint, result.deployment)
    (work.folder / TABLE).unlink(missing_ok=True)
    return result


def _batch(work: Work, spec: BatchSpec) -> Batch:
    endpoints = work.workspace.endpoints

    def signature(deployment: Deployment) -> Signature:
        return signature_of(work.context, work.workspace.models, deployment.model, deployment.model_version)

    def target(deployment: Deployment) -> Target:
        found = endpoints.target(spec.endpoint, Origin.BATCH)
        return replace(found, headers={**found.headers, DEPLOYMENT_HEADER: deployment.name})

    table = Table.of(spec.source or spec.data, work.folder / TABLE)
    endpoint = endpoints.get(spec.endpoint)
    return Batch(work.folder, work.folder / OUTPUT, table, endpoint, spec.deployment, signature, target, work.log.info)
