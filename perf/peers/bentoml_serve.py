"""`bentoml serve`, one worker."""

from pathlib import Path

from perf.peers.pipeline import PINS, SCRIPTS, fitted
from perf.peers.scoring import Command, Shared

NAME = "bentoml"
SUBJECT = "scoring"
LABEL = "BentoML"
PYTHON = "3.11"
REQUIREMENTS = ("bentoml==1.4.40", *PINS)


def server(python: Path, shared: Shared, port: int) -> Command:
    """Started from its folder of services, with a home of its own in the run's folder."""
    words = [str(python), "-m", "bentoml", "serve", "--working-dir", str(SCRIPTS), "bentoml_service:Bank"]
    environment = {
        "PEER_MODEL": str(fitted(python, shared, NAME)),
        "BENTOML_HOME": str(shared.work / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "true",
    }
    return Command([*words, "--host", "127.0.0.1", "--port", str(port)], environment)
