"""The gate job: a deployment's own server, all checks against it, and the stored report."""

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from core import gate
from core.checks import Profile
from core.domain.endpoint import DEPLOYMENT_HEADER, DeploymentSpec, Endpoint
from core.domain.proof import CheckResult, GateReport, GateSpec, Target
from core.local.machine.failpoints import Failpoint, reach
from core.local.store import transactions
from core.local.worker.candidate import CandidateFailed, candidate
from core.local.worker.shadow import shadow_of
from core.local.worker.work import Work
from core.work import landing as gate_landing

SEED = 0
"""One seed for all gates: the same model meets the same requests, so a verdict can be repeated."""

COMMAND = re.compile(r"^(curl |ab )", re.MULTILINE)

STARTS = "The candidate's server loads the model and becomes ready."


def run(work: Work, wanted: GateSpec) -> None:
    """Prove the deployment that the job names; the report and the job's end are one transaction.

    Raises EndpointNotFound when the deployment was deleted meanwhile.
    """
    spec = work.store.deployments.spec(wanted.endpoint, wanted.deployment)
    model = work.store.models.get(spec.model, spec.model_version)
    folder = work.paths.model(model.name, model.job_id, model.trial)
    endpoint = work.store.endpoints.get(spec.endpoint)
    began = work.clock()
    checks = _judged(work, wanted, spec, folder, endpoint)
    report = GateReport(
        id=work.job.id,
        endpoint=spec.endpoint,
        deployment=spec.name,
        model=model.ref,
        checks=checks,
        budget=wanted.budget,
        depth=wanted.depth,
        created_at=work.clock(),
        duration_s=work.clock() - began,
        loosened_by=wanted.loosened_by,
    )
    reach(Failpoint.GATE_JUDGED)
    transactions.end_gate(work.store, work.job.id, report, work.clock())


def _judged(
    work: Work, wanted: GateSpec, spec: DeploymentSpec, folder: Path, endpoint: Endpoint
) -> tuple[CheckResult, ...]:
    """All checks of the model in `folder`, served by a candidate that is gone when they are done."""
    landing = work.paths.gate_progress(work.job.id)
    landing.unlink(missing_ok=True)
    try:
        with candidate(work.folder / "candidate", spec, folder, endpoint.limits, work.settings) as target:
            checks = gate.run(
                target,
                parity=folder / "parity.npz",
                budget=wanted.budget,
                depth=wanted.depth,
                seed=SEED,
                shadow=shadow_of(work, spec),
                on_check=lambda check: _land(work, landing, _lasting(check, target, endpoint, spec.name)),
                on_over=lambda parts: gate_landing.end(landing, parts),
                profile=Profile.SLIPWAY,
            )
        return tuple(_lasting(check, target, endpoint, spec.name) for check in checks)
    except CandidateFailed as e:
        failed = CheckResult("starts", "contract", False, str(e), about=STARTS)
        _land(work, landing, failed)
        return (failed,)


def _lasting(check: CheckResult, candidate: Target, endpoint: Endpoint, deployment: str) -> CheckResult:
    """The check with commands that still work when the candidate is gone: sent to this deployment of the endpoint."""
    header = f"-H '{DEPLOYMENT_HEADER}: {deployment}' "
    here, there = urlsplit(candidate.url).netloc, urlsplit(endpoint.scoring_uri).netloc
    return replace(check, curl=COMMAND.sub(rf"\1{header}", check.curl).replace(here, there))


def _land(work: Work, landing: Path, check: CheckResult) -> None:
    """Show a check as soon as it is done: in the log for people, as a line for pages."""
    gate_landing.land(landing, check)
    # Where it is None, the evidence begins with what it is: not applicable, or no verdict.
    verdict = "" if check.passed is None else "passed. " if check.passed else "FAILED. "
    say = work.log.warning if check.passed is False else work.log.info
    say(f"{check.part}/{check.name}: {verdict}{check.evidence}")
