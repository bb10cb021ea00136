"""What the comparison and an engine's script hand each other: files in one folder, none with a test row's target.

Runs in the engine's own environment, so it needs pandas with Parquet and nothing of this project.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROWS, WARM, ATMOST_S = 60, 5, 6.0
"""One-row predictions that are timed, those before them that are not, and the time that all may take."""


@dataclass(frozen=True)
class Asked:
    """One run: the tables, and how to train."""

    folder: Path
    target: str
    classes: tuple[str, ...]
    budget_s: float
    seed: int
    threads: int
    options: Mapping[str, Any]
    train: pd.DataFrame
    test: pd.DataFrame

    @property
    def binary(self) -> bool:
        return len(self.classes) == 2


def read(folder: Path) -> Asked:
    """What is asked for in a folder."""
    said = json.loads((folder / "asked.json").read_text("utf-8"))
    train, test = (pd.read_parquet(folder / f"{name}.parquet") for name in ("train", "test"))
    return Asked(folder=folder, classes=tuple(said.pop("classes")), train=train, test=test, **said)


def asked() -> Asked:
    """What is asked for in the folder that the command line names."""
    return read(Path(sys.argv[1]))


def answer(asked: Asked, probabilities: Any, **facts: Any) -> None:
    """Leave the probabilities of the test rows, columns in the order of the classes, and the facts."""
    values = np.asarray(probabilities, float)
    if values.ndim == 1:
        values = np.column_stack([1 - values, values])
    np.save(asked.folder / "probabilities.npy", values)
    (asked.folder / "answer.json").write_text(json.dumps(facts), "utf-8")


def one_row_ms(predict: Callable[[Any], object], rows: Callable[[int], Any], count: int) -> float:
    """Median processor time, over all threads of this process, of predicting one row; another row each time."""
    until, taken = time.perf_counter() + ATMOST_S, []
    for turn in range(WARM + ROWS):
        row = rows(turn % count)
        begun = time.process_time()
        predict(row)
        taken.append((time.process_time() - begun) * 1000)
        if time.perf_counter() > until and turn > WARM:
            break
    return statistics.median(taken[WARM:])


def one_row_of_frame_ms(predict: Callable[[Any], object], frame: pd.DataFrame) -> float:
    """The same for an engine that takes data frames."""
    return one_row_ms(predict, lambda at: frame.iloc[at : at + 1], len(frame))


def size_mb(path: Path) -> float:
    """Of a file, or of everything in a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6
