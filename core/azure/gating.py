"""The gate job: the new deployment on Azure, reached by header, and its report kept as an asset of the workspace."""

from dataclasses import replace
from pathlib import Path

from core import gate
from core.azure import reports
from core.azure.deployments import Deployments
from core.azure.network import network_ms
from core.azure.packing import folder_of
from core.azure.serving import Served
from core.azure.shadowing import shadow_of
from core.azure.work import Work
from core.checks import Profile
from core.domain.endpoint import DEPLOYMENT_HEADER, DeploymentState
from core.domain.errors import Conflict
from core.domain.monitoring import Origin
from core.domain.proof import CheckResult, GateReport, GateResult, GateSpec
from core.work import landing

SEED = 0
"""One seed for all gates: the same model meets the same requests, so a verdict can be repeated."""
STARTS = "Azure starts the deployment and it becomes ready."
PARITY_FILE = "parity.npz"
NOT_PROVEN = (
    "not proven: the model was not packaged by Slipway, so nothing tells what it answered in training; the other parts"
    " were judged"
)


def run(work: Work, spec: GateSpec) -> GateResult:
    """Prove a deployment as soon as it is ready; where it passes and nobody has given traffic, it gets all of it.

    Raises EndpointNotFound when it is deleted meanwhile.
    """
    began = work.clock()
    deployments = Deployments(work.context)
    found = deployments.ended(spec.endpoint, spec.deployment)
    checks = _judged(work, spec, found, deployments)
    report = GateReport(
        id=work.job.id, endpoint=spec.endpoint, deployment=spec.deployment, model=found.ref, checks=checks,
        budget=spec.budget, depth=spec.depth, created_at=work.clock(), duration_s=work.clock() - began,
        loosened_by=spec.loosened_by,
    )  # fmt: skip
    reports.keep_gate(work.context, work.folder / "report.json", report, found)
    if report.passed and spec.first_gate is None:
        _begin_traffic(work, spec)
    return GateResult(report.verdict, report.id)


def _begin_traffic(work: Work, spec: GateSpec) -> None:
    """100 % where the map is empty, since nobody has given or taken any yet."""
    endpoint = work.workspace.endpoints.get(spec.endpoint)
    if endpoint.traffic:
        return
    try:
        all_of_it = {spec.deployment: 100}
        work.workspace.endpoints.set_traffic(spec.endpoint, all_of_it, force=True, by="the gate", expected={})
        work.log.info(f"'{spec.deployment}' has 100 % of the traffic")
    except Conflict as e:
        work.log.warning(f"'{spec.deployment}' has passed and gets no traffic: {e.message}")


def _judged(work: Work, spec: GateSpec, found: Served, deployments: Deployments) -> tuple[CheckResult, ...]:
    progress = work.folder / landing.FILE
    progress.unlink(missing_ok=True)
    if found.state is DeploymentState.FAILED:
        cause = deployments.cause(found) or "Azure tells no cause; the log of its container is empty"
        failed = CheckResult("starts", "contract", False, f"The deployment failed: {cause}", about=STARTS)
        _land(work, progress, failed)
        return (failed,)
    target = work.workspace.endpoints.target(spec.endpoint, Origin.GATE)
    target = replace(target, headers={**target.headers, DEPLOYMENT_HEADER: spec.deployment})
    parity = _parity(work, found)
    away_ms = network_ms(target)
    work.log.info(f"The way to Azure and back takes {away_ms:.1f} ms; it is not counted as the server's")

    def tell(check: CheckResult) -> None:
        _land(work, progress, _named(check, parity))

    checks = gate.run(
        target, parity=parity, budget=spec.budget, depth=spec.depth, seed=SEED, shadow=shadow_of(work, found),
        on_check=tell, on_over=lambda parts: landing.end(progress, parts), profile=Profile.AZURE, away_ms=away_ms,
    )  # fmt: skip
    return tuple(_named(check, parity) for check in checks)


def _named(check: CheckResult, parity: Path | None) -> CheckResult:
    return replace(check, evidence=NOT_PROVEN) if check.part == "parity" and parity is None else check


def _parity(work: Work, found: Served) -> Path | None:
    """The rows that the model was packaged with, where Slipway has packaged it."""
    folder = folder_of(work.context, work.workspace.models, found.model, found.model_version)
    return path if (path := folder / PARITY_FILE).exists() else None


def _land(work: Work, progress: Path, check: CheckResult) -> None:
    landing.land(progress, check)
    verdict = "" if check.passed is None else "passed. " if check.passed else "FAILED. "
    say = work.log.warning if check.passed is False else work.log.info
    say(f"{check.part}/{check.name}: {verdict}{check.evidence}")
