"""The emulation around a command, and as a server of its own."""

import json
import ssl
import subprocess
import sys
import time

import httpx
import living
import pytest
from turns import AZURE_DAYS, on_day

from core.settings import CHECKOUT

READ = """
import os, urllib.request, urllib.error
try:
    urllib.request.urlopen("https://management.azure.com/subscriptions?api-version=2022-12-01")
except urllib.error.HTTPError as e:
    print(e.code, os.environ["AZUREML_ARM_WORKSPACE_NAME"])
raise SystemExit(7)
"""


def core(*words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "core", *words]
    return subprocess.run(line, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(autouse=True)
def _nothing_lives_on(tmp_path):
    yield
    living.close(tmp_path / "workspace")


@on_day(1, AZURE_DAYS)
def test_a_command_runs_inside_the_emulation_and_its_exit_code_is_passed_on(tmp_path):
    """An ordinary client asks Azure's own host, over TLS, and is asked for a token."""
    config = tmp_path / "config.json"
    ran = core("azure", "emulate", "--config", str(config), "--", sys.executable, "-c", READ)
    assert (ran.returncode, ran.stdout.split()) == (7, ["401", "emulated"]), ran.stderr
    assert json.loads(config.read_text())["workspace_name"] == "emulated"


HOSTILE = {
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "*,azure.com,.azure.com,management.azure.com"),
    **dict.fromkeys(("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY"), "http://203.0.113.9:3128"),
    "REQUESTS_CA_BUNDLE": "/nowhere.pem",
    "SSL_CERT_FILE": "/nowhere.pem",
    "AZURE_CLIENT_SECRET": "a real one",
}
"""What a shell at work may have: none of it may lead past the emulation."""
WATCH = """
import os, sys
def watch(event, args):
    if event == "socket.connect" and isinstance(args[1], tuple) and not str(args[1][0]).startswith(("127.", "::1")):
        open(os.environ["SEEN"], "a").write(f"connect {args[1]}\\n")
    if event == "socket.getaddrinfo" and args[0] not in (None, "127.0.0.1", "localhost", "::1", b"127.0.0.1"):
        open(os.environ["SEEN"], "a").write(f"resolve {args[0]}\\n")
sys.addaudithook(watch)
"""
"""Every process of the emulation and of its command notes whom it wants to reach or look up, but for this machine."""
ASK = """
import requests, httpx, urllib.request, urllib.error
where = "https://management.azure.com/subscriptions?api-version=2022-12-01"
print(requests.get(where).status_code, httpx.get(where).status_code)
try:
    urllib.request.urlopen(where)
except urllib.error.HTTPError as e:
    print(e.code)
for other in ("https://example.org", "http://example.org", "http://169.254.169.254/metadata"):
    try:
        answer = requests.get(other, timeout=5)
        print(answer.status_code, answer.reason)
    except requests.RequestException as e:
        print("refused" if "403" in str(e) or "no host of Azure" in str(e) else e)
"""


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """A hostile environment in which every process notes what it reaches out for; gives the file of the notes."""
    (tmp_path / "watching").mkdir()
    (tmp_path / "watching" / "sitecustomize.py").write_text(WATCH)
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "watching"))
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    return tmp_path / "seen"


@on_day(2, AZURE_DAYS)
def test_nothing_leaks_whatever_the_environment_says(watched):
    ran = core("azure", "emulate", "--", sys.executable, "-c", ASK)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[:2] == ["401 401", "401"]
    assert ran.stdout.splitlines()[2] == "refused"
    assert all(line.startswith("403") for line in ran.stdout.splitlines()[3:])
    assert not watched.exists(), watched.read_text()


def test_a_watch_that_sees_nothing_would_prove_nothing(watched):
    once = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('203.0.113.9', 9))"
    subprocess.run([sys.executable, "-c", once], check=False, capture_output=True)
    assert "203.0.113.9" in watched.read_text()


@pytest.mark.full
def test_the_sdk_with_its_telemetry_on_neither_leaks_nor_hangs(watched):
    script = """
import os
from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential
names = [os.environ["AZUREML_ARM_" + x] for x in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME")]
client = MLClient(DefaultAzureCredential(), *names, enable_telemetry=True)
print(client.workspaces.get(names[2]).name)
"""
    started = time.monotonic()
    ran = core("azure", "emulate", "--", sys.executable, "-c", script)
    assert (ran.returncode, ran.stdout.strip()) == (0, "emulated"), ran.stderr
    assert time.monotonic() - started < 50
    assert not watched.exists(), watched.read_text()


def started_emulation(home, *words):
    """An emulation that runs by itself, and the variables that it printed."""
    line = [sys.executable, "-m", "core", "azure", "emulate", "--json", "--home", str(home), *words]
    process = subprocess.Popen(line, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return process, json.loads(process.stdout.readline())


def token_of(variables):
    form = {
        "grant_type": "client_credentials", "client_id": variables["AZURE_CLIENT_ID"],
        "client_secret": variables["AZURE_CLIENT_SECRET"], "scope": "https://management.azure.com/.default",
    }  # fmt: skip
    where = f"https://login.microsoftonline.com/{variables['AZURE_TENANT_ID']}/oauth2/v2.0/token"
    with reaching(variables) as client:
        return client.post(where, data=form).json()["access_token"]


def reaching(variables, **more):
    trusted = ssl.create_default_context(cafile=variables["SSL_CERT_FILE"])
    return httpx.Client(proxy=variables["HTTPS_PROXY"], verify=trusted, trust_env=False, **more)


def store_at(variables):
    return (
        f"https://management.azure.com/subscriptions/{variables['AZUREML_ARM_SUBSCRIPTION']}/resourceGroups/"
        f"{variables['AZUREML_ARM_RESOURCEGROUP']}/providers/Microsoft.MachineLearningServices/workspaces/"
        f"{variables['AZUREML_ARM_WORKSPACE_NAME']}/datastores/kept?api-version=2023-10-01"
    )


@on_day(1, AZURE_DAYS)
def test_what_was_made_is_there_after_a_kill_and_nothing_of_it_is_for_others(tmp_path):
    home = tmp_path / "workspace"
    body = {"properties": {"datastoreType": "AzureBlob", "accountName": "elsewhere", "containerName": "files",
                           "credentials": {"credentialsType": "None"}}}  # fmt: skip
    first, variables = started_emulation(home)
    try:
        with reaching(variables, headers={"Authorization": f"Bearer {token_of(variables)}"}) as client:
            assert client.put(store_at(variables), json=body).status_code == 201
        second = core("azure", "emulate", "--home", str(home))
        assert second.returncode == 1
        assert "Another process emulates Azure over this workspace" in second.stderr
    finally:
        first.kill()
        first.communicate()
    before = variables["AZURE_CLIENT_SECRET"]
    third, variables = started_emulation(home)
    try:
        with reaching(variables, headers={"Authorization": f"Bearer {token_of(variables)}"}) as client:
            assert client.get(store_at(variables)).json()["name"] == "kept"
    finally:
        third.terminate()
        _, said = third.communicate(timeout=20)
    kept = [path for path in (home / "emulation").rglob("*") if path.is_file()]
    assert kept
    assert [path for path in kept if path.stat().st_mode & 0o077] == []
    for secret in (before, variables["AZURE_CLIENT_SECRET"]):
        assert [path for path in home.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()] == []
        assert secret not in said


UP_WITHIN_S = 3.0


@on_day(1, AZURE_DAYS)
def test_it_is_soon_up(tmp_path, record_property):
    """The bound is generous, since the machine does other things too; alone it takes about a second."""
    started = time.monotonic()
    process, _ = started_emulation(tmp_path / "workspace")
    took = time.monotonic() - started
    process.terminate()
    process.communicate(timeout=20)
    record_property("up_s", took)
    assert took < 4 * UP_WITHIN_S


@on_day(2, AZURE_DAYS)
def test_a_command_that_a_signal_ended_says_so_as_a_shell_does():
    word = "import os; os.kill(os.getpid(), 9)"
    assert core("azure", "emulate", "--", sys.executable, "-c", word).returncode == 128 + 9


@on_day(2, AZURE_DAYS)
def test_whoever_stops_the_emulation_stops_its_command(tmp_path):
    words = "import time; print('up', flush=True); time.sleep(60)"
    line = [sys.executable, "-m", "core", "azure", "emulate", "--home", str(tmp_path / "workspace"), "--"]
    process = subprocess.Popen(
        [*line, sys.executable, "-c", words], cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline().strip() == "up"
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 128 + 15


@on_day(2, AZURE_DAYS)
def test_a_command_that_is_not_there_is_named():
    ran = core("azure", "emulate", "--", "no-such-program")
    assert ran.returncode == 2
    assert "'no-such-program' cannot be run" in ran.stderr
