"""A step that runs code of the definition's own, as on one machine: the same file of inputs, the same outputs."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from core.azure.pipelines.package import OWN
from core.domain.errors import StepFailed
from core.domain.pipeline import PipelineStep, StepKind, ValueType
from core.domain.plain import plain
from core.domain.step_settings import CommandSettings, PythonSettings
from core.domain.steps import typed

INPUTS, OUTPUTS, CHECKPOINT = "SLIPWAY_STEP_INPUTS", "SLIPWAY_STEP_OUTPUTS", "SLIPWAY_STEP_CHECKPOINT"
PYTHON = ("python", "python3")
FILES, PLAIN = "files", "outputs.json"
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "CONDA_PREFIX")
"""What the program sees of ours: no key, no address."""
CALL = """
import importlib, json, os, pathlib, shutil, sys
sys.path.insert(0, os.getcwd())
told = json.loads(pathlib.Path(os.environ["SLIPWAY_STEP_INPUTS"]).read_text("utf-8"))
place = pathlib.Path(os.environ["SLIPWAY_STEP_OUTPUTS"])
module, _, name = sys.argv[1].partition(":")
found = importlib.import_module(module)
for part in name.split("."):
    found = getattr(found, part)
given = {name: each.get("path", each["value"]) for name, each in told["inputs"].items()}
returned = found(**told["arguments"], **given) or {}
values = {}
for name, value in returned.items():
    if told["outputs"].get(name) != "file":
        values[name] = value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value
    elif pathlib.Path(value).resolve() != (place / name).resolve():
        (shutil.copytree if pathlib.Path(value).is_dir() else shutil.copyfile)(value, place / name)
if values or not (place / "outputs.json").exists():
    (place / "outputs.json").write_text(json.dumps(values, allow_nan=False), "utf-8")
"""
"""Calls a function by keywords and keeps what it returns; nothing of Slipway is loaded in its process."""


def run(
    step: PipelineStep, inputs: Mapping[str, Any], before: Mapping[str, Mapping[str, Any]], outputs: Path
) -> dict[str, Any]:
    """The outputs that the step declares. Raises StepFailed."""
    work = Path.cwd() / "own"
    code, place, kept = work / "code", outputs.resolve() / FILES, work / "checkpoint"
    for folder in (code, place, kept):
        folder.mkdir(parents=True, exist_ok=True)
    if Path(OWN).exists():
        unpack(Path(OWN), code)
    settings = typed(step.kind, step.settings)
    assert isinstance(settings, CommandSettings | PythonSettings)
    told = {
        "version": 1,
        "step": step.name,
        "attempt": 1,
        "arguments": plain(settings.arguments),
        "inputs": {name: _input(step.inputs[name], value, before) for name, value in inputs.items()},
        "outputs": plain(step.outputs),
    }
    (work / "inputs.json").write_text(json.dumps(told), "utf-8")
    environ = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environ |= {INPUTS: str(work / "inputs.json"), OUTPUTS: str(place), CHECKPOINT: str(kept), "PYTHONUNBUFFERED": "1"}
    ran = subprocess.run(_command(settings, code), cwd=code, env=environ, timeout=step.timeout_s, check=False)
    if ran.returncode:
        raise StepFailed(f"It ended with exit code {ran.returncode}", hint="The step's log shows what it printed")
    return _values(step, place)


def unpack(archive: Path, folder: Path) -> None:
    """Only files are taken, and none that leads out of the folder. Raises StepFailed."""
    with tarfile.open(archive) as packed:
        for member in packed:
            inner = PurePosixPath(member.name)
            if inner.is_absolute() or ".." in inner.parts:
                raise StepFailed(f"The step's code has a file outside its folder: '{member.name}'")
            if member.isfile() and (content := packed.extractfile(member)) is not None:
                path = folder / inner
                path.parent.mkdir(parents=True, exist_ok=True)
                with content, path.open("wb") as file:
                    shutil.copyfileobj(content, file)
                path.chmod(0o700 if member.mode & 0o100 else 0o600)


def _command(settings: CommandSettings | PythonSettings, code: Path) -> Sequence[str]:
    if isinstance(settings, PythonSettings):
        return (sys.executable, "-P", "-c", CALL, settings.function)
    first, *rest = map(str, settings.command)
    if first in PYTHON:
        return (sys.executable, *rest)
    found = str(code / first) if os.sep in first else shutil.which(first)
    if found is None or not os.path.isfile(found):
        raise StepFailed(f"There is no program '{first}'", hint="Name a file of the code as './NAME'")
    return (found, *rest)


def _input(source: str, value: Any, before: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """What an input is, and where it lies where it is a file."""
    step, _, output = source.partition(".")
    path = Path(str(before[step].get("folder", ""))) / FILES / output
    return {"value": value} | ({"path": str(path)} if path.exists() else {})


def _values(step: PipelineStep, place: Path) -> dict[str, Any]:
    """Plain values of `outputs.json`, and files by their names. Raises StepFailed for one that is missing."""
    path = place / PLAIN
    try:
        values = json.loads(path.read_text("utf-8")) if path.exists() else {}
    except ValueError as e:
        raise StepFailed(f"{PLAIN} is not JSON: {e}") from e
    found = {}
    for name, kind in step.outputs.items():
        if kind is ValueType.FILE and (place / name).exists():
            found[name] = name
        elif kind is not ValueType.FILE and name in values:
            found[name] = values[name]
        else:
            raise StepFailed(f"Output '{name}' is missing, expected {kind} from {_who(step)}")
    return found


def _who(step: PipelineStep) -> str:
    return "the function" if step.kind is StepKind.PYTHON else f"the command, in {PLAIN} or as a file"
