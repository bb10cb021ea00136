"""Gates for people: what stands between each deployment and its requests."""

import time
from dataclasses import dataclass

from core.domain.endpoint import Endpoint
from core.domain.errors import JobNotFound
from core.domain.job import Job, JobKind, JobState
from core.domain.proof import GateProgress, GateReport, GateSpec
from core.ui.shell import cached
from core.ui.shell.live import FAST_S
from core.ui.shell.state import state
from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Gates:
    """An endpoint with the gate that runs or was asked for here, and the reports there are."""

    workspace: Workspace
    endpoint: Endpoint
    job: Job | None
    judged: GateProgress
    reports: tuple[GateReport, ...]
    now: float

    @property
    def running(self) -> bool:
        return self.job is not None and not self.job.state.final


def look(workspace: Workspace, endpoint: Endpoint) -> Gates:
    """An endpoint as it is now, its running gate, if any, and its reports."""
    name, can = endpoint.name, workspace.can
    listed = workspace.jobs.list(JobKind.GATE, limit=50, endpoint=name) if can("jobs.list") else ()
    active = [j for j in listed if not j.state.final]
    running = min(active, key=lambda j: (j.state is not JobState.RUNNING, j.created_at), default=None)
    job = running or _asked(workspace, name)
    runs = job is not None and not job.state.final and can("proofs.gate_progress")
    return Gates(
        workspace=workspace,
        endpoint=endpoint,
        job=job,
        judged=workspace.proofs.gate_progress(job.id) if job is not None and runs else GateProgress(),
        reports=_reports(workspace, name, listed),
        now=time.time(),
    )


def _reports(workspace: Workspace, endpoint: str, listed: tuple[Job, ...]) -> tuple[GateReport, ...]:
    """The reports there are, read again when one more gate has ended: they never change, and are long."""
    if not workspace.can("proofs.gate_reports"):
        return ()
    if not workspace.can("jobs.list"):
        return workspace.proofs.gate_reports(endpoint)
    return cached.gate_reports(endpoint, tuple(job.id for job in listed if job.state.final))


def _asked(workspace: Workspace, endpoint: str) -> Job | None:
    """The gate asked for in this session, when it was for this endpoint and is still known."""
    if not state.gate_job or not workspace.can("jobs.get"):
        return None
    try:
        job = workspace.jobs.get(state.gate_job)
    except JobNotFound:
        return None
    return job if isinstance(job.spec, GateSpec) and job.spec.endpoint == endpoint else None


def pace(seen: Gates) -> float | None:
    """Often while a gate runs, then never."""
    return FAST_S if seen.running else None
