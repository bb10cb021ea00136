"""Microsoft's azureml-inference-server-http, with a score script as Azure's AutoML writes it."""

from pathlib import Path

from perf.peers.comparison import FOLDER
from perf.peers.scoring import Command, Shared

NAME = "azureml-inference-server-http"
SUBJECT = "scoring"
LABEL = "azureml-inference-server-http"
PYTHON = "3.11"
REQUIREMENTS = (
    "azureml-inference-server-http==1.5.1",
    "lightgbm==4.6.0",
    "pandas==2.3.3",
    "scikit-learn==1.7.2",
    "pyarrow>=21",
)

# The command `azmlinfsrv` always listens on every interface: it passes gunicorn its constant DEFAULT_HOST and takes no
# host. This is the same command with that one constant changed; all else is as it comes.
LAUNCH = "import azureml_inference_server_http.amlserver as s; s.DEFAULT_HOST = '127.0.0.1'; s.run()"


def server(python: Path, shared: Shared, port: int) -> Command:
    """One gunicorn worker, its default."""
    script = FOLDER / "scripts" / "automl_score.py"
    words = [str(python), "-c", LAUNCH, "--entry_script", str(script), "--port", str(port), "--model_dir"]
    fitted = shared.work / f"{NAME}.fitted"
    environment = {
        "PEER_FITTED": str(fitted),
        "PEER_TABLE": str(shared.table),
        "PEER_TARGET": shared.target,
        "AML_APP_ROOT": str(shared.work),
        "AZUREML_LOG_LEVEL": "WARNING",
    }
    return Command([*words, str(shared.work)], environment, fitted)
