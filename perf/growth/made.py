"""Tables of any size: a third whole numbers, a third measured ones, a third text of eight levels, and two classes."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

TARGET = "answer"
LEVELS = np.array([f"level {n}" for n in range(8)])


def made_table(folder: Path, rows: int, columns: int, seed: int = 7) -> Path:
    """Parquet, `columns` and the target, which follows a few of them with noise."""
    rng, signal, made = np.random.default_rng(seed), np.zeros(rows), {}
    for number in range(columns):
        hidden = rng.normal(size=rows)
        if number < 6:
            signal += hidden
        made[f"c{number:04d}"] = _cells(hidden, number % 3)
    made[TARGET] = pa.array(np.where(signal + rng.normal(size=rows) > 0, "yes", "no"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "table.parquet"
    pq.write_table(pa.table(made), path)
    return path


def _cells(hidden: np.ndarray, kind: int) -> pa.Array:
    if kind == 0:
        return pa.array(np.round(hidden * 20 + 50).astype(np.int64))
    if kind == 1:
        return pa.array(np.round(hidden * 100, 2))
    return pa.array(LEVELS[np.clip(np.round(hidden * 2 + 4), 0, 7).astype(np.int64)])
