"""Tables of very many columns, searched for real: there is a model within the time."""

import time

import numpy as np
import pytest
from tables import write_table

from core.domain.data import DataRef
from core.domain.training import TrainingSpec
from core.local.worker.executors import ProcessExecutor
from core.ml.data.profile import profile_table
from core.ml.search import search
from core.ml.trial import train


def search_s(tmp_path, *, rows: int, columns: int, timeout_s: float, **spec) -> float:
    """The seconds of a search, whose model tells the classes apart."""
    cells = np.random.default_rng(0).normal(size=(columns, rows))
    target = np.where(cells[0] + cells[1] > 0, "yes", "no")
    path = write_table(tmp_path / "t.parquet", {**{f"c{i}": c for i, c in enumerate(cells)}, "y": target})
    profile = profile_table(path)
    executor = ProcessExecutor(train, threads=2, memory_mb=4_000, libraries=["lightgbm", "sklearn.linear_model"])
    began = time.monotonic()
    found = search(
        path,
        TrainingSpec(DataRef("t"), "y", timeout_s=timeout_s, **spec),
        profile,
        folder=tmp_path / "trials",
        executor=executor,
        clock=time.time,
        on_trial=lambda trial: None,
        should_stop=bool,
    )
    assert found.best.metrics["AUC_weighted"] > 0.6
    return time.monotonic() - began


def test_a_table_of_400_columns_has_a_model_in_seconds(tmp_path):
    assert search_s(tmp_path, rows=300, columns=400, timeout_s=20, max_trials=1, n_cross_validations=2) < 25


@pytest.mark.full
@pytest.mark.measures
@pytest.mark.parametrize("columns", [2_000, 5_000])
def test_a_table_of_thousands_of_columns_ends_within_its_budget(tmp_path, columns):
    assert search_s(tmp_path, rows=600, columns=columns, timeout_s=30) < 32
