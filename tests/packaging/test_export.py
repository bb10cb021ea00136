"""A deployment as a folder: it serves elsewhere with one command, and answers identically."""

import json
import shlex
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest
from outside import free_port, running
from serving_fakes import KEY, ServerProcess
from signatures import bank_signature

from core.contract import samples
from core.domain.endpoint import EndpointLimits
from core.domain.errors import Conflict, SpecInvalid
from core.packaging.export import STARTS, export, needed_modules, pinned, third_party
from core.settings import CHECKOUT

SIGNATURE = bank_signature(exclude=["duration"])
ROWS = samples.rows(SIGNATURE, 6, seed=11)
BODIES = [
    *(samples.body(ROWS, form, method) for form in ("v1", "v2", "mlflow") for method in (None, "predict_proba")),
    *(samples.body([row]) for row in ROWS),
    samples.body([]),
    samples.body([ROWS[0] | {"job": "astronaut"}]),
    samples.body([{"age": "old"}]),
    b"not json",
    b'{"data": [], "extra": 1}',
]


def exported(model: Path, folder: Path) -> Path:
    described = {
        "endpoint": "bank-marketing",
        "name": "v1",
        "limits": asdict(EndpointLimits()),
        "deployment": {"folder": "", "model": "bank", "model_version": 1},
    }
    export(model, folder, described)
    return folder


def replies(url: str) -> list[tuple[int, bytes]]:
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    sent = [httpx.post(f"{url}/score", content=body, headers=headers, timeout=20) for body in BODIES]
    return [(reply.status_code, reply.content) for reply in sent]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    server = ServerProcess(tmp_path_factory.mktemp("original")).start()
    yield server
    server.end()


@pytest.fixture(scope="module")
def package(original, tmp_path_factory) -> Path:
    model = Path(original.files.content["deployments"]["v1"]["folder"])
    return exported(model, tmp_path_factory.mktemp("elsewhere") / "package")


def test_the_folder_serves_with_one_command_and_answers_byte_for_byte(original, package, tmp_path):
    port = free_port()
    command = [sys.executable, "serve.py", "--port", str(port), "--state", str(tmp_path / "state")]
    with running(command, package, f"http://127.0.0.1:{port}", tmp_path / "log", SLIPWAY_KEY=KEY) as url:
        assert replies(url) == replies(original.url)
        for version in ("2", "3", "3.1"):
            here, there = (httpx.get(f"{u}/swagger.json?version={version}").json() for u in (url, original.url))
            assert here == there
        assert httpx.get(f"{url}/docs/swagger-ui.css").status_code == 200
    assert KEY not in (tmp_path / "log").read_text()
    assert str(CHECKOUT) not in (tmp_path / "log").read_text()


def test_a_key_is_made_where_none_is_given_and_only_its_place_is_told(package, tmp_path):
    port = free_port()
    key_file = tmp_path / "the-key"
    command = [sys.executable, "serve.py", "--port", str(port), "--key-file", str(key_file)]
    with running(command, package, f"http://127.0.0.1:{port}", tmp_path / "log") as url:
        key = key_file.read_text().strip()
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        assert httpx.post(f"{url}/score", content=BODIES[0], headers=headers).status_code == 200
    assert key_file.stat().st_mode & 0o777 == 0o600
    log = (tmp_path / "log").read_text()
    assert str(key_file) in log
    assert key not in log


def test_the_folder_holds_no_key_no_path_of_this_machine_and_no_bytecode(original, tmp_path):
    for path in exported(Path(original.files.content["deployments"]["v1"]["folder"]), tmp_path / "new").rglob("*"):
        assert path.suffix != ".pyc"
        if path.is_file():
            content = path.read_bytes()
            assert KEY.encode() not in content
            assert str(CHECKOUT).encode() not in content
            assert path.stat().st_mode & 0o777 == 0o644


def test_a_folder_that_lacks_a_part_says_which_and_does_not_start(package, tmp_path):
    (tmp_path / "serve.py").write_bytes((package / "serve.py").read_bytes())
    ran = subprocess.run([sys.executable, "serve.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "model.json" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_folder_that_holds_something_is_left_alone(package, original):
    with pytest.raises(Conflict, match="is not empty"):
        exported(Path(original.files.content["deployments"]["v1"]["folder"]), package)


def test_a_place_where_no_folder_can_be_is_said(original, tmp_path):
    model = Path(original.files.content["deployments"]["v1"]["folder"])
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "package", Path("/proc/package")):
        with pytest.raises(SpecInvalid, match="Cannot write to"):
            exported(model, place)


def test_what_the_server_imports_is_pinned_with_hashes(package):
    requirements = (package / "requirements.txt").read_text()
    assert third_party(needed_modules(STARTS)) == {"httptools", "msgspec", "numpy"}
    for name in ("httptools", "msgspec", "numpy"):
        assert f"\n{name}==" in f"\n{requirements}"
    assert requirements.count("--hash=sha256:") > 10
    with pytest.raises(SpecInvalid, match="no line"):
        pinned(["nowhere"], requirements)


def test_the_dockerfile_copies_what_is_there_and_starts_what_runs(package):
    lines = [line for line in (package / "Dockerfile").read_text().splitlines() if line]
    words = [line.split(maxsplit=1) for line in lines]
    assert words[0] == ["FROM", "python:3.11-slim"]
    for verb, rest in words:
        if verb == "COPY":
            source = shlex.split(rest)[0]
            assert (package / source).exists()
    (command,) = [json.loads(rest) for verb, rest in words if verb == "CMD"]
    assert (package / command[1]).exists()
    assert "USER" in [verb for verb, _ in words]
    assert "--require-hashes" in " ".join(lines)
