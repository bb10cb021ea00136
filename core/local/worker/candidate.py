"""A scoring server for one deployment alone, away from the live one: what the gate proves."""

import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.contract.endpoint_file import EndpointFile, digest
from core.domain.endpoint import DeploymentSpec, EndpointLimits
from core.domain.errors import ServiceUnavailable
from core.domain.proof import Target
from core.local import endpoint_file
from core.local.machine import ports, processes
from core.settings import CHECKOUT, Settings

LOOK_EVERY_S = 0.05
END_GRACE_S = 5.0


class CandidateFailed(Exception):
    """The candidate does not start; the text is the cause."""


@contextmanager
def candidate(
    folder: Path, spec: DeploymentSpec, model_folder: Path, limits: EndpointLimits, settings: Settings
) -> Iterator[Target]:
    """A server of `spec` alone on a free port, with keys and telemetry of its own below `folder`.

    It ends with the block, and when this process dies. Raises CandidateFailed when it does not become ready.
    """
    key = secrets.token_urlsafe(32)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file, status, log = folder / "endpoint.json", folder / "status.json", folder / "server.log"
    (folder / "telemetry").mkdir(exist_ok=True, mode=0o700)
    status.unlink(missing_ok=True)
    told = EndpointFile(
        version=1,
        endpoint=spec.endpoint,
        host=ports.HOST,
        port=0,
        key_digests=(digest(key),),
        traffic={spec.name: 100},
        limits=limits,
        telemetry_dir=str(folder / "telemetry"),
        segment_s=settings.segment_s,
        status_file=str(status),
        deployments={spec.name: endpoint_file.deployment(spec, str(model_folder))},
    )
    endpoint_file.write(file, told)
    with _server(file, log, settings) as server:
        port = _ready_port(server, spec.name, status, log, settings.start_timeout_s)
        yield Target(f"http://{ports.HOST}:{port}", key)


@contextmanager
def _server(file: Path, log: Path, settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    """In our own process group, and tied to us by its standard input: whatever ends us ends it."""
    command = processes.python_module("core.serving", "--endpoint-file", str(file), "--tether")
    with log.open("wb") as out:
        server = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            cwd=CHECKOUT,
            env=processes.environment(settings, threads=1),
        )
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


def _ready_port(server: "subprocess.Popen[bytes]", name: str, status_file: Path, log: Path, timeout_s: float) -> int:
    """The port that the server has chosen, once its deployment is ready. Raises CandidateFailed."""
    deadline = time.monotonic() + timeout_s
    while (status := endpoint_file.read_status(status_file, [server.pid])) is None or status.version == 0:
        if server.poll() is not None:
            raise CandidateFailed(processes.last_line(log) or f"It ended with exit code {server.returncode}")
        if time.monotonic() > deadline:
            raise CandidateFailed(f"It did not start within {timeout_s:g} s")
        time.sleep(LOOK_EVERY_S)
    if (seen := status.deployments.get(name)) is None:
        raise ServiceUnavailable(f"The candidate's server does not have its deployment '{name}'")
    if seen.state != "ready":
        raise CandidateFailed(seen.error)
    return status.port
