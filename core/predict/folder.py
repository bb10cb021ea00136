"""A model folder -> a predictor. Nothing in it is ever unpickled."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.contract.decision import decide
from core.contract.signature import from_json
from core.domain.errors import ModelUnreadable
from core.domain.signature import Scalar, Signature
from core.predict import fitting
from core.predict.arrays import AnyArray, Array
from core.predict.combination import COMBINATIONS, Combination, Vote
from core.predict.encoder import Encoder
from core.predict.ensemble import Ensemble
from core.predict.members import KINDS, Member
from core.predict.part import Part
from core.predict.steps import STEPS, Step

FORMAT = 2
"""Of `model.json` and `arrays.npz`. Before 2 every member was a model of its own, read the codes alone, and voted."""
FORMATS = (1, 2)
ALONE = Vote()
"""A single model."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """A model, ready to answer: each of its `bags` averages its parts, and the combination makes one of the bags."""

    signature: Signature
    encoder: Encoder
    bags: tuple[tuple[Part, ...], ...]
    combination: Combination = ALONE
    info: Mapping[str, Any] = field(default_factory=dict)
    """What `model.json` says of the model: algorithm, name of the data, job, and so on."""
    _ensemble: Ensemble = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ensemble", Ensemble.of(self.bags, len(self.encoder.codes)))

    def probabilities(self, columns: Sequence[Sequence[Any]]) -> Array:
        """Rows x classes from one sequence of JSON scalars (None: missing) per column of `signature.used`."""
        return self.of_matrix(self.encoder(columns))

    def of_matrix(self, matrix: Array) -> Array:
        """Rows x classes from the encoded matrix; of a regression, rows x 1."""
        return self.combination.combined(self._ensemble.said(matrix))

    def labels(self, probabilities: Array) -> list[Scalar]:
        """The answer of `predict`: a class per row."""
        return decide(self.signature, probabilities)


def load_model(folder: Path) -> Predictor:
    """The predictor in a model folder. Raises ModelUnreadable: incomplete, damaged, or from a newer version."""
    signature = from_json(_read_json(folder / "signature.json"))
    model = _read_json(folder / "model.json")
    if model.get("format") not in FORMATS:
        raise ModelUnreadable(
            f"The model in {folder} has format {model.get('format')!r}, expected {FORMAT} or an earlier one",
            hint="Train the model again with this version",
        )
    try:
        encoder = Encoder.from_json(model["encoder"])
        arrays = _read_arrays(folder / "arrays.npz")
        bags, combination = _read_bags(model, arrays)
    except (KeyError, TypeError) as e:
        raise ModelUnreadable(f"{folder / 'model.json'} is damaged: {e!r}", hint="Register the model again") from e
    return _checked(Predictor(signature, encoder, bags, combination, model.get("info", {})), folder)


def part_json(part: Part, prefix: str, bag: int = 0) -> dict[str, Any]:
    """What `model.json` says of a part of the bag of that number, whose arrays are named `prefix` + name."""
    return {
        "kind": part.member.kind,
        "prefix": prefix,
        "weight": part.share,
        "meta": part.member.meta(),
        "bag": bag,
        "steps": [
            {"kind": step.kind, "prefix": f"{prefix}s{at}_", "meta": step.meta()} for at, step in enumerate(part.steps)
        ],
    }


def part_arrays(part: Part, prefix: str) -> dict[str, AnyArray]:
    """The part's arrays under the names they have in `arrays.npz`."""
    arrays = {prefix + name: array for name, array in part.member.arrays().items()}
    for at, step in enumerate(part.steps):
        arrays |= {f"{prefix}s{at}_{name}": array for name, array in step.arrays().items()}
    return arrays


def read_part(described: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> Part:
    """The part that `part_json` and `part_arrays` described. Raises ModelUnreadable."""
    steps = tuple(_read_step(step, arrays) for step in described.get("steps", ()))
    return Part(_read_member(described, arrays), float(described["weight"]), steps)


def _read_bags(
    model: Mapping[str, Any], arrays: Mapping[str, AnyArray]
) -> tuple[tuple[tuple[Part, ...], ...], Combination]:
    parts = [read_part(described, arrays) for described in model["members"]]
    if model["format"] == 1:
        return tuple((replace(part, share=1.0),) for part in parts), Vote(tuple(part.share for part in parts))
    bags: dict[int, list[Part]] = {}
    for described, part in zip(model["members"], parts, strict=True):
        bags.setdefault(int(described["bag"]), []).append(part)
    return tuple(tuple(bags[at]) for at in sorted(bags)), read_combination(model["combination"])


def read_combination(described: Mapping[str, Any]) -> Combination:
    """The combination that its kind and `meta` describe. Raises ModelUnreadable."""
    if described["kind"] not in COMBINATIONS:
        raise ModelUnreadable(f"The model combines its members by the unknown kind '{described['kind']}'")
    return COMBINATIONS[described["kind"]].from_meta(described["meta"])


def combination_json(combination: Combination) -> dict[str, Any]:
    """What `model.json` says of a combination."""
    return {"kind": combination.kind, "meta": combination.meta()}


def _read_step(described: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> Step:
    if described["kind"] not in STEPS:
        raise ModelUnreadable(f"The model has a step of unknown kind '{described['kind']}'")
    return STEPS[described["kind"]].from_arrays(described["meta"], _own(described["prefix"], arrays))


def _own(prefix: str, arrays: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _read_member(described: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> Member:
    own = _own(described["prefix"], arrays)
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
    if used != list(predictor.encoder.names) or not predictor.bags:
        raise ModelUnreadable(f"The parts of {folder} do not belong together", hint="Register the model again")
    classes = len(predictor.signature.classes)
    if found := fitting.problem(predictor.bags, predictor.combination, predictor.encoder.codes, classes):
        raise ModelUnreadable(f"The model in {folder} is damaged: {found}", hint="Register the model again")
    try:
        shape = predictor.of_matrix(predictor.encoder.finish(np.full((1, len(predictor.encoder.codes)), np.nan))).shape
    except (IndexError, ValueError) as e:
        raise ModelUnreadable(f"The arrays of {folder} do not fit its columns: {e}") from e
    if shape != (1, len(predictor.signature.classes) or 1):
        raise ModelUnreadable(f"The model in {folder} gives {shape[1]} classes, its signature has another number")
    return predictor
