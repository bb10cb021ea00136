"""Code that a client sends to serve a model (score.py, an MLflow model): refused, or each in a process of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.emulator.assets import located
from core.emulator.emulation import Emulation
from core.emulator.endpoints import logs, models, places
from core.emulator.endpoints.checks import refused
from core.emulator.endpoints.places import Place
from core.emulator.messages import Document

WITHOUT = (
    "The emulation runs code of a client only where it was started with --allow-code, and this deployment {why}. "
    "A model that Slipway has trained or packaged is served without any code."
)
SERVER = Path(__file__).with_name("code_server.py")
LOOPBACK = "127.0.0.1"
START_MAX_S = 60.0
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "HOME")
"""All that such a process gets of our environment: no key, and no address of the emulation."""


@dataclass
class Child:
    """A process that serves, and where it listens."""

    process: subprocess.Popen[bytes]
    port: int
    began: float
    ready: bool = False


_CHILDREN: dict[tuple[Path, str], Child] = {}
_LOCK = threading.Lock()


def bring(emulation: Emulation, place: Place, kept: Document, model: models.Named | None) -> None:
    """Have `init` and `run` of the scoring script serve. Raises AzureError where that is not allowed."""
    configuration = kept["properties"]["codeConfiguration"]
    script = str(configuration.get("scoringScript") or "")
    _allowed(emulation, f"has the scoring script '{script}'")
    folder = _fresh(emulation, kept)
    _download(emulation, str(configuration.get("codeId") or ""), folder / "code")
    if not script or not (folder / "code" / script).resolve().is_relative_to((folder / "code").resolve()):
        raise refused(f"The scoring script '{script}' is no file of the code.", "BadArgument")
    if not (folder / "code" / script).is_file():
        raise refused(f"The scoring script '{script}' was not found in the code.", "BadArgument")
    target = folder / "azureml-models"
    if model:
        target = target / model.name / model.version
        _download(emulation, model.uri, target, named=True)
    _begin(emulation, place, kept, {"script": str(folder / "code" / script), "model": str(target)})


def bring_mlflow(emulation: Emulation, place: Place, kept: Document, root: Path) -> None:
    """Have an MLflow model of another maker serve by MLflow itself."""
    kinds = ", ".join(models.flavors(root)) or "unknown"
    _allowed(emulation, f"has an MLflow model of another maker (flavors: {kinds}), which runs code when it is loaded")
    folder = _fresh(emulation, kept)
    shutil.copytree(root, folder / "model" / "model")
    _begin(emulation, place, kept, {"mlflow": str(folder / "model" / "model"), "model": str(folder / "model")})


def _allowed(emulation: Emulation, why: str) -> None:
    if not emulation.options.allow_code:
        raise refused(WITHOUT.format(why=why), "CodeNotAllowed")


def _fresh(emulation: Emulation, kept: Document) -> Path:
    stop(emulation, kept["id"])
    folder = logs.file_of(emulation, kept["id"]).parent / "files"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    return folder


def _download(emulation: Emulation, uri: str, folder: Path, *, named: bool = False) -> None:
    """Lay what is at an address into a folder; a folder among it keeps its name there, if `named`, as models do."""
    place = located(emulation, uri)
    found = place.blobs(emulation)
    if not found:
        raise refused(f"There are no files at '{uri}'.", "ResourceNotFound", 404)
    if named and all(blob.name != place.name for blob in found):
        folder = folder / place.name.strip("/").rpartition("/")[2]
    folder.mkdir(parents=True, exist_ok=True)
    models.copy_blobs(emulation, found, place.name, folder)


def _begin(emulation: Emulation, place: Place, kept: Document, what: dict[str, str]) -> None:
    place.deployments[kept["name"].lower()] = {"name": kept["name"], "code": what, "id": kept["id"]}
    places.keep(emulation, place)
    _spawn(emulation, kept["id"], what, kept["properties"]["environmentVariables"])


def _spawn(emulation: Emulation, deployment_id: str, what: dict[str, str], variables: dict[str, str]) -> Child:
    port = _free_port()
    environ = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environ |= {str(name): str(value) for name, value in variables.items()}
    environ |= {"AZUREML_MODEL_DIR": what["model"], "PYTHONUNBUFFERED": "1"}
    path = logs.file_of(emulation, deployment_id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, str(SERVER), json.dumps({"port": port, **what})],
            stdin=subprocess.PIPE,  # it ends when we do: reading from it says so
            stdout=log,
            stderr=log,
            env=environ,
            cwd=Path(what.get("script") or what["model"]).parent,
            start_new_session=True,
        )
    child = Child(process, port, time.monotonic())
    with _LOCK:
        alone = not any(folder == emulation.folder for folder, _ in _CHILDREN)
        _CHILDREN[emulation.folder, deployment_id.lower()] = child
    if alone:
        threading.Thread(target=_end_with, args=(emulation,), name="emulation-code", daemon=True).start()
    return child


def state(emulation: Emulation, resource: Document) -> str | None:
    """Why it does not serve; empty once it does, None while it starts."""
    child = _CHILDREN.get((emulation.folder, resource["id"].lower()))
    if child is None:
        return "The process is gone"
    if (code := child.process.poll()) is not None:
        return f"The process ended with exit code {code}: {_last_line(emulation, resource['id'])}"
    if _listens(child):
        return ""
    if time.monotonic() - child.began > START_MAX_S:
        stop(emulation, resource["id"])
        return f"The liveness probe has failed for {START_MAX_S:.0f} s"
    return None


def port_of(emulation: Emulation, deployment: Document, what: dict[str, str]) -> int | None:
    """Where a deployment's process listens; one that is gone is started once more. None while it starts or fails."""
    key = (emulation.folder, deployment["id"].lower())
    child = _CHILDREN.get(key)
    if child is None and emulation.options.allow_code:
        child = _spawn(emulation, deployment["id"], what, deployment["properties"]["environmentVariables"])
        while child.process.poll() is None and not _listens(child) and time.monotonic() - child.began < START_MAX_S:
            time.sleep(0.05)
    return child.port if child and child.process.poll() is None and _listens(child) else None


def stop(emulation: Emulation, deployment_id: str) -> None:
    """End its process, and all that this has started."""
    with _LOCK:
        child = _CHILDREN.pop((emulation.folder, deployment_id.lower()), None)
    if child is not None:
        _end(child)


def _end_with(emulation: Emulation) -> None:
    """When the emulation stops, so do the processes that it has started."""
    emulation.stopping.wait()
    for folder, deployment_id in list(_CHILDREN):
        if folder == emulation.folder:
            stop(emulation, deployment_id)


def _end(child: Child) -> None:
    if child.process.stdin:
        child.process.stdin.close()
    with suppress(ProcessLookupError):
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()


def _listens(child: Child) -> bool:
    if not child.ready:
        try:
            socket.create_connection((LOOPBACK, child.port), timeout=0.5).close()
            child.ready = True
        except OSError:
            return False
    return True


def _last_line(emulation: Emulation, deployment_id: str) -> str:
    lines = logs.file_of(emulation, deployment_id).read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
