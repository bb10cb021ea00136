"""The tables of the comparison, and how each is split into rows to train on and rows to test on."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.settings import CHECKOUT, read_settings
from perf.peers.automl import packaged, synthetic

KNOWN = {
    "bank": ("bankmarketing_train", "y"),
    "adult": ("adult", "income"),
    "telco": ("telco_churn", "churn"),
    "shoppers": ("online_shoppers", "revenue"),
    "german": ("german_credit", "credit_risk"),
}
"""Name -> (file without its ending, target). The files are shared, and never part of the checkout."""
ENDINGS = (".csv", ".csv.gz", ".csv.xz", ".parquet")
TEST_SHARE = 0.2


@dataclass(frozen=True)
class Table:
    """Rows with a target of text; rows without one are left out."""

    name: str
    frame: pd.DataFrame
    target: str

    @property
    def classes(self) -> list[str]:
        return sorted(self.frame[self.target].unique())

    @property
    def labels(self) -> np.ndarray:
        """Each row's class, as its number."""
        numbers = {name: at for at, name in enumerate(self.classes)}
        return self.frame[self.target].map(numbers).to_numpy(int)

    @property
    def digest(self) -> str:
        rows = pd.util.hash_pandas_object(self.frame, index=False).to_numpy()
        return hashlib.sha256("\0".join([self.target, *self.frame.columns]).encode() + rows.tobytes()).hexdigest()


@dataclass(frozen=True)
class Split:
    """Which rows of a table test, and its name: `seed0`, or `seed0-fold2`."""

    name: str
    seed: int
    test: np.ndarray


def load(word: str, dropped: Sequence[str] = ()) -> Table:
    """A known table, a `package-NAME`, a `synthetic-NAME`, or any `PATH:TARGET`.

    Raises ValueError that says what there is instead.
    """
    if word.startswith("synthetic-") and word.removeprefix("synthetic-") in synthetic.MAKERS:
        name, frame, target = word, synthetic.make(word.removeprefix("synthetic-")), synthetic.TARGET
    elif word.removeprefix("package-") in packaged.PACKAGED and word.startswith("package-"):
        name, (frame, target) = word, packaged.load(word.removeprefix("package-"))
    elif word in KNOWN:
        file, target = KNOWN[word]
        name, frame = word, _read(_find(file))
    elif ":" in word:
        path, _, target = word.rpartition(":")
        name, frame = Path(path).name.partition(".")[0], _read(Path(path))
    else:
        raise ValueError(f"there is no table '{word}'; there are: {', '.join(names())}, and PATH:TARGET")
    if target not in frame:
        raise ValueError(f"'{word}' has no column '{target}'")
    present = [column for column in dropped if column in frame]
    frame = frame.drop(columns=present).dropna(subset=[target]).reset_index(drop=True)
    frame[target] = frame[target].astype(str)
    return Table("-without-".join([name, *present]), frame, target)


def names() -> list[str]:
    """The tables that can be named alone."""
    made = [f"synthetic-{name}" for name in synthetic.MAKERS]
    return [*KNOWN, *(f"package-{name}" for name in packaged.PACKAGED), *made]


def splits(table: Table, seeds: int, folds: int) -> Iterator[Split]:
    """One fixed split of 80 to 20 for each seed; with `folds`, that many, in which every row tests once."""
    for seed in range(seeds):
        for fold, test in enumerate(_tests(table.labels, seed, folds)):
            yield Split(f"seed{seed}" + (f"-fold{fold}" if folds else ""), seed, test)


def _tests(labels: np.ndarray, seed: int, folds: int) -> list[np.ndarray]:
    """Rows to test on, drawn class by class. A class of one row is trained on and never tested."""
    rng = np.random.default_rng(seed)
    parts: list[list[np.ndarray]] = [[] for _ in range(max(folds, 1))]
    for number in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == number))
        if folds:
            for fold in range(folds if len(rows) > 1 else 0):
                parts[fold].append(rows[fold::folds])
        else:
            parts[0].append(rows[: max(round(TEST_SHARE * len(rows)), min(len(rows) - 1, 1))])
    return [np.sort(np.concatenate(part)) for part in parts]


def _find(file: str) -> Path:
    folders = [*read_settings(os.environ).data_dir, CHECKOUT.parent / "shared" / "data"]
    for folder in folders:
        for ending in ENDINGS:
            if (folder / f"{file}{ending}").is_file():
                return folder / f"{file}{ending}"
    raise ValueError(f"{file} is in none of: {', '.join(map(str, folders))}")


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise ValueError(f"there is no file '{path}'")
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
