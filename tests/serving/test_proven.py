"""A deployment keeps the contract whatever its settings are: the checks that a gate asks find nothing."""

from typing import Any

import pytest
from serving_fakes import KEY, ServerProcess
from turns import in_turn

from core.checks import Profile, run_checks
from core.domain.proof import Target

SETTINGS: list[dict[str, Any]] = [
    {"legacy_reply": True},
    {"primary_form": "v2"},
    {"primary_form": "mlflow"},
    {"unseen_categories": "accept"},
    {"legacy_reply": True, "primary_form": "v2", "unseen_categories": "accept"},
]


@pytest.mark.contract("B7", "C3", "D2")
@pytest.mark.usefixtures("less_effort")
@pytest.mark.parametrize("settings", in_turn(SETTINGS, len(SETTINGS), " ".join))
def test_every_setting_of_a_deployment_can_be_proven(tmp_path, settings: dict[str, Any]):
    server = ServerProcess(tmp_path)
    plain = server.files.content["deployments"]["v1"]
    server.files.write(deployments={"v1": plain | settings})
    server.start()
    try:
        results = run_checks(Target(server.url, KEY), profile=Profile.SLIPWAY)
    finally:
        server.end()
    assert len(results) > 50
    assert [(result.name, result.evidence) for result in results if result.passed is False or result.no_verdict] == []
