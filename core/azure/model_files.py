"""What a model's files say of it: our own signature and card, or those of any MLflow model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import yaml

from core.azure.storage import Blobs
from core.contract.signature import from_json, signature_of
from core.domain.data import ColumnKind, TableProfile
from core.domain.errors import ModelUnreadable, SlipwayError
from core.domain.signature import Column, Scalar, Signature

NOTHING = Signature((), "", ())
"""Of a model that does not say what it takes."""
KINDS: Mapping[str, ColumnKind] = {
    **dict.fromkeys(("integer", "long"), ColumnKind.INTEGER),
    **dict.fromkeys(("float", "double"), ColumnKind.NUMBER),
    "boolean": ColumnKind.BOOLEAN,
}
"""MLflow's types -> ours; any other, dates too, travel as text."""


@dataclass(frozen=True, slots=True)
class Files:
    """What is read of a model's files."""

    signature: Signature
    metrics: Mapping[str, float]
    size_bytes: int


def read_files(blobs: Blobs, target: str = "", profile: TableProfile | None = None) -> Files:
    """Our own signature where Slipway has packaged the model, else MLflow's with what the table's profile adds."""
    signature = _own(blobs.read("signature.json")) or _flavored(blobs.read("MLmodel"), target, profile)
    return Files(signature or NOTHING, _metrics(blobs.read("card.json")), sum(blobs.sizes.values()))


def _own(written: bytes | None) -> Signature | None:
    if written is None:
        return None
    try:
        return from_json(msgspec.json.decode(written))
    except (msgspec.DecodeError, AttributeError, ModelUnreadable):
        return None


def _metrics(card: bytes | None) -> Mapping[str, float]:
    try:
        held = msgspec.json.decode(card)["metrics"] if card else {}
    except (msgspec.DecodeError, LookupError, TypeError):
        return {}
    return {name: float(value) for name, value in held.items()} if isinstance(held, dict) else {}


def _flavored(mlmodel: bytes | None, target: str, profile: TableProfile | None) -> Signature | None:
    """The signature in an `MLmodel`: names and types; ranges, levels and classes are the table's."""
    try:
        written = yaml.safe_load(mlmodel or b"")["signature"]["inputs"]
        inputs = msgspec.json.decode(written) if isinstance(written, str) else written
        columns = tuple(_column(each) for each in inputs if isinstance(each, dict) and "name" in each)
    except (yaml.YAMLError, msgspec.DecodeError, LookupError, TypeError):
        return None
    return _with_profile(columns, target, profile)


def _column(written: Mapping[str, Any]) -> Column:
    kind = KINDS.get(str(written.get("type")), ColumnKind.STRING)
    return Column(str(written["name"]), kind, nullable=not written.get("required", True))


def _with_profile(columns: tuple[Column, ...], target: str, profile: TableProfile | None) -> Signature:
    if profile is None or target not in [column.name for column in profile.columns]:
        return Signature(columns, target, ())
    named = {column.name: column for column in columns}
    unused = [c.name for c in profile.columns if c.name != target and c.name not in named]
    try:
        known = signature_of(profile, target, classes_of(profile, target), exclude=unused)
    except SlipwayError:
        return Signature(columns, target, ())
    kept = tuple(replace(c, kind=named[c.name].kind) if c.used and c.kind is not ColumnKind.BOOLEAN else c
                 for c in known.columns)  # fmt: skip
    return replace(known, columns=kept)


def classes_of(profile: TableProfile, target: str) -> tuple[Scalar, ...]:
    """The classes of a target in the order of AutoML's probabilities, which is the natural one."""
    column = profile.column(target)
    read: Mapping[ColumnKind, Any] = {
        ColumnKind.INTEGER: int,
        ColumnKind.NUMBER: float,
        ColumnKind.BOOLEAN: lambda text: text.lower() == "true",
    }
    return tuple(sorted(read.get(column.kind, str)(level.value) for level in column.levels))
