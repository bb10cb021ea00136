"""A text table registered, and what a training does before its first trial."""

from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq

from core.domain.data import DataRef, DataSource
from core.domain.training import TrainingSpec
from core.ml.data.prepare import Prepared as Posed
from core.ml.data.prepare import prepare
from core.ml.data.profile import profile_table
from core.sources import Ingested, Source, ingest
from perf.growth.axis import Axis
from perf.growth.made import TARGET, made_table
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


AXES = (
    Axis("registration: rows", "rows of 10 columns", ROW_SIZES, lambda f, n: _registration(f, rows=n), budget_s=30),
    Axis("registration: columns", "columns of 300 rows", COLUMN_SIZES, lambda f, n: _registration(f, columns=n)),
    Axis("prepare: rows", "rows of 10 columns", ROW_SIZES, lambda f, n: _prepare(f, rows=n), budget_s=20),
    Axis("prepare: columns", "columns of 300 rows", COLUMN_SIZES, lambda f, n: _prepare(f, columns=n)),
)
