"""Vetiver's API with the input checked against its prototype."""

from pathlib import Path
from typing import Any

from perf.peers.pipeline import PINS, SCRIPTS, fitted
from perf.peers.scoring import Command, Rows, Shared

NAME = "vetiver"
SUBJECT = "scoring"
LABEL = "vetiver"
PYTHON = "3.11"
REQUIREMENTS = ("vetiver==0.2.6", "fastapi==0.165.0", "uvicorn==0.54.0", *PINS)


def server(python: Path, shared: Shared, port: int) -> Command:
    """One uvicorn worker."""
    words = [str(python), "-m", "uvicorn", "--app-dir", str(SCRIPTS), "vetiver_app:app", "--no-access-log"]
    words += ["--host", "127.0.0.1", "--port", str(port)]
    model = fitted(python, shared, NAME)
    return Command(words, {"PEER_MODEL": str(model)}, path="/predict", body=_body, labels=_labels)


def _body(rows: Rows) -> Any:
    return rows


def _labels(answer: Any) -> Any:
    return answer["predict"]
