"""One body scored: decode, predict, encode, as a deployment does it, without a socket."""

import json
import random
from itertools import cycle
from pathlib import Path

from core.contract import samples
from core.contract.endpoint_file import DeploymentFile
from core.domain.endpoint import EndpointLimits
from core.predict.folder import load_model
from core.serving.app import App
from core.serving.deployment import load_deployment
from core.serving.http import Head
from core.serving.metrics import Metrics
from core.serving.state import State
from core.serving.telemetry import Telemetry
from perf.growth.axis import Axis
from perf.growth.made import TARGET, made_table
from perf.models import bench
from perf.workloads.scoring import KEY, SEED, endpoint_file
from perf.workloads.workload import Prepared

TABLE_ROWS, TABLE_COLUMNS = 8_000, 20
TREES, FEW_TREES = 300, 10
LEAVES = 8
"""So few that all forests are equally deep: of many trees with 31 leaves the deepest is deeper, and all walk so far."""
ROWS = 100
CELLS_MAX = 400_000
"""Of all bodies of one size together: different bodies in turn, for one alone flatters tree code."""


def _score(folder: Path, *, rows: int = ROWS, trees: int = TREES, columns: int = TABLE_COLUMNS) -> Prepared:
    model = _model(folder, trees, columns)
    limits = EndpointLimits(max_rows=rows, max_body_mb=200)
    deployment = load_deployment("v1", DeploymentFile(str(model), "growth", 1), limits, load_model)
    count = max(2, min(32, CELLS_MAX // (rows * columns)))
    some = samples.rows(deployment.predictor.signature, rows * count, SEED)
    turns = cycle([samples.body(some[at : at + rows]) for at in range(0, len(some), rows)])

    def check(scored: object) -> None:
        assert len(json.loads(scored.reply)["result"]) == rows  # type: ignore[attr-defined]

    return Prepared(lambda: deployment.score(next(turns)), check)


def _model(folder: Path, trees: int, columns: int = TABLE_COLUMNS) -> Path:
    fitted = bench(made_table(folder, TABLE_ROWS, columns), TARGET)
    return fitted.write(folder / "model", [(1.0, fitted.lightgbm(trees, LEAVES))])


def _routed(folder: Path, deployments: int) -> Prepared:
    """A whole request in process, to an endpoint whose traffic is shared by so many."""
    model = _model(folder, FEW_TREES)
    telemetry = Telemetry(folder / "telemetry", log_fd=None)
    app = _shared_by(folder, model, deployments, telemetry)
    signature = load_model(model).signature
    bodies = [samples.body([row] * 2) for row in samples.rows(signature, 64, SEED)]
    sent = {b"authorization": f"Bearer {KEY}".encode(), b"content-type": b"application/json"}
    heads = cycle([(Head("POST", "/score", b"", {**sent, b"content-length": b"%d" % len(b)}), b) for b in bodies])

    def answer() -> bytes:
        head, body = next(heads)
        exchange, settled = app.begin(head)
        assert settled is None
        reply: bytes = app.encode(exchange, app.finish(exchange, body), closing=None)
        return reply

    def check(reply: bytes) -> None:
        assert reply.startswith(b"HTTP/1.1 200 ")
        assert len(app.now.deployments) == deployments

    def close() -> None:
        app.close()
        telemetry.close()

    return Prepared(answer, check, close)


def _shared_by(folder: Path, model: Path, deployments: int, telemetry: Telemetry) -> App:
    """An endpoint as the servers load it: as many copies of the model as deployments, each with the same traffic."""
    file = endpoint_file(folder, model, 9)
    content = json.loads(file.read_text("utf-8"))
    named = {f"v{number}": content["deployments"]["v1"] for number in range(1, deployments + 1)}
    file.write_text(json.dumps(content | {"deployments": named, "traffic": dict.fromkeys(named, 1)}), "utf-8")
    return App(State(file, load_model), telemetry, draw=random.Random(SEED).random, metrics=Metrics())


AXES = (
    Axis("scoring: rows", "rows a request", (100, 400, 1600, 6400), lambda folder, n: _score(folder, rows=n)),
    Axis("scoring: trees", "trees", (64, 256, 1024, 4096), lambda folder, n: _score(folder, trees=n)),
    Axis(
        "scoring: columns",
        "columns",
        (16, 64, 256, 1024),
        lambda folder, n: _score(folder, trees=FEW_TREES, columns=n),
    ),
    Axis("scoring: deployments", "deployments that share traffic", (1, 4, 16, 64), _routed),
)
