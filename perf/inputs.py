"""What workloads share, made once: `python -m perf.inputs FOLDER`.

The table is the Bank Marketing twin, so that every machine measures the same rows.
"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from perf.workloads.moved import names_of
from perf.workloads.workload import Inputs

TARGET = "y"


def make(folder: Path) -> Inputs:
    """Fill an empty folder."""
    from core.ml.bank_twin import twin_columns
    from perf.models import bench

    inputs = Inputs(folder)
    inputs.scratch.mkdir(parents=True)
    pq.write_table(pa.table({name: pa.array(values) for name, values in twin_columns(7).items()}), inputs.table)
    fitted = bench(inputs.table, TARGET)
    forest = fitted.lightgbm()
    fitted.write(inputs.single, [(1.0, forest)])
    fitted.write(inputs.ensemble, [(0.5, forest), (0.3, fitted.xgboost()), (0.2, fitted.logistic())])
    return inputs


if __name__ == "__main__":
    sys.modules.update(names_of(Path.cwd()))
    make(Path(sys.argv[1]))
