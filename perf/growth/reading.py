"""A text table registered, and what a training does before its first trial and after its last."""

from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq

from core.domain.data import DataRef, DataSource
from core.domain.training import TrainingSpec
from core.ml.data.prepare import Prepared as Posed
from core.ml.data.prepare import prepare
from core.ml.data.profile import profile_table
from core.ml.drift.reference import Reference
from core.ml.drift.table import reference_of
from core.predict.folder import load_model
from core.sources import Ingested, Source, ingest
from perf.growth.axis import Axis
from perf.growth.made import TARGET, made_table
from perf.models import bench
from perf.workloads.workload import Prepared

ROWS, COLUMNS = 300, 10
ROW_SIZES, COLUMN_SIZES = (1_000, 10_000, 100_000, 1_000_000), (10, 100, 1_000, 5_000)


def _registration(folder: Path, *, rows: int = ROWS, columns: int = COLUMNS) -> Prepared:
    """From a text to Parquet and its profile."""
    text, parquet = folder / "table.csv", folder / "registered.parquet"
    pyarrow.csv.write_csv(pq.ParquetFile(made_table(folder, rows, columns)).read(), text)
    source = Source(DataSource.FILE, str(text), "growth", text)

    def call() -> Ingested:
        found = ingest(source, parquet)
        profile_table(parquet, TARGET)
        return found

    def check(found: Ingested) -> None:
        assert (found.rows, len(found.columns)) == (rows, columns + 1)

    return Prepared(call, check)


def _prepare(folder: Path, *, rows: int = ROWS, columns: int = COLUMNS) -> Prepared:
    table = made_table(folder, rows, columns)
    profile, spec = profile_table(table), TrainingSpec(DataRef("growth"), TARGET)

    def check(found: Posed) -> None:
        assert (found.problem.rows, len(found.problem.codes)) == (rows, columns)

    return Prepared(lambda: prepare(table, spec, profile), check)


def _reference(folder: Path, *, rows: int = ROWS, columns: int = COLUMNS) -> Prepared:
    """What recent rows are compared with later, from the rows that a model has learned from."""
    table = made_table(folder, rows, columns)
    fitted = bench(table, TARGET)
    predictor = load_model(fitted.write(folder / "model", [(1.0, fitted.lightgbm(10, 8))]))

    def check(found: Reference) -> None:
        assert (found.rows, len(found.columns)) == (rows, columns)
        assert 0.99 < sum(found.importance.values()) < 1.01

    return Prepared(lambda: reference_of(table, rows, predictor), check)


AXES = (
    Axis("registration: rows", "rows of 10 columns", ROW_SIZES, lambda f, n: _registration(f, rows=n), budget_s=30),
    Axis("registration: columns", "columns of 300 rows", COLUMN_SIZES, lambda f, n: _registration(f, columns=n)),
    Axis("prepare: rows", "rows of 10 columns", ROW_SIZES, lambda f, n: _prepare(f, rows=n), budget_s=20),
    Axis("prepare: columns", "columns of 300 rows", COLUMN_SIZES, lambda f, n: _prepare(f, columns=n)),
    Axis("reference: columns", "columns of 300 rows", COLUMN_SIZES, lambda f, n: _reference(f, columns=n)),
)
