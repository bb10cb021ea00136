"""Runs that outlive a comparison that was cut off: one file of facts and one of probabilities each."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1


@dataclass(frozen=True)
class Key:
    """What one run is of. Two runs with the same key stand for each other."""

    table: str
    split: str
    contender: str
    budget_s: float
    threads: int
    digest: str
    """Of the table."""
    code: str
    """Of the engine: its requirements and script; of ours, of the code that trains and predicts."""

    @property
    def name(self) -> str:
        told = re.sub(r"[^A-Za-z0-9@-]+", "_", f"{self.table}.{self.split}.{self.contender}")
        return f"{told}.{hashlib.sha256(repr(self).encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Run:
    """One run that is kept; `problem` says why there are no probabilities."""

    facts: Mapping[str, Any]
    probabilities: np.ndarray | None
    problem: str = ""


class Kept:
    """A folder of runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: Key) -> Run | None:
        """The run, where it is kept."""
        facts, probabilities = self._files(key)
        if not facts.is_file():
            return None
        said = json.loads(facts.read_text("utf-8"))
        if said["format"] != FORMAT:
            return None
        values = np.load(probabilities) if probabilities.is_file() else None
        return Run(said["facts"], values, said["problem"])

    def done(self, key: Key) -> bool:
        """Whether the run need not be made again. One that failed is tried again."""
        run = self.get(key)
        return run is not None and not run.problem

    def add(self, key: Key, run: Run) -> None:
        """Keep it; the facts come last, so that what was cut off is not there at all."""
        facts, probabilities = self._files(key)
        self._folder.mkdir(parents=True, exist_ok=True)
        probabilities.unlink(missing_ok=True)
        if run.probabilities is not None:
            np.save(probabilities, run.probabilities.astype(np.float64))
        said = {"format": FORMAT, "key": vars(key), "facts": dict(run.facts), "problem": run.problem}
        beside = facts.with_suffix(".tmp")
        beside.write_text(json.dumps(said, indent=1), "utf-8")
        beside.replace(facts)

    def forget(self) -> None:
        """Remove every run."""
        for file in self._all():
            file.unlink()

    def _all(self) -> Iterator[Path]:
        return (file for file in list(self._folder.glob("*")) if file.suffix in (".json", ".npy", ".tmp"))

    def _files(self, key: Key) -> tuple[Path, Path]:
        return self._folder / f"{key.name}.json", self._folder / f"{key.name}.npy"
