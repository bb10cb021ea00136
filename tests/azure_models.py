"""Models of Azure ML in an emulation, uploaded and registered as the SDK does it, but faster."""

import json
import tempfile
from pathlib import Path

from serving_fakes import write_model
from signatures import bank_signature

from core.contract import samples
from core.domain.signature import Signature
from core.emulator import blobs
from core.emulator.server import Running
from core.packaging.mlflow import write_flavor

SIGNATURE = bank_signature()
BODY = samples.body(samples.rows(SIGNATURE, 2, 1))


def model_folder(folder: Path, *, members: int = 1, signature: Signature = SIGNATURE) -> Path:
    """A folder as `model package` writes it."""
    write_model(folder, signature, members=members)
    card = {
        "algorithm": "LogisticRegression", "trial": 0, "metrics": {"AUC_weighted": 0.9}, "job_id": "elsewhere",
        "created_at": 1_700_000_000.0, "data": {"name": "bank", "version": 1, "sha256": "ab" * 32},
    }  # fmt: skip
    (folder / "card.json").write_text(json.dumps(card))
    write_flavor(folder, signature, job_id="elsewhere", created_at=1_700_000_000.0)
    return folder


def registered(
    running: Running, name: str, version: str = "1", *, folder: Path | None = None, kind: str = "mlflow_model"
) -> str:
    """The ARM id of a model whose files lie in the emulation's storage."""
    emulation = running.emulation
    with tempfile.TemporaryDirectory() as made:
        source = folder or model_folder(Path(made) / "model", members=1 + int(version))
        blobs.write_folder(emulation, emulation.names.container, f"LocalUpload/{name}-{version}/model", source)
    path = f"{emulation.names.workspace_path}/models/{name}/versions/{version}"
    uri = f"azureml://datastores/workspaceblobstore/paths/LocalUpload/{name}-{version}/model"
    properties = {"modelType": kind, "modelUri": uri, "tags": {}, "properties": {}}
    emulation.state.put(path, {"id": path, "name": version, "properties": properties, "systemData": {}})
    return path
