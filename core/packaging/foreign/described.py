"""What the `MLmodel` of somebody else's model says: its flavors, its columns and where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import yaml

from core.domain.data import ColumnKind
from core.domain.errors import ModelUnreadable, SpecInvalid
from core.domain.signature import Column

MLMODEL = "MLmodel"
MLMODEL_BYTES_MAX = 1_000_000
FILE_BYTES_MAX = 512_000_000
"""Of a model file; the largest of AutoML's are some tens of megabytes."""
COLUMNS_MAX = 10_000
KINDS: Mapping[str, ColumnKind] = {
    "boolean": ColumnKind.BOOLEAN,
    "integer": ColumnKind.INTEGER,
    "long": ColumnKind.INTEGER,
    "float": ColumnKind.NUMBER,
    "double": ColumnKind.NUMBER,
    "string": ColumnKind.STRING,
}
"""MLflow's types of columns."""


@dataclass(frozen=True, slots=True)
class Described:
    """An `MLmodel`, or nothing of it where a folder has none."""

    flavors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    """In the order in which the model takes them; empty without a signature that names them."""
    run_id: str = ""
    created_at: float = 0.0
    """Seconds since the epoch; 0 where it is not told."""


def described(folder: Path) -> Described:
    """Raises ModelUnreadable for an `MLmodel` that is damaged, SpecInvalid for columns that no model here takes."""
    path = folder / MLMODEL
    if not path.is_file():
        return Described()
    try:
        values = yaml.safe_load(read(path, MLMODEL_BYTES_MAX).decode())
    except (ValueError, yaml.YAMLError, RecursionError) as e:
        raise ModelUnreadable(f"its MLmodel cannot be read: {e}") from e
    flavors = values.get("flavors") if isinstance(values, dict) else None
    if not isinstance(flavors, dict) or not all(isinstance(options, dict) for options in flavors.values()):
        raise ModelUnreadable("its MLmodel names no flavors")
    return Described(
        {str(name): options for name, options in flavors.items()},
        _columns(values.get("signature")),
        str(values.get("run_id") or ""),
        _created(values.get("utc_time_created")),
    )


def read(path: Path, limit: int = FILE_BYTES_MAX) -> bytes:
    """A file of the folder. Raises ModelUnreadable where it is not there, and SpecInvalid where it is too large."""
    try:
        if (size := path.stat().st_size) > limit:
            raise SpecInvalid(
                f"{path.name} has {size / 1e6:,.0f} MB, and at most {limit / 1e6:,.0f} MB are read",
                hint="Train a smaller model",
            )
        return path.read_bytes()
    except OSError as e:
        raise ModelUnreadable(f"{path.name} cannot be read: {e.strerror}") from e


def inside(folder: Path, name: object) -> Path:
    """A file that `MLmodel` names. Raises ModelUnreadable for one that does not lie in the folder."""
    path = folder / str(name)
    if not isinstance(name, str) or "\0" in name or not path.resolve().is_relative_to(folder.resolve()):
        raise ModelUnreadable(f"its MLmodel names the file {str(name)[:100]!r}, which is not in the folder")
    if not path.is_file():
        raise ModelUnreadable(f"there is no {name} in it, which its MLmodel names")
    return path


def _columns(signature: object) -> tuple[Column, ...]:
    if not isinstance(signature, dict) or not signature.get("inputs"):
        return ()
    try:
        inputs = msgspec.json.decode(str(signature["inputs"]))
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as e:
        raise ModelUnreadable(f"the signature in its MLmodel is damaged: {e}") from e
    if not isinstance(inputs, list) or not all(isinstance(column, dict) for column in inputs):
        raise ModelUnreadable("the signature in its MLmodel is damaged: its inputs are no list of columns")
    if len(inputs) == 1 and inputs[0].get("type") == "tensor" and not inputs[0].get("name"):
        return ()
    if len(inputs) > COLUMNS_MAX:
        raise SpecInvalid(f"It has {len(inputs):,} columns, at most {COLUMNS_MAX:,} can be scored")
    return tuple(_column(column) for column in inputs)


def _column(told: Mapping[str, Any]) -> Column:
    name, kind = told.get("name"), told.get("type")
    if not isinstance(name, str) or not name:
        raise SpecInvalid(
            "The signature in its MLmodel has a column without a name",
            hint="Save it with signature=infer_signature(frame, outputs), where the frame names its columns",
        )
    if not isinstance(kind, str) or kind not in KINDS:
        raise SpecInvalid(
            f"Its column '{name}' is of MLflow's type {str(kind)[:50]!r}, which cannot be scored here",
            hint=f"The types are {', '.join(KINDS)}",
        )
    # A column of floats may hold NaN for MLflow even where it is required; one of integers or booleans cannot.
    nullable = KINDS[kind] in (ColumnKind.NUMBER, ColumnKind.STRING) or told.get("required") is False
    return Column(name, KINDS[kind], nullable=nullable)


def _created(told: object) -> float:
    if isinstance(told, datetime):
        return told.replace(tzinfo=told.tzinfo or UTC).timestamp()
    try:
        return datetime.fromisoformat(str(told)).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return 0.0
