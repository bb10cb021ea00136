"""`mlflow models serve`, with the model's signature."""

from pathlib import Path
from typing import Any

from perf.peers.pipeline import PINS, fitted
from perf.peers.scoring import Command, Rows, Shared

NAME = "mlflow"
SUBJECT = "scoring"
LABEL = "mlflow models serve"
PYTHON = "3.11"
REQUIREMENTS = ("mlflow==3.17.0", *PINS)


def server(python: Path, shared: Shared, port: int) -> Command:
    """One worker, in the environment that fitted the model."""
    model = fitted(python, shared, NAME, "mlflow")
    words = [str(python.parent / "mlflow"), "models", "serve", "--env-manager", "local", "--workers", "1"]
    words += ["--model-uri", str(model), "--host", "127.0.0.1", "--port", str(port)]
    # It starts `uvicorn` by name.
    path = {"PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin", "MLFLOW_DISABLE_TELEMETRY": "true"}
    return Command(words, path, path="/invocations", body=_body, labels=_labels)


def _body(rows: Rows) -> Any:
    return {"dataframe_records": rows}


def _labels(answer: Any) -> Any:
    return answer["predictions"]
