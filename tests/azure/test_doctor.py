"""`doctor` on Azure: what is wrong is said with the command that mends it, and the real ids in it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import emulating
import pytest

from core.azure.context import Context
from core.azure.doctor import account, capacity, machine
from core.azure.doctor.all import findings
from core.azure.doctor.capacity import Room, Size, Wanted
from core.azure.target import Target
from core.domain.monitoring import Finding, FindingState
from core.emulator.arm import subscription
from core.emulator.names import Names

NAMES = Names()
SCOPE = NAMES.workspace_path


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[emulating.Running]:
    with emulating.emulation(tmp_path_factory.mktemp("doctor")) as running:
        yield running


@pytest.fixture
def settings(running, tmp_path):
    return emulating.client_settings(tmp_path)


def looked(settings, folder, **context) -> dict[str, Finding]:
    """By name, the worst of a name."""
    found = findings(Context(settings, **context), folder)
    order = [FindingState.OK, FindingState.WARNING, FindingState.FAILED]
    return {finding.name: finding for finding in sorted(found, key=lambda f: order.index(f.state))}


def test_a_sound_workspace_has_nothing_that_failed(settings, tmp_path):
    found = looked(settings, tmp_path)
    assert [finding for finding in found.values() if finding.state is FindingState.FAILED] == []
    assert {"SDK", "Settings", "Credential", "Clock", "Subscription", "Workspace", "Permissions"} <= set(found)
    assert NAMES.client in found["Credential"].detail


def test_without_a_service_principal_it_says_how_to_make_one(settings, tmp_path):
    found = looked(settings, tmp_path, environ={})
    assert found["Credential"].hint.startswith(
        f'Make one: az ad sp create-for-rbac --name slipway-emulated --role "AzureML Data Scientist" --scopes {SCOPE} '
    )


def test_a_wrong_secret_is_told_from_a_wrong_principal(running, settings, tmp_path):
    right = {name: running.variables[name] for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")}
    secret = looked(settings, tmp_path, environ=right | {"AZURE_CLIENT_SECRET": "wrong"})["Credential"]
    assert f"az ad sp credential reset --id {NAMES.client}" in secret.hint
    nobody = looked(settings, tmp_path, environ=right | {"AZURE_CLIENT_ID": "5111a0ea-0000-4000-8000-0000000000ff"})
    assert "az ad sp create-for-rbac" in nobody["Credential"].hint
    assert "Subscription" not in nobody


def test_without_a_target_it_says_where_it_can_stand(settings, tmp_path):
    found = looked(replace(settings, azure_workspace=""), tmp_path)
    assert "workspace_name missing" in found["Settings"].detail
    assert "config.json" in found["Settings"].hint
    assert found["Credential"].state is FindingState.OK


@pytest.mark.parametrize(
    ("change", "name", "said"),
    [
        ({"azure_subscription": "5111a0ea-0000-4000-8000-0000000000ff"}, "Subscription", "az account list"),
        ({"azure_resource_group": "nowhere"}, "Resource group", "az group create --name nowhere"),
        ({"azure_workspace": "nothing"}, "Workspace", "az ml workspace create --name nothing"),
        ({"azure_compute": "cpu-1"}, "Cluster name", "SLIPWAY_AZURE_COMPUTE"),
    ],
)
def test_a_wrong_name_is_said_with_the_way_out(settings, tmp_path, change, name, said):
    found = looked(replace(settings, **change), tmp_path)[name]
    assert found.state is FindingState.FAILED
    assert said in found.hint


@pytest.mark.parametrize(("off_s", "state"), [(-30, "ok"), (120, "warning"), (-4000, "failed")])
def test_a_clock_that_is_wrong_is_found(settings, tmp_path, off_s, state):
    assert looked(settings, tmp_path, clock=lambda: time.time() + off_s)["Clock"].state == state


@contextmanager
def permitted(monkeypatch, *roles) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setitem(subscription.EVERYTHING, "actions", list(roles[0][0]))
        patched.setitem(subscription.EVERYTHING, "notActions", list(roles[0][1]))
        yield


def test_a_role_that_lacks_something_is_said_with_the_assignment(settings, tmp_path, monkeypatch):
    ml = "Microsoft.MachineLearningServices/workspaces"
    scientist = ([f"{ml}/*/{verb}" for verb in ("read", "write", "delete", "action")], [f"{ml}/computes/*/write"])
    with permitted(monkeypatch, scientist):
        found = looked(settings, tmp_path)["Permissions"]
    assert found.state is FindingState.WARNING
    assert found.hint == (
        f'az role assignment create --assignee {NAMES.client} --role "AzureML Compute Operator" --scope {SCOPE}'
    )
    with permitted(monkeypatch, (["*/read"], [])):
        assert "AzureML Data Scientist" in next(
            f.hint
            for f in findings(Context(settings), tmp_path)
            if f.name == "Permissions" and f.state is FindingState.FAILED
        )


@pytest.mark.parametrize(
    ("action", "actions", "not_actions", "allowed"),
    [
        ("A/b/write", ["*"], [], True),
        ("A/b/write", ["a/B/*"], [], True),
        ("A/b/write", ["*/read"], [], False),
        ("A/b/write", ["*"], ["A/*/write"], False),
        ("A/b/write", ["*"], ["A/b/*/write"], False),
        ("A/b/write", [], [], False),
    ],
)
def test_actions_are_read_as_azure_reads_them(action, actions, not_actions, allowed):
    assert account.allowed(action, [{"actions": actions, "notActions": not_actions}]) is allowed


SIZES = {
    "standard_ds3_v2": Size("Standard_DS3_v2", "standardDSv2Family", 4),
    "standard_f2s_v2": Size("Standard_F2s_v2", "standardFSv2Family", 2),
}
ROOM = Room(
    "westeurope",
    SIZES,
    [
        {"name": {"value": "Standard DSv2 Family Cluster Dedicated vCPUs"}, "currentValue": 4, "limit": 10},
        {"name": {"value": "standardFSv2Family"}, "currentValue": 0, "limit": 100},
    ],
)


def test_quota_is_found_out_before_a_deployment_is_made():
    fits = capacity.fits(Wanted("Endpoint", "Standard_DS3_v2", 1, "AZURE_INSTANCE_TYPE", 1.2), ROOM)
    assert (fits.state, fits.detail) == (
        FindingState.OK,
        "1 x Standard_DS3_v2 need 5 cores of standardDSv2Family, 6 are left",
    )
    short = capacity.fits(Wanted("Cluster", "standard_ds3_v2", 4, "AZURE_COMPUTE_SIZE"), ROOM)
    assert short.state is FindingState.FAILED
    assert short.hint.startswith("Set SLIPWAY_AZURE_COMPUTE_SIZE to Standard_F2s_v2, which fits")


def test_a_size_that_the_region_does_not_have_names_one_that_fits():
    found = capacity.fits(Wanted("Cluster", "Standard_NC6", 1, "AZURE_COMPUTE_SIZE"), ROOM)
    assert found.detail == "westeurope has no machines of size Standard_NC6"
    assert "Standard_F2s_v2" in found.hint


def test_code_and_settings_of_the_sdk_v1_are_found(tmp_path: Path):
    (tmp_path / "train.py").write_text("import os\nfrom azureml.core import Workspace\n")
    (tmp_path / "new.py").write_text("# from azureml.core, once\nfrom azure.ai.ml import MLClient\n")
    (tmp_path / "book.ipynb").write_text('{"cells": [{"source": ["import azureml.core\\n"]}]}')
    (tmp_path / "aml_config").mkdir()
    (tmp_path / "aml_config" / "project.json").write_text("{}")
    (tmp_path / ".azureml").mkdir()
    (tmp_path / ".azureml" / "config.json").write_text("{}")
    (tmp_path / ".azureml" / "local.runconfig").write_text("")
    assert [path.name for path in machine.v1_code(tmp_path)] == ["book.ipynb", "train.py"]
    assert {path.name for path in machine.v1_settings(tmp_path)} == {"project.json", "local.runconfig"}
    (found,) = [
        f for f in machine.look(Context(emulating.client_settings(tmp_path)), tmp_path) if f.name == "SDK v1 files"
    ]
    assert "2026" in found.detail
    assert "MLClient" in found.hint


def test_a_token_says_whose_it_is_and_nonsense_says_nothing():
    assert account.identity("no.token.atall").object_id == ""
    assert account.identity("").name == ""
    assert Target("s", "g", "w").path.endswith("/workspaces/w")
