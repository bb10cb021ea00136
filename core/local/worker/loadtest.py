"""The load test job: varied requests made from the live deployment's signature, its progress, and the stored report."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec

from core import loadtest
from core.contract import samples
from core.domain.endpoint import Endpoint
from core.domain.errors import Conflict, EndpointNotFound
from core.domain.monitoring import Origin
from core.domain.proof import LoadReport, LoadResult, LoadSpec
from core.domain.signature import Signature
from core.durable import write_atomic
from core.loadtest import apache_bench
from core.local import origins
from core.local.machine.failpoints import Failpoint, reach
from core.local.worker.work import Work

BODIES = 200
"""So many different bodies: enough that no cache along the way could answer."""
SEED = 7


def run(work: Work, spec: LoadSpec) -> LoadResult:
    """Drive the endpoint that the job names and keep what it met. Raises Conflict, ServiceUnavailable."""
    endpoint = work.store.endpoints.get(spec.endpoint)
    key = origins.key_of(work.store, endpoint.name, Origin.LOADTEST)
    spec = replace(spec, target=replace(spec.target, key=key))
    bodies = _bodies(_signature(work, endpoint, spec.deployment), spec.rows)

    def named(report: LoadReport) -> LoadReport:
        return replace(report, endpoint=endpoint.name, created_at=work.clock())

    def show(report: LoadReport) -> None:
        write_atomic(work.paths.load_progress(work.job.id), msgspec.json.encode(report))

    def tell(report: LoadReport) -> None:
        show(named(report))

    by_ab = spec.tool == apache_bench.PROGRAM
    report = named(apache_bench.run(spec, bodies[0]) if by_ab else _ours(work, spec, bodies, tell))
    report = replace(report, id=work.job.id)  # a second attempt replaces what the first one kept
    work.store.proofs.add_load_report(report)
    reach(Failpoint.LOADTEST_KEPT)
    show(report)
    work.log.info(
        f"{report.requests:,} requests, {report.failed:,} failed, {report.requests_per_s:,.0f} requests/s, "
        f"p50 {report.p50_ms:.2f} ms, p99 {report.p99_ms:.2f} ms"
    )
    return LoadResult(report.id)


def _ours(work: Work, spec: LoadSpec, bodies: Sequence[bytes], tell: Callable[[LoadReport], None]) -> LoadReport:
    ceiling = loadtest.ceiling(spec, bodies)
    work.log.info(f"This machine's load client reaches {ceiling:,.0f} requests/s against a server that does no work")
    return loadtest.run(spec, bodies, ceiling_requests_per_s=ceiling, on_progress=tell)


def _signature(work: Work, endpoint: Endpoint, name: str) -> Signature:
    """Of the deployment that is asked for, else of the one with most traffic."""
    if (found := endpoint.chosen(name)) is not None:
        return work.store.models.get(found.model, found.model_version).signature
    if name:
        raise EndpointNotFound(f"Endpoint '{endpoint.name}' has no deployment '{name}'")
    raise Conflict(f"No deployment of '{endpoint.name}' has traffic", hint="Wait for its gate to pass, or set traffic")


def _bodies(signature: Signature, rows: int) -> list[bytes]:
    made = samples.rows(signature, rows * BODIES, SEED)
    return [samples.body(made[start : start + rows]) for start in range(0, len(made), rows)]
