"""A model folder in the scoring server of this machine, for a moment: does it start, and does it answer?"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec

from core.contract import samples
from core.contract.endpoint_file import DeploymentFile, EndpointFile, ServerStatus, digest
from core.contract.signature import from_json
from core.domain.endpoint import EndpointLimits
from core.domain.errors import SlipwayError
from core.settings import CHECKOUT

NAME = "dry-run"
LOOK_EVERY_S, END_GRACE_S = 0.05, 5.0
ROWS = 2


def dry_run(folder: Path, timeout_s: float) -> str:
    """Score two rows made from the folder's signature; what went wrong, or nothing."""
    try:
        signature = from_json(json.loads((folder / "signature.json").read_bytes()))
    except (OSError, ValueError, KeyError, SlipwayError) as e:
        return f"its signature.json cannot be read: {e}"
    with tempfile.TemporaryDirectory(prefix="slipway-dry-run-") as place:
        key = secrets.token_urlsafe(32)
        with _server(Path(place), folder, key) as server:
            status, cause = _status(server, Path(place), timeout_s)
            if status is None:
                return cause
            body = samples.body(samples.rows(signature, ROWS, seed=7))
            return _asked(f"http://127.0.0.1:{status.port}/score", key, body, timeout_s)


@contextmanager
def _server(place: Path, folder: Path, key: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Tied to this process by its standard input: whatever ends us ends it."""
    (place / "telemetry").mkdir(mode=0o700)
    told = EndpointFile(
        version=1,
        endpoint=NAME,
        host="127.0.0.1",
        port=0,
        key_digests=(digest(key),),
        traffic={NAME: 100},
        limits=EndpointLimits(),
        telemetry_dir=str(place / "telemetry"),
        status_file=str(place / "status.json"),
        deployments={NAME: DeploymentFile(folder=str(folder), model=NAME, model_version=1)},
    )
    (place / "endpoint.json").write_bytes(msgspec.json.encode(told))
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    with (place / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "core.serving", "--endpoint-file", str(place / "endpoint.json"), "--tether"],
            stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=CHECKOUT,
            env=kept | {"PYTHONPATH": str(CHECKOUT), "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    assert server.stdin is not None
    try:
        yield server
    finally:
        server.stdin.close()
        try:
            server.wait(END_GRACE_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _status(server: "subprocess.Popen[bytes]", place: Path, timeout_s: float) -> tuple[ServerStatus | None, str]:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = _read(place / "status.json")
        if found is not None and found.version and NAME in found.deployments:
            seen = found.deployments[NAME]
            return (found, "") if seen.state == "ready" else (None, f"the local server does not load it: {seen.error}")
        if server.poll() is not None:
            return None, f"the local server ends: {_last_line(place / 'server.log')}"
        time.sleep(LOOK_EVERY_S)
    return None, f"the local server was not up within {timeout_s:g} s"


def _read(path: Path) -> ServerStatus | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=ServerStatus)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _asked(url: str, key: str, body: bytes, timeout_s: float) -> str:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    try:
        with httpx.Client(trust_env=False, timeout=timeout_s) as client:
            reply = client.post(url, content=body, headers=headers)
    except httpx.HTTPError as e:
        return f"the local server does not answer: {e}"
    return "" if reply.status_code == 200 else f"the local server answers {reply.status_code}: {reply.text[:300]}"


def _last_line(path: Path) -> str:
    lines = path.read_text("utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "without a word"
