"""What was proven about endpoints: gates and load tests, running and kept."""

from core.domain.endpoint import GateBudget
from core.domain.job import Job
from core.domain.proof import GateProgress, GateReport, LoadReport
from core.workspace.collection import Collection


class Proofs(Collection):
    """What was proven about endpoints: gates and load tests, running and kept."""

    noun = "proofs"

    def run_gate(
        self,
        endpoint: str,
        deployment: str = "",
        *,
        depth: str = "default",
        budget: GateBudget | None = None,
        by: str = "",
    ) -> Job:
        """Queue a gate for a deployment (empty: the only or the newest one), by its own budget unless one is given.

        It never changes traffic. Until it has a verdict, the last gate that had one decides what
        `endpoints.set_traffic` allows. `depth` is `default` or `full`. Raises EndpointNotFound (also where nothing is
        deployed), SpecInvalid for a budget looser than the deployment's for which nobody answers by name in `by`.
        """
        self._cannot("run_gate")

    def gate_progress(self, job_id: str) -> GateProgress:
        """What a gate has judged so far and which parts are over; nothing before it has begun. Raises JobNotFound."""
        self._cannot("gate_progress")

    def gate_reports(self, endpoint: str = "", deployment: str = "", limit: int = 50) -> tuple[GateReport, ...]:
        """The newest `limit` stored gate reports, of one endpoint or deployment or of all.

        A report has the id of its gate's job.
        """
        self._cannot("gate_reports")

    def load_progress(self, job_id: str) -> LoadReport | None:
        """What a load test has met so far, once a second; None before its first figures. Raises JobNotFound."""
        self._cannot("load_progress")

    def load_reports(self, endpoint: str = "", limit: int = 50) -> tuple[LoadReport, ...]:
        """The newest `limit` stored load reports, of one endpoint or of all."""
        self._cannot("load_reports")
