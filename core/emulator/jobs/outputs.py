"""What runs leave behind: files in the artifact store, below `ExperimentRun/dcid.{run}/`, as Azure lays them out."""

import hashlib
import re
import tempfile
from pathlib import Path
from urllib.parse import quote

from core.domain.errors import SlipwayError
from core.emulator import blobs
from core.emulator.arm.resources import WORKSPACE, known
from core.emulator.emulation import Emulation
from core.emulator.jobs import runs
from core.emulator.jobs.runs import Run
from core.emulator.messages import Document, Reply, Request
from core.emulator.routes import Route
from core.emulator.storage.access import container_sas

CONTAINER = "azureml"
"""Of the datastore `workspaceartifactstore`."""
MODEL = "outputs/mlflow-model"
OUTPUT_ID = re.compile(r"/data/azureml_(?P<run>.+)_output_data_(?P<name>[^/]+)/versions/")


def prefix(run_id: str) -> str:
    """Where the files of a run lie in the container."""
    return f"ExperimentRun/dcid.{run_id}"


def model_uri(emulation: Emulation, run_id: str) -> str:
    """The address of the MLflow model that a run has left."""
    return f"azureml://datastores/workspaceartifactstore/paths/{prefix(run_id)}/{MODEL}"


def ensure(emulation: Emulation, run_id: str) -> None:
    """Lay down the files of a run that has some and has not been asked for them before: the model of a trial."""
    run = runs.find(emulation, run_id)
    if run is None or run.kind != "trial" or run.status != "Completed" or run.local.get("laid"):
        return
    name = f"azureml-{hashlib.sha256(run.id.lower().encode()).hexdigest()[:12]}"
    try:
        model = emulation.workspace.models.register(name, run.local["job"], run.local["trial"])
    except SlipwayError:
        return  # it cannot be deployed: such a run has no model
    with tempfile.TemporaryDirectory(dir=emulation.folder) as inside:
        folder = emulation.workspace.models.package(model.name, model.version, Path(inside) / "model")
        blobs.write_folder(emulation, CONTAINER, f"{prefix(run.id)}/{MODEL}", folder)
    local = {**run.local, "laid": True, "model": model.name, "version": model.version}
    runs.change(emulation, run.id, local=local)


def files(emulation: Emulation, run_id: str) -> tuple[str, ...]:
    """The files of a run, by their paths below its root."""
    ensure(emulation, run_id)
    start = f"{prefix(run_id)}/"
    return tuple(blob.name.removeprefix(start) for blob in blobs.listed(emulation, CONTAINER, start))


def asset(emulation: Emulation, run: Run, name: str) -> Document:
    """An output as run history shows it: the id of the data that it is."""
    return {"assetId": asset_id(emulation, run.id, name), "type": run.output_types.get(name, "uri_folder")}


def asset_id(emulation: Emulation, run_id: str, name: str) -> str:
    """The id under which the data plane knows an output."""
    names = emulation.names
    return (
        f"azureml://locations/{names.region}/workspaces/{names.workspace_id}/data"
        f"/azureml_{run_id}_output_data_{name}/versions/1"
    )


def resolved(emulation: Emulation, request: Request) -> Reply:
    """Where the data of these ids lie."""
    known(emulation, request)
    values: Document = {}
    for wanted in request.document().get("values") or []:
        found = OUTPUT_ID.search(str(wanted))
        run = runs.find(emulation, found["run"]) if found else None
        if found and run and found["name"] in run.outputs:
            values[wanted] = {
                "uri": run.outputs[found["name"]],
                "type": run.output_types.get(found["name"], "uri_folder"),
            }
    return Reply(body={"values": values})


def readable_url(emulation: Emulation, name: str) -> str:
    """An address of a file that anybody may read for a while."""
    signature = container_sas(emulation, CONTAINER, permissions="rl")
    return f"https://{emulation.names.blob_host}/{CONTAINER}/{quote(name)}?{signature}"


ROUTES = (Route("POST", "api", "/data/v1.0" + WORKSPACE + "/dataversion/batchGetResolvedUris", resolved),)
