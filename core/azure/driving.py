"""The load test job: varied requests from this machine to an endpoint on Azure, and the report that is kept there."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from core import loadtest
from core.azure import reports
from core.azure.packing import signature_of
from core.azure.reports import LOAD_PROGRESS
from core.azure.work import Work
from core.contract import samples
from core.domain.endpoint import Endpoint
from core.domain.errors import Conflict, EndpointNotFound
from core.domain.monitoring import Origin
from core.domain.proof import LoadReport, LoadResult, LoadSpec
from core.domain.signature import Signature
from core.durable import write_atomic
from core.loadtest import apache_bench

BODIES = 200
"""So many different bodies: enough that no cache along the way could answer."""
SEED = 7


def run(work: Work, spec: LoadSpec) -> LoadResult:
    """Drive the endpoint that the job names and keep what it met. Raises Conflict, ServiceUnavailable."""
    endpoint = work.workspace.endpoints.get(spec.endpoint)
    spec = replace(spec, target=work.workspace.endpoints.target(endpoint.name, Origin.LOADTEST))
    bodies = _bodies(_signature(work, endpoint, spec.deployment), spec.rows)

    def named(report: LoadReport) -> LoadReport:
        return replace(report, endpoint=endpoint.name, created_at=work.clock())

    def show(report: LoadReport) -> None:
        write_atomic(work.folder / LOAD_PROGRESS, msgspec.json.encode(report))

    by_ab = spec.tool == apache_bench.PROGRAM
    met = (
        apache_bench.run(spec, bodies[0])
        if by_ab
        else loadtest.run(spec, bodies, on_progress=lambda report: show(named(report)))
    )
    report = replace(named(met), id=work.job.id)
    reports.keep_load(work.context, work.folder / "report.json", report)
    show(report)
    work.log.info(
        f"{report.requests:,} requests, {report.failed:,} failed, {report.requests_per_s:,.0f} requests/s, "
        f"p50 {report.p50_ms:.2f} ms, p99 {report.p99_ms:.2f} ms, the way to Azure and back among them"
    )
    return LoadResult(report.id)


def _signature(work: Work, endpoint: Endpoint, name: str) -> Signature:
    """Of the deployment that is asked for, else of the one with most traffic."""
    if (found := endpoint.chosen(name)) is not None:
        return signature_of(work.context, work.workspace.models, found.model, found.model_version)
    if name:
        raise EndpointNotFound(f"Endpoint '{endpoint.name}' has no deployment '{name}'")
    raise Conflict(f"No deployment of '{endpoint.name}' has traffic", hint="Wait for its gate to pass, or set traffic")


def _bodies(signature: Signature, rows: int) -> Sequence[bytes]:
    made = samples.rows(signature, rows * BODIES, SEED)
    return [samples.body(made[start : start + rows]) for start in range(0, len(made), rows)]
