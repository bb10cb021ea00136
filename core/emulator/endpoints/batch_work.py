"""Scoring a table by a batch deployment: a batch job of the workspace, shown as a job of Azure ML."""

import csv
import io
import uuid
from collections.abc import Iterator
from itertools import repeat

from core.domain.batch import BatchSpec
from core.domain.endpoint import DeploymentState
from core.domain.errors import SlipwayError
from core.domain.job import JobState
from core.emulator import blobs
from core.emulator.assets import open_data
from core.emulator.assets.tables import parts
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.endpoints import places
from core.emulator.endpoints.checks import refused
from core.emulator.jobs import experiments, runs, shapes
from core.emulator.jobs.runs import Run
from core.emulator.messages import AzureError, Document
from core.emulator.names import NAMESPACE

KIND = "batch"
OUTPUT = "score"
TABLES = ("urifile", "urifolder", "mltable")
WHO = "Slipway's emulation"
PREDICTION = "prediction"


def submit(emulation: Emulation, deployment: Document, name: str, inputs: Document, experiment: str) -> None:
    """Accept a job that scores one table; the tick begins it. Raises AzureError for what is no table."""
    tables = {key: given for key, given in inputs.items() if _type(given) in TABLES}
    if len(tables) != 1 or len(inputs) != 1:
        raise refused(
            f"A model deployment of the emulation scores one table, got {len(inputs)} inputs"
            f" ({', '.join(str(given['jobInputType']) for given in inputs.values()) or 'none'}).",
            "NotSupported",
        )
    ((_, given),) = tables.items()
    source, refusal, files = "", "", []
    try:
        source = str(open_data(emulation, str(given.get("uri") or "")))
        files = parts(emulation, str(given.get("uri") or "")) if "/" in source else []
    except AzureError as e:  # as on Azure, the job fails and says why
        refusal = e.message
    uri = f"azureml://datastores/workspaceblobstore/paths/azureml/{name}/{OUTPUT}/"
    run = Run(
        id=name,
        experiment=experiment,
        kind=KIND,
        created_at=emulation.clock.now(),
        root=name,
        display_name=name,
        tags={
            "outputType": "output_data", "inputType": "input_data", "azureml.batchrun": "true",
            "azureml.deploymentname": deployment["name"], "azureml.jobtype": "azureml.batchjob",
        },
        properties={"azureml.runsource": "azureml.PipelineRun", "runSource": "Unavailable", "runType": "HTTP"},
        local={"deployment": deployment["id"], "source": source, "file": deployment["properties"]["outputFileName"],
               "files": files, "refusal": refusal},
        outputs={OUTPUT: uri},
        output_types={OUTPUT: "uri_folder"},
    )  # fmt: skip
    experiments.ensure(emulation, experiment)
    runs.keep(emulation, run)
    _keep_child(emulation, run)
    emulation.state.put(runs.job_path(emulation, name), _document(emulation, run, inputs, uri))


def _keep_child(emulation: Emulation, run: Run) -> None:
    """The one step of the job, whose output is the job's: clients look for it there."""
    child = Run(
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"batchscoring/{run.id}")),
        experiment=run.experiment,
        kind="phase",
        created_at=run.created_at,
        parent=run.id,
        root=run.id,
        display_name="batchscoring",
        outputs=run.outputs,
        output_types=run.output_types,
    )
    runs.keep(emulation, child)
    runs.child_document(emulation, child)


def _ended(emulation: Emulation, run: Run, status: str, error: Document | None = None) -> Run:
    for child in runs.children(emulation, run.id):
        runs.ended(emulation, child.id, status, error)
    return runs.ended(emulation, run.id, status, error)


def _type(given: Document) -> str:
    return str(given["jobInputType"]).lower().replace("_", "")


def _document(emulation: Emulation, run: Run, inputs: Document, uri: str) -> Document:
    common = shapes.common(emulation, run.id, {"jobType": "Pipeline", "experimentName": run.experiment})
    kinds = {"urifile": "uri_file", "urifolder": "uri_folder"}
    given = {key: {**each, "jobInputType": kinds.get(_type(each), _type(each))} for key, each in inputs.items()}
    outputs = {
        OUTPUT: {
            "description": None, "uri": uri, "assetName": None, "assetVersion": None, "mode": "ReadWriteMount",
            "jobOutputType": "uri_folder",
        }
    }  # fmt: skip
    properties = common | {
        "settings": {}, "jobs": {}, "inputs": shapes.job_inputs(given), "sourceJobId": None,
        "outputs": shapes.default_output(run.id) | outputs,
    }  # fmt: skip
    document = {
        "id": runs.job_path(emulation, run.id),
        "name": run.id,
        "type": f"{NAMESPACE}/workspaces/jobs",
        "properties": properties,
        "systemData": {"createdAt": iso(run.created_at), "createdBy": WHO, "createdByType": "Application"},
    }
    return shapes.now_shown(document, run)


def begin(emulation: Emulation, run: Run) -> Run:
    """Queue the batch job of the workspace, once the model is loaded."""
    serving = emulation.state.get(f"batch-serving/{run.local['deployment'].lower()}")
    if serving is None:
        return _failed(emulation, run, "The deployment was deleted")
    if refusal := serving.get("refusal") or run.local.get("refusal"):
        return _failed(emulation, run, refusal)
    name, local = places.batch_endpoint(run.local["deployment"]), serving["local"]
    try:
        endpoint = emulation.workspace.endpoints.get(name)
        found = next((each for each in endpoint.deployments if each.name == local), None)
        if found is None or found.state is DeploymentState.FAILED:
            return _failed(emulation, run, (found and found.error) or "The model does not load")
        if found.state is not DeploymentState.READY or not endpoint.settled:
            return run
        spec = BatchSpec(name, deployment=local, source=run.local["source"], experiment_name=run.experiment)
        job = emulation.workspace.jobs.submit(spec)
    except SlipwayError as e:
        return _failed(emulation, run, f"{e} {e.hint}".strip())
    now = emulation.clock.now()
    return runs.change(emulation, run.id, status="Running", started_at=now, local={**run.local, "job": job.id})


def advance(emulation: Emulation, run: Run) -> Run:
    """Look how far the batch job has come."""
    if "job" not in run.local or run.status == "Finalizing":
        return run
    job = emulation.workspace.jobs.get(run.local["job"])
    if job.state is JobState.SUCCEEDED:
        return runs.change(emulation, run.id, status="Finalizing")
    if job.state is JobState.CANCELED:
        return _ended(emulation, run, "Canceled")
    return _failed(emulation, run, job.message) if job.state is JobState.FAILED else run


def finish(emulation: Emulation, run: Run) -> Run:
    """Lay the answers down where the job's output lies: one line for each row, as Azure writes them."""
    place = f"azureml/{run.id}/{OUTPUT}/{run.local['file']}"
    with emulation.workspace.jobs.open_output(run.local["job"]) as scored:
        rows = csv.reader(io.TextIOWrapper(scored, "utf-8", newline=""))
        answer = _place(next(rows))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        names = _names(run)
        writer.writerows((number, row[answer], next(names)) for number, row in enumerate(rows))
    blobs.write(emulation, emulation.names.container, place, text.getvalue().encode())
    return _ended(emulation, run, "Completed")


def _names(run: Run) -> Iterator[str]:
    """The name of each row's file."""
    for name, rows in run.local.get("files") or ():
        yield from repeat(name, rows)
    yield from repeat(run.local["source"].rpartition("/")[2])


def _place(header: list[str]) -> int:
    """Where the prediction stands: the last column of that name, since the table's own come first."""
    found = [at for at, name in enumerate(header) if name.rstrip("_") == PREDICTION]
    return found[-1]


def cancel(emulation: Emulation, run: Run) -> Run:
    """Ask the batch job to end."""
    if "job" not in run.local:
        return _ended(emulation, run, "Canceled")
    emulation.workspace.jobs.cancel(run.local["job"])
    return runs.change(emulation, run.id, status="CancelRequested")


def _failed(emulation: Emulation, run: Run, message: str) -> Run:
    return _ended(emulation, run, "Failed", {"code": "UserError", "message": message})
