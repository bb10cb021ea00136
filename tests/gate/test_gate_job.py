"""The gate as a job: what it leaves of the quickstart's deployment, for people to read and to repeat."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from living import Live, command

from core.domain.endpoint import GateBudget
from core.domain.errors import JobNotFound, SpecInvalid
from core.domain.proof import GateReport

PROMISED_S = 30.0


@pytest.fixture
def report(quickstart: Live) -> GateReport:
    return quickstart.workspace.proofs.gate_reports(quickstart.endpoint)[-1]


@pytest.mark.measures
def test_the_usual_depth_takes_under_half_a_minute(quickstart: Live, report: GateReport) -> None:
    if report.duration_s >= PROMISED_S:  # it ran beside other tests
        command(quickstart.home, "gate", quickstart.endpoint, "--json")
        report = quickstart.workspace.proofs.gate_reports(quickstart.endpoint)[0]
    assert (report.depth, report.duration_s < PROMISED_S) == ("default", True), report.duration_s


@pytest.mark.full
def test_the_full_depth_holds_too(quickstart: Live) -> None:
    ran = command(quickstart.home, "gate", quickstart.endpoint, "--depth", "full", "--json", timeout_s=400)
    told = json.loads(ran.stdout)
    failed = [check for check in told["checks"] if check["passed"] is False]
    assert (ran.returncode, told["passed"], failed) == (0, True, []), ran.stderr
    report = next(
        each for each in quickstart.workspace.proofs.gate_reports(quickstart.endpoint) if each.id == told["id"]
    )
    assert (report.depth, report.passed) == ("full", True)


def test_its_progress_tells_what_the_report_tells(quickstart: Live, report: GateReport) -> None:
    told = quickstart.workspace.proofs.gate_progress(report.id)
    assert told.checks == report.checks
    assert told.over == ("parity", "contract", "semantic", "wire", "performance", "shadow")
    with pytest.raises(JobNotFound):
        quickstart.workspace.proofs.gate_progress("nothing")


def test_its_commands_go_to_the_deployment_that_stays_not_to_the_candidate_that_is_gone(
    quickstart: Live, report: GateReport
) -> None:
    given = {check.name: check.curl for check in report.checks if check.curl}
    assert {"parity", "performance"} <= set(given)
    for curl in given.values():
        assert quickstart.url in curl
        assert f"azureml-model-deployment: {report.deployment}" in curl


def test_the_parity_command_runs_as_it_is_copied(quickstart: Live, report: GateReport) -> None:
    curl = next(check.curl for check in report.checks if check.part == "parity")
    environ = os.environ | {"SLIPWAY_KEY": quickstart.key}
    ran = subprocess.run(["bash", "-c", curl], env=environ, capture_output=True, text=True, check=True, timeout=20)
    assert ran.stdout.count("200") >= 1
    assert '"result"' in ran.stdout


@pytest.mark.measures
def test_the_performance_command_runs_as_it_is_copied(
    quickstart: Live, report: GateReport, apache_bench: str, tmp_path: Path
) -> None:
    load = next(check.curl for check in report.checks if check.part == "performance").replace("-t 3 ", "-t 1 ")
    environ = os.environ | {"SLIPWAY_KEY": quickstart.key}
    ran = subprocess.run(
        ["bash", "-c", load], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True, timeout=30
    )
    assert "Non-2xx" not in ran.stdout
    assert "Requests per second" in ran.stdout


def test_nobody_loosens_a_budget_without_a_name(quickstart: Live, report: GateReport) -> None:
    slower = replace(GateBudget(), p99_ms=2 * GateBudget().p99_ms)
    with pytest.raises(SpecInvalid, match="the name of the person responsible"):
        quickstart.workspace.proofs.run_gate(quickstart.endpoint, budget=slower)
    assert report.loosened_by == ""


@pytest.mark.parametrize(
    ("changed", "looser"),
    [
        ({}, False),
        ({"p99_ms": 51.0}, True),
        ({"p99_ms": 49.0}, False),
        ({"requests_per_s": 49.0}, True),
        ({"requests_per_s": 51.0}, False),
        ({"rows": 1}, True),
        ({"concurrency": 2}, True),
        ({"windows": 4}, True),
        ({"window_s": 1.0}, True),
    ],
)
def test_a_budget_is_looser_when_something_passes_it_that_the_other_refuses(
    changed: dict[str, float], looser: bool
) -> None:
    assert replace(GateBudget(), **changed).looser_than(GateBudget()) is looser
