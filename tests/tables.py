"""Small synthetic tables as Parquet, with everything awkward that real ones have; the same for the same seed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Columns = Mapping[str, Sequence[Any]]


def write_table(path: Path, columns: Columns) -> Path:
    """A Parquet file of these columns; None is a missing cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({name: pa.array(list(values)) for name, values in columns.items()}), path)
    return path


def customers(rows: int = 400, seed: int = 7, classes: Sequence[Any] = ("no", "yes")) -> dict[str, list[Any]]:
    """Customers whose `answer` follows from age, job, balance and a flag, with noise; also an id and holes."""
    rng = np.random.default_rng(seed)
    age, balance = rng.integers(18, 90, rows), np.round(rng.normal(1000, 800, rows), 2)
    job = rng.choice(["admin", "nurse", "pilot", "smith"], rows, p=[0.4, 0.3, 0.2, 0.1])
    member = rng.random(rows) < 0.5
    signal = (age - 50) / 15 + (balance - 1000) / 600 + 1.5 * (job == "pilot") + member + rng.normal(0, 0.7, rows)
    place = np.searchsorted(np.quantile(signal, np.linspace(0, 1, len(classes) + 1)[1:-1]), signal)
    return {
        "customer": [f"c-{i:05d}" for i in range(rows)],
        "age": age.tolist(),
        "job": job.tolist(),
        "balance": [None if h else v for v, h in zip(balance.tolist(), rng.random(rows) < 0.1, strict=True)],
        "member": member.tolist(),
        "answer": [classes[at] for at in place],
    }
