"""Gates and load tests of endpoints on Azure: jobs of this machine, and reports that the workspace keeps."""

import msgspec

from core.azure import gates, reports
from core.azure.context import Context
from core.azure.deployments import Deployments
from core.domain.endpoint import GateBudget
from core.domain.errors import EndpointNotFound, SpecInvalid
from core.domain.job import Job
from core.domain.proof import DEPTHS, GateProgress, GateReport, GateSpec, LoadReport
from core.domain.rules import check_limit
from core.work import landing
from core.workspace.endpoints import Endpoints
from core.workspace.proofs import Proofs


class AzureProofs(Proofs):
    """What is going on is known to the machine that does it; what came of it, to everybody."""

    def __init__(self, context: Context, endpoints: Endpoints) -> None:
        self._context, self._endpoints = context, endpoints
        self._deployments = Deployments(context)

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
        known = self._deployments.of(endpoint)
        if not known:
            raise EndpointNotFound(f"Endpoint '{endpoint}' has no deployment", hint="Deploy a model to it first")
        found = self._deployments.get(endpoint, deployment) if deployment else known[-1]
        looser = budget is not None and budget.looser_than(found.budget)
        loosened_by = by.strip() if looser else ""
        if looser and not loosened_by:
            raise SpecInvalid(
                f"A looser budget than that of '{found.name}' needs the name of the person responsible",
                hint="Give it with --by NAME; the report records it",
            )
        first = gates.proven(self._context, found).job_id
        spec = GateSpec(endpoint, found.name, depth, budget or found.budget, loosened_by, first_gate=first)
        return self._context.here.add(spec, gates.EXPERIMENT)

    def gate_progress(self, job_id: str) -> GateProgress:
        self._context.here.get(job_id)
        return landing.read(self._context.here.folder(job_id) / landing.FILE)

    def gate_reports(self, endpoint: str = "", deployment: str = "", limit: int = 50) -> tuple[GateReport, ...]:
        return reports.gate_reports(self._context, endpoint, deployment, check_limit(limit))

    def load_progress(self, job_id: str) -> LoadReport | None:
        self._context.here.get(job_id)
        try:
            told = (self._context.here.folder(job_id) / reports.LOAD_PROGRESS).read_bytes()
        except FileNotFoundError:
            return None
        return msgspec.json.decode(told, type=LoadReport)

    def load_reports(self, endpoint: str = "", limit: int = 50) -> tuple[LoadReport, ...]:
        return reports.load_reports(self._context, endpoint, check_limit(limit))
