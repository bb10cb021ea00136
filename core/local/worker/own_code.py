"""A step with code of its own: the folder it runs in, what it is told, and what it gives."""

import hashlib
import os
import shutil
import stat
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import Any

import msgspec

from core.domain.data import DataRef
from core.domain.errors import StepFailed
from core.domain.names import reference
from core.domain.pipeline import ValueType
from core.domain.run import StepResult
from core.durable import make_folder, place, storage_error, write_atomic
from core.local.machine import families, processes
from core.local.machine.digests import digest
from core.local.machine.families import Limits
from core.local.worker import program, step_values
from core.local.worker.printed import Printed
from core.local.worker.program import Program
from core.local.worker.step_attempt import Step
from core.local.worker.work import Work

INPUTS, OUTPUTS, CHECKPOINT = "SLIPWAY_STEP_INPUTS", "SLIPWAY_STEP_OUTPUTS", "SLIPWAY_STEP_CHECKPOINT"
PYTHON = ("python", "python3")
"""These first words mean the interpreter that Slipway runs with, whose packages are there."""
LOG_HINT = "The step's log shows what it printed"


@dataclass(frozen=True, slots=True)
class Room:
    """Where an attempt works, below its job's folder; nothing of it stays but the outputs."""

    code: Path
    """The published code, to run in and to write into."""
    inputs: Path
    outputs: Path
    checkpoint: Path
    """Of this step of this run: what one attempt leaves, the next one finds."""
    temporary: Path


def run(work: Work, step: Step, command: Sequence[str], arguments: Mapping[str, Any]) -> StepResult:
    """Run the command to its end, and take what it gives. Raises StepFailed, StorageFull."""
    with _room(work, step, arguments) as room:
        environ = _environment(work, room)
        printed = Printed(work.log, work.settings.step_log_max_mb, clock=work.clock)
        limits = Limits(step.step.timeout_s, step.step.memory_mb)
        code = program.run(Program(_found(command, room, environ), room.code, environ, limits), printed)
        if code != 0:
            raise StepFailed(_how(code, printed.last), hint=LOG_HINT)
        values = step_values.read(work, step, room.outputs)
        _keep(room.outputs, work.paths.step_outputs(work.job.id))
    shutil.rmtree(_checkpoint(work, step), ignore_errors=True)
    files = [name for name, kind in step.step.outputs.items() if kind is ValueType.FILE]
    return StepResult(values, files={name: digest(work.paths.step_file(values[name])) for name in files})


@contextmanager
def _room(work: Work, step: Step, arguments: Mapping[str, Any]) -> Iterator[Room]:
    """Made anew for each attempt: one that was killed may have left anything."""
    for left in work.folder.glob("work-*"):
        shutil.rmtree(left, ignore_errors=True)
    shutil.rmtree(work.paths.step_outputs(work.job.id), ignore_errors=True)
    room = None
    try:
        folder = Path(mkdtemp(prefix="work-", dir=work.folder))
        room = Room(
            folder / "code", folder / "inputs.json", folder / "outputs", _checkpoint(work, step), folder / "tmp"
        )
        for path in (room.code, room.outputs, room.checkpoint, room.temporary):
            make_folder(path)
        if step.step.code:
            _unpack(work, step.step.code, room.code)
        write_atomic(room.inputs, msgspec.json.format(msgspec.json.encode(_told(work, step, arguments))))
        yield room
    except OSError as e:
        raise storage_error(e, "run the step") from e
    finally:
        if room is not None:
            shutil.rmtree(room.inputs.parent, ignore_errors=True)


def _checkpoint(work: Work, step: Step) -> Path:
    return work.paths.step_checkpoint(step.run.id, step.step.name)


def _unpack(work: Work, wanted: str, folder: Path) -> None:
    """The code as it was published. Only files are taken of the archive, and none that leads out of the folder."""
    try:
        packed = work.paths.pipeline_code(wanted).read_bytes()
    except FileNotFoundError as e:
        raise StepFailed("The step's published code is missing", hint="Publish the pipeline again") from e
    if hashlib.sha256(packed).hexdigest() != wanted:
        raise StepFailed("The step's published code is damaged", hint="Publish the pipeline again")
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        for member in archive:
            inner = PurePosixPath(member.name)
            if inner.is_absolute() or ".." in inner.parts:
                raise StepFailed(f"The step's published code has a file outside its folder: '{member.name}'")
            if (content := archive.extractfile(member)) is not None and member.isfile():
                path = folder / inner
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with content, path.open("wb") as file:
                    shutil.copyfileobj(content, file)
                path.chmod(0o700 if member.mode & stat.S_IXUSR else 0o600)


def _told(work: Work, step: Step, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """What stands in the file of inputs."""
    return {
        "version": 1,
        "run": step.run.id,
        "step": step.step.name,
        "attempt": step.attempt,
        "arguments": arguments,
        "inputs": {name: _input(work, step.types[name], value) for name, value in step.inputs.items()},
        "outputs": step.step.outputs,
    }


def _input(work: Work, kind: ValueType, value: Any) -> Mapping[str, Any]:
    """An input's type and value, and where it lies, where it is something that lies somewhere."""
    told = {"type": kind, "value": value}
    match kind:
        case ValueType.DATA:
            asset = work.store.data.get(DataRef(*reference(value)))
            return {**told, "path": str(work.paths.table(asset.name, asset.content_id))}
        case ValueType.MODEL:
            model = work.store.models.get(*reference(value))
            return {**told, "path": str(work.paths.model(model.name, model.job_id, model.trial))}
        case ValueType.FILE:
            return {**told, "path": str(work.paths.step_file(value))}
    return told


def _environment(work: Work, room: Room) -> dict[str, str]:
    """What the program sees of ours: its place. No key, no setting, and not where the workspace lies."""
    environ = {name: os.environ[name] for name in processes.PASSED_ON if name in os.environ}
    environ |= dict.fromkeys(processes.THREAD_VARIABLES, str(work.compute().threads))
    environ |= {"PYTHONUNBUFFERED": "1", "TMPDIR": str(room.temporary), families.MARK: work.job.id}
    return environ | {INPUTS: str(room.inputs), OUTPUTS: str(room.outputs), CHECKPOINT: str(room.checkpoint)}


def _found(command: Sequence[str], room: Room, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The command with its first word looked up: `python` is ours, a path begins at the code, a name is on PATH."""
    first, *rest = command
    if first in PYTHON:
        return (sys.executable, *rest)
    named = str(room.code / first) if os.sep in first else shutil.which(first, path=environ.get("PATH"))
    if named is None or not os.path.isfile(named):
        raise StepFailed(
            f"There is no program '{first}'", hint="Name one on the service's PATH, or a file of the code as './NAME'"
        )
    return (named, *rest)


def _how(code: int, said: str) -> str:
    """How it ended that did not end well."""
    last = f": {said[:300]}" if said else ""
    if code >= 0:
        return f"It ended with exit code {code}{last}"
    name = program.signal_name(code)
    why = "; the system does this when it runs out of memory" if name == "SIGKILL" else ""
    return f"It was ended by {name}{why}{last}"


def _keep(staged: Path, folder: Path) -> None:
    """Give the outputs their place, once they are on the disk."""
    (staged / step_values.PLAIN).unlink(missing_ok=True)
    if any(staged.iterdir()):
        place(staged, folder)
