"""Gates and load tests."""

import msgspec

from core.domain.endpoint import GateBudget
from core.domain.errors import EndpointNotFound, SpecInvalid
from core.domain.job import Job
from core.domain.proof import DEPTHS, GateProgress, GateReport, LoadReport
from core.domain.rules import check_limit
from core.local.context import Context
from core.local.queue import gate_job
from core.local.store import transactions
from core.work import landing as gate_landing
from core.workspace.proofs import Proofs


class LocalProofs(Proofs):
    """Gates and load tests are jobs: their reports are kept in the store, their progress in the job's folder."""

    def __init__(self, context: Context) -> None:
        self._context = context

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
        known = self._context.store.endpoints.get(endpoint).deployments
        if not known:
            raise EndpointNotFound(f"Endpoint '{endpoint}' has no deployment", hint="Deploy a model to it first")
        spec = self._context.store.deployments.spec(endpoint, deployment or known[-1].name)
        looser = budget is not None and budget.looser_than(spec.budget)
        loosened_by = by.strip() if looser else ""
        if looser and not loosened_by:
            raise SpecInvalid(
                f"A looser budget than that of '{spec.name}' needs the name of the person responsible",
                hint="Give it with --by NAME; the report records it",
            )
        gate = gate_job(self._context, spec, depth, budget, loosened_by)
        return transactions.prove_again(self._context.store, endpoint, spec.name, gate)

    def gate_progress(self, job_id: str) -> GateProgress:
        self._context.store.jobs.get(job_id)
        return gate_landing.read(self._context.paths.gate_progress(job_id))

    def gate_reports(self, endpoint: str = "", deployment: str = "", limit: int = 50) -> tuple[GateReport, ...]:
        return self._context.store.proofs.gate_reports(endpoint, deployment, check_limit(limit))

    def load_progress(self, job_id: str) -> LoadReport | None:
        self._context.store.jobs.get(job_id)
        try:
            return msgspec.json.decode(self._context.paths.load_progress(job_id).read_bytes(), type=LoadReport)
        except FileNotFoundError:
            return None

    def load_reports(self, endpoint: str = "", limit: int = 50) -> tuple[LoadReport, ...]:
        return self._context.store.proofs.load_reports(check_limit(limit), endpoint=endpoint)
