"""A model folder -> a predictor. Nothing in it is ever unpickled."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.contract.decision import decide
from core.contract.signature import from_json
from core.domain.errors import ModelUnreadable
from core.domain.signature import Scalar, Signature
from core.predict import fitting
from core.predict.arrays import AnyArray, Array
from core.predict.encoder import Encoder
from core.predict.forest import Forest
from core.predict.linear import Linear
from core.predict.members import KINDS, Member

FORMAT = 1
"""Of `model.json` and `arrays.npz`."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """A model, ready to answer: the weighted mean of its members' probabilities."""

    signature: Signature
    encoder: Encoder
    members: tuple[tuple[float, Member], ...]
    info: Mapping[str, Any] = field(default_factory=dict)
    """What `model.json` says of the model: algorithm, name of the data, job, and so on."""

    def probabilities(self, columns: Sequence[Sequence[Any]]) -> Array:
        """Rows x classes from one sequence of JSON scalars (None: missing) per column of `signature.used`."""
        return self.of_matrix(self.encoder(columns))

    def of_matrix(self, matrix: Array) -> Array:
        """Rows x classes from the encoded matrix."""
        weight, member = self.members[0]
        total = weight * member.probabilities(matrix)
        for weight, member in self.members[1:]:
            total += weight * member.probabilities(matrix)
        return np.asarray(total)

    def labels(self, probabilities: Array) -> list[Scalar]:
        """The answer of `predict`: a class per row."""
        return decide(self.signature, probabilities)


def load_model(folder: Path) -> Predictor:
    """The predictor in a model folder. Raises ModelUnreadable: incomplete, damaged, or from a newer version."""
    signature = from_json(_read_json(folder / "signature.json"))
    model = _read_json(folder / "model.json")
    if model.get("format") != FORMAT:
        raise ModelUnreadable(
            f"The model in {folder} has format {model.get('format')!r}, expected {FORMAT}",
            hint="Train the model again with this version",
        )
    try:
        encoder = Encoder.from_json(model["encoder"])
        arrays = _read_arrays(folder / "arrays.npz")
        members = tuple((float(m["weight"]), read_member(m, arrays)) for m in model["members"])
    except (KeyError, TypeError) as e:
        raise ModelUnreadable(f"{folder / 'model.json'} is damaged: {e!r}", hint="Register the model again") from e
    return _checked(Predictor(signature, encoder, members, model.get("info", {})), folder)


def member_json(member: Member, prefix: str, weight: float) -> dict[str, Any]:
    """What `model.json` says of a member whose arrays are named `prefix` + name."""
    return {"kind": member.kind, "prefix": prefix, "weight": weight, "meta": member.meta()}


def member_arrays(member: Member, prefix: str) -> dict[str, AnyArray]:
    """The member's arrays under the names they have in `arrays.npz`."""
    return {prefix + name: array for name, array in member.arrays().items()}


def read_member(described: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> Forest | Linear:
    """The member that `member_json` and `member_arrays` described. Raises ModelUnreadable."""
    prefix = described["prefix"]
    own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
    if described["kind"] not in KINDS:
        raise ModelUnreadable(f"The model has a member of unknown kind '{described['kind']}'")
    return KINDS[described["kind"]].from_arrays(described["meta"], own)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
    except OSError as e:
        raise ModelUnreadable(f"{path} cannot be read: {e.strerror}", hint="Register the model again") from e
    except ValueError as e:
        raise ModelUnreadable(f"{path} is damaged: {e}", hint="Register the model again") from e
    if not isinstance(values, dict):
        raise ModelUnreadable(f"{path} is damaged: expected an object", hint="Register the model again")
    return values


def _read_arrays(path: Path) -> dict[str, AnyArray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as e:
        raise ModelUnreadable(f"{path} cannot be read: {e}", hint="Register the model again") from e


def _checked(predictor: Predictor, folder: Path) -> Predictor:
    """The predictor, when its parts fit each other: a mismatch must show at load, not at the first request."""
    used = [c.name for c in predictor.signature.used]
    if used != list(predictor.encoder.names) or not predictor.members:
        raise ModelUnreadable(f"The parts of {folder} do not belong together", hint="Register the model again")
    if found := fitting.problem(predictor.members, predictor.encoder.codes):
        raise ModelUnreadable(f"The model in {folder} is damaged: {found}", hint="Register the model again")
    try:
        shape = predictor.of_matrix(predictor.encoder.finish(np.full((1, len(predictor.encoder.codes)), np.nan))).shape
    except (IndexError, ValueError) as e:
        raise ModelUnreadable(f"The arrays of {folder} do not fit its columns: {e}") from e
    if shape != (1, len(predictor.signature.classes)):
        raise ModelUnreadable(f"The model in {folder} gives {shape[1]} classes, its signature has another number")
    return predictor
