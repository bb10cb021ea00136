"""Somebody else's model as a folder of ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from core.contract.signature import to_json
from core.domain.errors import ModelUnreadable
from core.domain.signature import Column, Scalar, Signature
from core.ml.finished import NATIVE
from core.packaging.foreign.described import Described
from core.predict.combination import Vote
from core.predict.encoder import ColumnCode, Encoder
from core.predict.folder import FORMAT, combination_json, part_arrays, part_json
from core.predict.members import Member
from core.predict.part import Part

ELSEWHERE = "elsewhere"
"""What stands for the table and the job of a model that does not tell them."""
PREFIX = "t0_"


@dataclass(frozen=True, slots=True)
class Taken:
    """A model that was read."""

    columns: Sequence[Column]
    classes: tuple[Scalar, ...]
    member: Member
    algorithm: str
    native: tuple[str, bytes]
    """The file that it was read from, kept with it."""


def write(staged: Path, taken: Taken, described: Described) -> None:
    """Write the files of a model folder that its code and its `MLmodel` are made for. Raises ModelUnreadable."""
    signature = _signature(taken)
    codes = [ColumnCode(column.name, column.kind, column.levels) for column in signature.columns]
    info = {
        "name": ELSEWHERE,
        "algorithm": taken.algorithm,
        "trial": 0,
        "job_id": described.run_id or ELSEWHERE,
        "created_at": described.created_at,
        "data": {"name": ELSEWHERE, "version": 1},
    }
    model = {
        "format": FORMAT,
        "encoder": Encoder(codes).to_json(),
        "members": [part_json(Part(taken.member), PREFIX)],
        "combination": combination_json(Vote()),
        "info": info,
    }
    _json(staged / "signature.json", to_json(signature))
    _json(staged / "model.json", model)
    _json(staged / "card.json", {**info, "format": 1, "metrics": {}, "classes": list(taken.classes)})
    np.savez_compressed(staged / "arrays.npz", **part_arrays(Part(taken.member), PREFIX))  # type: ignore[arg-type]  # numpy types the flag only
    (staged / NATIVE).mkdir()
    name, content = taken.native
    (staged / NATIVE / name).write_bytes(content)


def _signature(taken: Taken) -> Signature:
    names = {column.name for column in taken.columns}
    if len(names) < len(taken.columns):
        raise ModelUnreadable("two of its columns have one name")
    target = next(name for name in ("target", *(f"target_{i}" for i in range(len(names) + 1))) if name not in names)
    positive = taken.classes[1] if len(taken.classes) == 2 else None
    return Signature(tuple(taken.columns), target, taken.classes, positive_class=positive)


def _json(path: Path, values: dict[str, Any]) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(values), indent=1))
