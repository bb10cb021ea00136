"""What a step's own code gives, checked: files below its outputs, plain values in `outputs.json`."""

import math
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.domain.data import DataRef
from core.domain.errors import NotFound, SlipwayError, SpecInvalid, StepFailed
from core.domain.names import reference
from core.domain.pipeline import ValueType
from core.local.worker.step_attempt import Step
from core.local.worker.work import Work

PLAIN = "outputs.json"
PLAIN_BYTES_MAX = 1_000_000
"""They are kept with the run, and shown with it; more is a file."""

CHECKS: Mapping[ValueType, tuple[str, Callable[[Any], bool]]] = {
    ValueType.INTEGER: ("an integer", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    ValueType.NUMBER: (
        "a number",
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value),
    ),
    ValueType.BOOLEAN: ("true or false", lambda value: isinstance(value, bool)),
    ValueType.JSON: ("any JSON value", lambda value: True),
}
"""What is expected, and whether a value is that; of all other types a text is."""


def read(work: Work, step: Step, folder: Path) -> dict[str, Any]:
    """Every output that the step declares. Raises StepFailed for one that is missing or of another type."""
    plain = _plain(folder / PLAIN)
    declared = step.step.outputs
    for name in sorted(set(plain) - set(declared)):
        work.log.warning(f"Output '{name}' is left out: the step does not declare it")
    return {name: _value(work, name, kind, plain, folder) for name, kind in declared.items()}


def _plain(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    if not path.is_file() or path.is_symlink() or path.stat().st_size > PLAIN_BYTES_MAX:
        raise StepFailed(
            f"{PLAIN} is not a file of at most {PLAIN_BYTES_MAX:,} bytes", hint="Declare what is large as a file"
        )
    try:
        values = msgspec.json.decode(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise StepFailed(f"{PLAIN} is not JSON: {e}") from e
    if not isinstance(values, dict):
        raise StepFailed(f"{PLAIN} is {type(values).__name__}, expected an object with the outputs by their names")
    return values


def _value(work: Work, name: str, kind: ValueType, plain: Mapping[str, Any], folder: Path) -> Any:
    if kind is ValueType.FILE:
        return _file(work, name, folder)
    if name not in plain:
        raise StepFailed(f"Output '{name}' is missing, expected {_expected(kind)} in {PLAIN}")
    value = plain[name]
    if not _is(kind, value):
        raise StepFailed(f"Output '{name}' is {_shown(value)}, expected {_expected(kind)}")
    try:
        _look_up(work, kind, value)
    except (NotFound, SpecInvalid) as e:
        raise StepFailed(f"Output '{name}': {e.message}", hint=e.hint) from e
    return value


def _is(kind: ValueType, value: Any) -> bool:
    return CHECKS[kind][1](value) if kind in CHECKS else isinstance(value, str)


def _expected(kind: ValueType) -> str:
    if kind in CHECKS:
        return CHECKS[kind][0]
    return "a text" if kind is ValueType.STRING else f"the name of a {kind}, as a text"


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()[:100]


def _look_up(work: Work, kind: ValueType, value: Any) -> None:
    """What the workspace holds can be named only if it is there. Raises NotFound, SpecInvalid."""
    match kind:
        case ValueType.DATA:
            work.store.data.get(DataRef(*reference(value)))
        case ValueType.MODEL:
            work.store.models.get(*reference(value))
        case ValueType.JOB:
            work.store.jobs.get(value)


def _file(work: Work, name: str, folder: Path) -> str:
    """The reference of a file or folder, in which there is nothing but files and folders."""
    path = folder / name
    try:
        _check_files(path)
        for inner, folders, files in os.walk(path):
            for each in (*folders, *files):
                _check_files(Path(inner, each))
    except FileNotFoundError as e:
        raise StepFailed(f"Output '{name}' is missing, expected a file or folder '{name}' in the outputs folder") from e
    except SlipwayError as e:
        raise StepFailed(f"Output '{name}': {e.message}", hint=e.hint) from e
    return f"{work.job.id}/{name}"


def _check_files(path: Path) -> None:
    mode = path.lstat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        what = "a symbolic link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
        raise StepFailed(f"'{path.name}' is {what}", hint="Give files and folders only")
