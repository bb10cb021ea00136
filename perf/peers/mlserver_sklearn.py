"""MLServer with its scikit-learn runtime, asked in the V2 inference protocol with a table."""

from pathlib import Path
from typing import Any

from perf.peers.pipeline import PINS, fitted
from perf.peers.scoring import Command, Rows, Shared, free_port

NAME = "mlserver"
SUBJECT = "scoring"
LABEL = "MLServer"
PYTHON = "3.11"
# uvloop 0.22 took away what its inference worker starts with.
REQUIREMENTS = ("mlserver==1.7.1", "mlserver-sklearn==1.7.1", "uvloop==0.21.0", *PINS)


def server(python: Path, shared: Shared, port: int) -> Command:
    """Its default: the HTTP server and one inference worker."""
    model = fitted(python, shared, NAME, "mlserver")
    environment = {
        "MLSERVER_HOST": "127.0.0.1",
        "MLSERVER_HTTP_PORT": str(port),
        "MLSERVER_GRPC_PORT": str(free_port()),
        "MLSERVER_METRICS_PORT": str(free_port()),
    }
    words = [str(python.parent / "mlserver"), "start", str(model)]
    return Command(words, environment, path="/v2/models/bank/infer", body=_body, labels=_labels)


def _body(rows: Rows) -> Any:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {"parameters": {"content_type": "pd"}, "inputs": [_input(*column) for column in columns.items()]}


def _input(name: str, values: list[Any]) -> dict[str, Any]:
    if isinstance(values[0], str):
        kind: dict[str, Any] = {"datatype": "BYTES", "parameters": {"content_type": "str"}}
    else:
        kind = {"datatype": "INT64" if all(isinstance(value, int) for value in values) else "FP64"}
    return {"name": name, "shape": [len(values)], "data": values, **kind}


def _labels(answer: Any) -> Any:
    return answer["outputs"][0]["data"]
