"""What a person gives wrongly to sign in to Azure, or to say which workspace is meant: a sentence, and the way out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.azure import here as machine
from core.azure.credentials import credential
from core.azure.errors import translate
from core.azure.here import ATTEMPTS_MAX, Here, Process
from core.azure.target import read_target
from core.domain.errors import Forbidden, SpecInvalid
from core.domain.job import JobState
from core.domain.proof import GateSpec
from core.settings import Settings, read_settings

PRINCIPAL = {
    "AZURE_TENANT_ID": "5111a0ea-0000-4000-8000-00000000000a",
    "AZURE_CLIENT_ID": "c",
    "AZURE_CLIENT_SECRET": "s",
}


def settings(home: Path, **given: str) -> Settings:
    named = {f"SLIPWAY_AZURE_{name.upper()}": value for name, value in given.items()}
    return read_settings({"SLIPWAY_HOME": str(home), **named})


@pytest.mark.parametrize("name", ["../../../x", "a/b", "", "-x", "a b", "a\nb", "x?y"])
def test_a_name_that_azure_never_gives_is_refused_before_it_becomes_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpecInvalid) as refused:
        read_target(settings(tmp_path, subscription="s", resource_group="g", workspace=name))
    assert refused.value.hint


def test_two_workspaces_of_one_name_share_no_folder(tmp_path: Path) -> None:
    one, other = (
        read_target(settings(tmp_path, subscription="s", resource_group=group, workspace="same")).folder_name
        for group in ("one", "other")
    )
    same = read_target(settings(tmp_path, subscription="S", resource_group="ONE", workspace="SAME")).folder_name
    assert one == same != other


def test_a_file_of_the_sdk_v1_and_one_of_windows_name_their_workspace(tmp_path: Path) -> None:
    scope = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
    path = tmp_path / "config.json"
    path.write_text("\ufeff" + json.dumps({"Id": None, "Scope": scope}), "utf-8")
    assert read_target(settings(tmp_path, config=str(path))).path == scope


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"subscription_id": ["x"]}', "{}"])
def test_a_broken_file_is_told_with_where_to_get_another(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(SpecInvalid) as refused:
        read_target(settings(tmp_path, config=str(path)))
    assert "config.json" in f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize("missing", PRINCIPAL)
def test_a_variable_that_is_missing_is_named(missing: str) -> None:
    with pytest.raises(SpecInvalid, match=missing):
        credential("environment", {**PRINCIPAL, missing: ""})


def test_a_tenant_of_another_form_is_named_with_the_way_to_the_right_one() -> None:
    with pytest.raises(SpecInvalid, match="AZURE_TENANT_ID") as refused:
        credential("environment", {**PRINCIPAL, "AZURE_TENANT_ID": "not a tenant"})
    assert "az account show" in refused.value.hint


@pytest.mark.parametrize(
    ("said", "named"),
    [
        (
            "Authentication failed: Unable to get authority configuration for https://login.microsoftonline.com/"
            "99999999-0000-4000-8000-00000000000a. Authority would typically be in a format of https://login"
            ".microsoftonline.com/your_tenant or https://tenant_name.ciamlogin.com",
            "There is no tenant '99999999-0000-4000-8000-00000000000a' to sign in to",
        ),
        ("Authentication failed: AADSTS7000215: Invalid client secret provided.", "the client secret"),
        ("AADSTS700016: Application with identifier 'x' was not found in the directory 'y'.", "no application"),
        ("AADSTS700024: Client assertion is not within its valid time range.", "clock is wrong"),
    ],
)
def test_what_entra_says_at_length_is_one_sentence(said: str, named: str) -> None:
    error = type("ClientAuthenticationError", (Exception,), {"__module__": "azure.core.exceptions"})(said)
    ours = translate(error)
    assert isinstance(ours, Forbidden)
    assert named in ours.message
    assert len(ours.message) < 120
    assert ours.hint


def test_a_job_whose_process_dies_before_it_begins_is_not_started_for_ever(tmp_path: Path) -> None:
    started = []

    def launch(job_id: str, log: Path) -> Process:
        started.append(job_id)
        return Process(2**22 + len(started), 0.0)  # no such process

    here = Here(tmp_path / "jobs", lambda: 1_800_000_000.0, launch)
    job = here.add(GateSpec("people", "blue"), "gate")
    seen = [here.get(job.id) for _ in range(10)]
    assert seen[-1].state is JobState.FAILED
    assert "not started again" in seen[-1].message
    assert len(started) == ATTEMPTS_MAX
    assert machine.alive(Process(2**22 + 1, 0.0)) is False


LOADS = """
import builtins, sys, threading
seen = {}
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("azure", "msal", "msrest"):
            seen.setdefault(threading.current_thread().name, name)
        return None
sys.meta_path.insert(0, Watch())
from core.settings import read_settings
import core.azure.workspace, core.local.workspace, os
assert not seen, seen
core.local.workspace.open_local(read_settings(os.environ)).data.list()
assert not seen, seen
core.azure.workspace.open_azure(read_settings(os.environ))
from core.azure import sdk
sdk.module("azure.ai.ml.entities").AmlCompute(name="cpu", size="x")
sdk.module("azure.ai.ml.entities").Data(name="a", path=".")
import logging
logging.getLogger("azure.identity").warning("ClientSecretCredential.get_token failed")
assert set(seen) == {"azure-sdk"}, seen
"""


def test_the_sdk_is_imported_in_its_own_thread_alone_and_says_nothing(tmp_path: Path) -> None:
    environ = {"SLIPWAY_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", LOADS], capture_output=True, text=True, env=environ, check=False, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
