"""The rows of a table scored by a batch job, through a real server: the job's own time, the server's is `scoring`."""

import csv
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from core.domain.batch import BatchResult
from core.domain.endpoint import Deployment, DeploymentState, Endpoint, EndpointLimits, EndpointState, GateState
from core.predict.folder import load_model
from core.work.batch import Batch, Table, score_table
from perf.growth.axis import Axis
from perf.growth.made import TARGET, made_table
from perf.models import bench
from perf.servers import serving
from perf.workloads.workload import Prepared

COLUMNS, TRAINING_ROWS = 10, 4_000
TREES, LEAVES = 10, 8


def scored(folder: Path, *, rows: int, columns: int = COLUMNS) -> Prepared:
    """A table of so many rows, scored anew by each call into a file that is checked row by row."""
    table, stack, numbers = made_table(folder / "rows", rows, columns), ExitStack(), count()
    fitted = bench(made_table(folder / "training", TRAINING_ROWS, columns), TARGET)
    model = fitted.write(folder / "model", [(1.0, fitted.lightgbm(TREES, LEAVES))])
    own = folder / "server"
    own.mkdir()
    served = stack.enter_context(serving(model, own))
    signature, target = load_model(model).signature, served.target
    output = folder / "scored.csv"

    def call() -> BatchResult:
        job = folder / f"job-{next(numbers)}"
        job.mkdir()
        batch = Batch(
            job,
            output,
            Table.of("growth", table),
            _endpoint(target.url),
            "",
            lambda _: signature,
            lambda _: target,
            lambda _: None,
        )
        return score_table(batch)

    def check(result: BatchResult) -> None:
        assert (result.rows, result.scored, result.refused) == (rows, rows, 0)
        with output.open(newline="") as file:
            assert sum(row["prediction"] in signature.classes for row in csv.DictReader(file)) == rows

    return Prepared(call, check, stack.close)


def _endpoint(url: str) -> Endpoint:
    only = Deployment("v1", "growth", "growth", 1, DeploymentState.READY, GateState.PASSED, 0.0)
    return Endpoint(
        "growth",
        EndpointState.READY,
        f"{url}/score",
        f"{url}/swagger.json",
        {"v1": 100},
        {},
        (only,),
        EndpointLimits(),
        0.0,
    )


AXES = (
    Axis(
        "batch: rows",
        "rows of 10 columns",
        (2_000, 10_000, 50_000, 250_000),
        lambda folder, n: scored(folder, rows=n),
        budget_s=20,
    ),
)
