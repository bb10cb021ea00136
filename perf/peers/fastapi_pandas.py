"""FastAPI, pandas and a scikit-learn pipeline: what most people write."""

from pathlib import Path

from perf.peers.pipeline import PINS, SCRIPTS, fitted
from perf.peers.scoring import Command, Shared

NAME = "fastapi"
SUBJECT = "scoring"
LABEL = "pandas + pipeline on FastAPI"
PYTHON = "3.11"
REQUIREMENTS = ("fastapi==0.165.0", "uvicorn[standard]==0.54.0", *PINS)


def server(python: Path, shared: Shared, port: int) -> Command:
    """One uvicorn worker with uvloop and httptools, without access log."""
    words = [str(python), "-m", "uvicorn", "--app-dir", str(SCRIPTS), "fastapi_app:app", "--no-access-log"]
    model = fitted(python, shared, NAME)
    return Command([*words, "--host", "127.0.0.1", "--port", str(port)], {"PEER_MODEL": str(model)})
