"""A recording of real traffic has both sides of it, and nothing that opens anything."""

import json
import os
import subprocess
import sys

import emulating
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_tests.azure.recorder import SANITIZED, SECRET, address, recording, without_secrets

CLIENT = """
import os
from azure.ai.ml import MLClient
from azure.identity import EnvironmentCredential
names = [os.environ[f"AZUREML_ARM_{name}"] for name in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME")]
client = MLClient(EnvironmentCredential(), *names)
print(client.workspaces.get().name)
"""


def test_the_sdks_traffic_is_recorded_with_both_sides_and_without_secrets(tmp_path):
    """The client trusts the recorder, and the recorder passes through the emulation's own proxy."""
    path = tmp_path / "recording.json"
    with emulating.emulation(tmp_path / "emulated") as running:
        names = running.emulation.names
        with recording(
            path, {names.subscription: "0" * 8, f"/workspaces/{names.workspace}": "/workspaces/00000"}
        ) as env:
            line = [sys.executable, "-c", CLIENT]
            ran = subprocess.run(
                line, env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=True
            )
        secret = running.emulation.secret
    assert ran.stdout.strip() == names.workspace
    text = path.read_text()
    entries = json.loads(text)["Entries"]
    assert [(e["RequestMethod"], e["StatusCode"], e["ResponseBody"]["name"]) for e in entries] == [
        ("GET", 200, "emulated")
    ]
    assert entries[0]["RequestUri"].startswith("https://management.azure.com/subscriptions/00000000/resourceGroups/")
    assert secret not in text
    assert "Bearer" not in text
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "name", ["primaryKey", "accountKey", "sasUri", "accessToken", "connectionString", "adminPassword"]
)
def test_what_opens_something_is_left_out(name):
    assert without_secrets({"properties": [{name: "abc"}]}) == {"properties": [{name: SANITIZED}]}


def test_a_signed_address_loses_what_signs_it():
    assert "hush" not in address("https://a.blob.core.windows.net/c/b?sv=2020&sig=hush&comp=list")
    assert "comp=list" in address("https://a.blob.core.windows.net/c/b?sv=2020&sig=hush&comp=list")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def names_in(found):
    if isinstance(found, dict):
        return [*found, *(name for value in found.values() for name in names_in(value))]
    return [name for value in found for name in names_in(value)] if isinstance(found, list) else []


@settings(max_examples=40)
@given(JSON)
def test_everything_else_stays_as_it_was(value):
    """Names that hide something are told by their letters alone."""
    if not any(SECRET.search(name) for name in names_in(value)):
        assert without_secrets(value) == value
