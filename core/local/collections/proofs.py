"""Gates, load reports and telemetry."""

from dataclasses import replace

import msgspec

from core.domain.endpoint import GateBudget
from core.domain.errors import EndpointNotFound, SpecInvalid
from core.domain.job import Job
from core.domain.monitoring import Origin, RequestRecord, TelemetrySummary
from core.domain.proof import CheckResult, GateReport, LoadReport
from core.local.collections.base import check_limit
from core.local.collections.endpoints import EndpointVerbs
from core.local.records import telemetry
from core.local.store import transactions

CLOCK_S = 60.0
"""What a server recorded for later than this from now was recorded by a clock that was wrong."""
DEPTHS = ("default", "full")


class ProofVerbs(EndpointVerbs):
    """The gate, load report and telemetry verbs of `Workspace`."""

    def run_gate(
        self,
        endpoint: str,
        deployment: str = "",
        *,
        depth: str = "default",
        budget: GateBudget | None = None,
        by: str = "",
    ) -> Job:
        if depth not in DEPTHS:
            raise SpecInvalid(f"A gate's depth is {' or '.join(DEPTHS)}, got '{depth}'")
        known = self._store.endpoints.get(endpoint).deployments
        if not known:
            raise EndpointNotFound(f"Endpoint '{endpoint}' has no deployment", hint="Deploy a model to it first")
        spec = self._store.deployments.spec(endpoint, deployment or known[-1].name)
        wanted = replace(spec, budget=budget or spec.budget)
        loosened_by = by.strip() if wanted.budget.looser_than(spec.budget) else ""
        if wanted.budget.looser_than(spec.budget) and not loosened_by:
            raise SpecInvalid(
                f"A looser budget than that of '{spec.name}' needs the name of somebody who answers for it",
                hint="Say who you are: --by NAME. The report keeps the name",
            )
        return transactions.prove_again(self._store, endpoint, spec.name, self._gate_job(wanted, depth, loosened_by))

    def gate_progress(self, job_id: str) -> tuple[CheckResult, ...]:
        self._store.jobs.get(job_id)
        try:
            written = self._paths.gate_progress(job_id).read_bytes()
        except FileNotFoundError:
            return ()
        whole = written[: written.rfind(b"\n") + 1]  # the gate may be writing its next line just now
        return tuple(msgspec.json.decode(line, type=CheckResult) for line in whole.splitlines())

    def gate_reports(self, endpoint: str = "", deployment: str = "", limit: int = 50) -> tuple[GateReport, ...]:
        return self._store.proofs.gate_reports(endpoint, deployment, check_limit(limit))

    def load_progress(self, job_id: str) -> LoadReport | None:
        self._store.jobs.get(job_id)
        try:
            return msgspec.json.decode(self._paths.load_progress(job_id).read_bytes(), type=LoadReport)
        except FileNotFoundError:
            return None

    def load_reports(self, limit: int = 50, *, endpoint: str = "") -> tuple[LoadReport, ...]:
        return self._store.proofs.load_reports(check_limit(limit), endpoint=endpoint)

    def telemetry(
        self,
        endpoint: str,
        window_s: float = 3600.0,
        buckets: int = 60,
        *,
        origin: Origin | None = Origin.CLIENT,
    ) -> TelemetrySummary:
        if window_s <= 0 or buckets < 1:
            raise SpecInvalid(f"Telemetry needs window_s > 0 and buckets >= 1, got {window_s} and {buckets}")
        self._store.endpoints.get(endpoint)
        now = self._clock()
        folder = self._paths.telemetry(endpoint)
        return telemetry.summary(endpoint, folder, now - window_s, now, buckets, origin=origin)

    def requests(
        self, endpoint: str, limit: int = 100, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[RequestRecord, ...]:
        self._store.endpoints.get(endpoint)
        until = self._clock() + CLOCK_S
        return telemetry.newest(self._paths.telemetry(endpoint), limit, until=until, origin=origin)
