"""The load test job: varied requests made from the live deployment's signature, and the stored report."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from core import loadtest
from core.contract import samples
from core.domain.endpoint import Endpoint
from core.domain.errors import Conflict
from core.domain.proof import LoadSpec
from core.domain.signature import Signature
from core.local.paths import new_id
from core.local.work import Work

BODIES = 200
"""So many different bodies: enough that no cache along the way could answer."""
SEED = 7


def run(work: Work) -> Mapping[str, Any]:
    """Drive the endpoint that the job names and keep what it met. Raises Conflict, ServiceUnavailable."""
    body = dict(work.job.spec)
    endpoint = work.store.endpoint(body.pop("endpoint"))
    spec = msgspec.convert(body, LoadSpec)
    spec = replace(spec, target=replace(spec.target, key=work.store.keys(endpoint.name).primary))
    bodies = _bodies(_signature(work, endpoint), spec.rows)
    report = loadtest.run(spec, bodies)
    report = replace(report, id=new_id(work.clock), created_at=work.clock())
    work.store.add_load_report(report)
    return {"report_id": report.id}


def _signature(work: Work, endpoint: Endpoint) -> Signature:
    if not endpoint.live:
        raise Conflict(f"No deployment of '{endpoint.name}' has traffic", hint="Let a gate pass, or set traffic")
    most = max(endpoint.live, key=lambda deployment: endpoint.traffic[deployment.name])
    return work.store.model(most.model, most.model_version).signature


def _bodies(signature: Signature, rows: int) -> list[bytes]:
    made = samples.rows(signature, rows * BODIES, SEED)
    return [samples.body(made[start : start + rows]) for start in range(0, len(made), rows)]
