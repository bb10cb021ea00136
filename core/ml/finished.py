"""Trials on disk: complete folders with out-of-fold predictions, written once and read by whoever goes on."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from core.domain.training import Trial
from core.durable import fsync, fsync_tree
from core.ml.task import LearningProblem
from core.predict.members import Array

RECORD = "trial.json"
OOF = "oof.npy"
PARITY = "parity.npy"
ARRAYS = "arrays.npz"
MEMBER = "member.json"
REFIT = "refit"
NATIVE = "native"


@dataclass(frozen=True, slots=True)
class FinishedTrial:
    """A trial that ended, with the folder that holds what it left."""

    trial: Trial
    folder: Path
    problem: str = ""
    """`fingerprint` of the problem it was trained on."""
    weights: tuple[float, ...] = ()
    """An ensemble's, in the order of `trial.members`."""
    combination: Mapping[str, Any] = field(default_factory=dict)
    """An ensemble's, as `model.json` says it; empty: the vote with these weights."""
    estimated_ms: float = 0.0
    """For one row, by `core.predict.cost`; 0 where unknown."""

    def oof(self) -> Array:
        """What it says of the rows that judge it, in table order, x outputs."""
        return np.asarray(np.load(self.folder / OOF, allow_pickle=False), dtype=np.float64)


def fingerprint(problem: LearningProblem) -> str:
    """Trials may stand in one ensemble when this is equal: same rows, columns, classes, coding and folds."""
    values = asdict(problem) | {"table": ""}
    if problem.held_out.numerator > 1:
        values["held_out"] = "exactly"  # until 0.9 such a share was rounded to one in so many rows
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:16]


def read_finished(folder: Path) -> list[FinishedTrial]:
    """The trials that ended, in number order; a folder that is still being written is not seen. No folder: none."""
    records = folder.glob(f"[0-9]*/{RECORD}")  # what is refitted has no record of its own
    return sorted((read_trial(record.parent) for record in records), key=lambda f: f.trial.number)


def read_trial(folder: Path) -> FinishedTrial:
    """The trial in a complete folder."""
    values: dict[str, Any] = msgspec.json.decode((folder / RECORD).read_bytes())
    trial = msgspec.convert(values["trial"], Trial)
    weights, combination = tuple(values["weights"]), values.get("combination", {})
    return FinishedTrial(trial, folder, values["problem"], weights, combination, values.get("estimated_ms", 0.0))


def leave_oof(staged: Path, said: Array) -> None:
    """Keep what a trial says of the rows that judge it."""
    np.save(staged / OOF, said)


def refit_folder(folder: Path) -> Path:
    """Where the one model of all rows lies, which stands in the place of a trial's folds, when there is one."""
    return folder.with_name(f"{folder.name}-{REFIT}")


def record(staged: Path, finished: FinishedTrial) -> None:
    """Write the trial's record into a staged folder."""
    values = {"trial": msgspec.to_builtins(finished.trial), "problem": finished.problem, "weights": finished.weights}
    values |= {"combination": dict(finished.combination), "estimated_ms": finished.estimated_ms}
    (staged / RECORD).write_bytes(msgspec.json.format(msgspec.json.encode(values), indent=1))


def stage(final: Path) -> Path:
    """An empty folder beside `final`, to be filled and then committed; a left-over of a killed process is removed."""
    staged = final.with_name(f".{final.name}.partial")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True, mode=0o700)
    return staged


def commit(staged: Path, final: Path) -> None:
    """Give a staged folder its name, once every byte of it is on the disk; what had the name before is replaced."""
    fsync_tree(staged)
    before = final.with_name(f".{final.name}.before")
    shutil.rmtree(before, ignore_errors=True)
    if final.exists():
        os.rename(final, before)  # not emptied in its place: whoever is killed meanwhile would leave a part of it
    os.replace(staged, final)
    fsync(final.parent)
    shutil.rmtree(before, ignore_errors=True)
