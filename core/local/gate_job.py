"""The gate job: a deployment's own server, all checks against it, and the stored report."""

from pathlib import Path
from typing import Any

import msgspec

from core import gate
from core.domain.endpoint import GateBudget
from core.domain.proof import CheckResult, GateReport
from core.local.candidate import CandidateFailed, candidate
from core.local.shadow import shadow_of
from core.local.work import Work

SEED = 0
"""One seed for all gates: the same model meets the same requests, so a verdict can be repeated."""

STARTS = "The candidate's server loads the model and says that it is ready."


def run(work: Work) -> None:
    """Prove the deployment that the job names; the report and the job's end are one transaction.

    Raises EndpointNotFound when the deployment was deleted meanwhile.
    """
    wanted: dict[str, Any] = dict(work.job.spec)
    spec = work.store.deployment_spec(wanted["endpoint"], wanted["deployment"])
    model = work.store.model(spec.model, spec.model_version)
    budget = msgspec.convert(wanted["budget"], GateBudget)
    limits = work.store.endpoint(spec.endpoint).limits
    began = work.clock()
    landing = work.folder / "checks.jsonl"
    landing.unlink(missing_ok=True)
    try:
        with candidate(work.folder / "candidate", spec, model.folder, limits, work.settings) as target:
            checks = gate.run(
                target,
                parity=Path(model.folder) / "parity.npz",
                budget=budget,
                depth=wanted["depth"],
                seed=SEED,
                shadow=shadow_of(work, spec),
                on_check=lambda check: _land(work, landing, check),
            )
    except CandidateFailed as e:
        checks = (CheckResult("starts", "contract", False, str(e), about=STARTS),)
        _land(work, landing, checks[0])
    report = GateReport(
        id=work.job.id,
        endpoint=spec.endpoint,
        deployment=spec.name,
        model=model.ref,
        checks=checks,
        budget=budget,
        depth=wanted["depth"],
        created_at=work.clock(),
        duration_s=work.clock() - began,
    )
    work.store.end_gate(work.job.id, report, work.clock())


def _land(work: Work, landing: Path, check: CheckResult) -> None:
    """Show a check as soon as it is done: in the log for people, as a line for pages."""
    with landing.open("ab") as file:
        file.write(msgspec.json.encode(check) + b"\n")
    verdict = "passed" if check.passed else "FAILED" if check.passed is False else "not applicable"
    verdict = "no verdict" if check.no_verdict else verdict
    say = work.log.warning if check.passed is False else work.log.info
    say(f"{check.part}/{check.name}: {verdict}. {check.evidence}")
