"""Run history: every run as `GET /history/v1.0{workspace}/runs/{id}` shows it, its children, and its log files."""

from dataclasses import replace

from core.emulator import blobs
from core.emulator.arm.resources import WORKSPACE, known
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.jobs import automl_log, ending, experiments, outputs, runs
from core.emulator.jobs.run_document import document
from core.emulator.jobs.runs import Run
from core.emulator.jobs.watching import current
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.routes import Handler, Route


def show(emulation: Emulation, request: Request) -> Reply:
    """One run."""
    return Reply(body=document(emulation, _run(emulation, request)))


def children(emulation: Emulation, request: Request) -> Reply:
    """The children of a run, a page at a time."""
    run = _run(emulation, request)
    found = [document(emulation, child) for child in runs.children(emulation, run.id)]
    top, start = int(request.query.get("$top", "500")), int(request.query.get("$continuationtoken", "0") or 0)
    body: Document = {"value": found[start : start + top]}
    if start + top < len(found) and "$top" not in request.query:
        body["nextLink"] = f"https://{request.host}{request.path}?$continuationtoken={start + top}"
    return Reply(body=body)


def details(emulation: Emulation, request: Request) -> Reply:
    """What a client that watches a run needs: its status, and where its logs can be read."""
    run = _run(emulation, request)
    shown = document(emulation, run)
    fields = (
        "runId", "runUuid", "parentRunUuid", "rootRunUuid", "target", "status", "parentRunId", "startTimeUtc",
        "endTimeUtc", "error", "warnings", "tags", "properties", "parameters", "services", "inputDatasets",
        "outputDatasets", "runDefinition", "revision", "runTypeV2",
    )  # fmt: skip
    body = {name: shown[name] for name in fields}
    return Reply(body=body | {"createdTimeUtc": shown["createdUtc"], "logFiles": logs(emulation, run), "jobCost": None})


def logs(emulation: Emulation, run: Run) -> dict[str, str]:
    """Log file -> an address that anybody may read, as Azure signs one."""
    automl_log.refresh(emulation, run)
    start = f"{outputs.prefix(run.id)}/"
    names = [blob.name for blob in blobs.listed(emulation, outputs.CONTAINER, start)]
    kept = ("user_logs/", "system_logs/", "logs/", "azureml-logs/")
    return {
        name.removeprefix(start): outputs.readable_url(emulation, name)
        for name in names
        if name.removeprefix(start).startswith(kept)
    }


def rundata(emulation: Emulation, request: Request) -> Reply:
    """One run with its definition."""
    known(emulation, request)
    asked = request.document()
    return Reply(body=_data(emulation, str(asked.get("runId", ""))))


def batch_rundata(emulation: Emulation, request: Request) -> Reply:
    """Several runs with their definitions; those that are not there have an error in their place."""
    known(emulation, request)
    answers: Document = {"successfulResults": {}, "failedResults": {}}
    for name, asked in (request.document().get("requests") or {}).items():
        try:
            answers["successfulResults"][name] = _data(emulation, str(asked.get("runId", name)))
        except AzureError as e:
            answers["failedResults"][name] = {"error": {"code": e.code, "message": e.message}}
    return Reply(body=answers)


def modify(emulation: Emulation, request: Request) -> Reply:
    """Make a run, or change one that is there: its names, tags, properties, status."""
    known(emulation, request)
    sent, run_id = request.document(), request.found["run"]
    with emulation.state.lock:
        run = runs.find(emulation, run_id)
        if run is None:
            name = _experiment_name(emulation, request) or runs.DEFAULT_EXPERIMENT
            experiments.ensure(emulation, name)
            now = emulation.clock.now()
            run = Run(run_id, name, "mlflow", now, parent=sent.get("parentRunId") or "", display_name=run_id)
        run = replace(
            run,
            display_name=sent.get("displayName") or run.display_name,
            description=run.description if sent.get("description") is None else sent["description"],
            tags={**run.tags, **(sent.get("tags") or {})},
            properties={**run.properties, **(sent.get("properties") or {})},
            archived=run.archived if sent.get("hidden") is None else bool(sent["hidden"]),
        )
        if run.kind == "mlflow" and sent.get("status"):
            run = replace(run, status=sent["status"])
        runs.keep(emulation, run)
    return Reply(body=document(emulation, run))


def tags(emulation: Emulation, request: Request) -> Reply:
    """Change or delete tags of a run."""
    run = _run(emulation, request)
    sent = request.document() if request.method == "PATCH" else {}
    gone = sent.get("tagsToDelete") or sent.get("tags_to_delete") or []
    kept = {name: value for name, value in run.tags.items() if name not in gone}
    run = runs.change(emulation, run.id, tags={**kept, **(sent.get("tagsToModify") or sent.get("values") or {})})
    return Reply(body=document(emulation, run))


def cancel(emulation: Emulation, request: Request) -> Reply:
    """Ask a run to end."""
    run = ending.cancel(emulation, _run(emulation, request))
    return Reply(body=document(emulation, run))


def by_ids(emulation: Emulation, request: Request) -> Reply:
    """The runs of these ids."""
    known(emulation, request)
    ids = request.document().get("runIds") or []
    found = [run for each in ids if (run := runs.find(emulation, str(each)))]
    return Reply(body={"runs": {run.id: document(emulation, run) for run in found}, "errors": {}})


def no_instances(emulation: Emulation, request: Request) -> Reply:
    """Services on the node of a run: none is run here."""
    _run(emulation, request)
    return Reply(body={"instances": {}})


def event(emulation: Emulation, request: Request) -> Reply:
    """`azureml.start` and its like, by which a client tells what becomes of a run of its own."""
    run = _run(emulation, request)
    name = str(request.document().get("name", "")).lower()
    statuses = {
        "microsoft.machinelearning.run.start": "Running",
        "microsoft.machinelearning.run.completed": "Completed",
    }
    statuses |= {"microsoft.machinelearning.run.failed": "Failed", "microsoft.machinelearning.run.canceled": "Canceled"}
    if run.kind == "mlflow" and name in statuses:
        status = statuses[name]
        if status in runs.FINAL:
            runs.ended(emulation, run.id, status)
        else:
            runs.change(emulation, run.id, status=status, started_at=emulation.clock.now())
    return Reply()


def experiment(emulation: Emulation, request: Request) -> Reply:
    """An experiment by its name or its id."""
    known(emulation, request)
    found = (
        experiments.by_number(emulation, request.found["experiment_id"])
        if "experiment_id" in request.found
        else experiments.find(emulation, request.found["experiment"])
    )
    if found is None:
        raise AzureError(404, "UserError", "The experiment was not found")
    return Reply(
        body={
            "experimentId": found["id"],
            "name": found["name"],
            "description": "",
            "createdUtc": iso(found["created_at"]),
            "tags": found["tags"],
            "archivedTime": None,
            "retainForLifetimeOfWorkspace": False,
            "artifactLocation": "",
        }
    )


def _run(emulation: Emulation, request: Request) -> Run:
    known(emulation, request)
    return current(emulation, runs.get(emulation, request.found["run"]))


def _data(emulation: Emulation, run_id: str) -> Document:
    run = ending.advanced(emulation, runs.get(emulation, run_id))
    job = emulation.state.get(runs.job_path(emulation, run.id), {})
    return {
        "runMetadata": document(emulation, run),
        "runDefinition": job.get("properties"),
        "jobSpecification": None,
        "systemSettings": None,
    }


def _experiment_name(emulation: Emulation, request: Request) -> str:
    if "experiment_id" in request.found:
        found = experiments.by_number(emulation, request.found["experiment_id"])
        return str(found["name"]) if found else ""
    return request.found.get("experiment", "")


def _routes() -> tuple[Route, ...]:
    base = "/history/v1.0" + WORKSPACE
    by_run: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "", show), ("PATCH", "", modify), ("POST", "", modify), ("GET", "/children", children),
        ("GET", "/details", details), ("PATCH", "/tags", tags), ("DELETE", "/tags", tags), ("POST", "/cancel", cancel),
        ("POST", "/events", event), ("GET", "/serviceinstances/{node}", no_instances),
    )  # fmt: skip
    groups = ("", "/experiments/{experiment}", "/experimentids/{experiment_id}")
    return (
        Route("POST", "api", base + "/rundata", rundata),
        Route("POST", "api", base + "/batchrundata", batch_rundata),
        *(Route("POST", "api", f"{base}{group}/runs/runIds", by_ids) for group in groups),
        *(
            Route(verb, "api", f"{base}{group}/runs/{{run}}{tail}", handler)
            for group in groups
            for verb, tail, handler in by_run
        ),
        *(Route("GET", "api", f"{base}{group}", experiment) for group in groups[1:]),
    )


ROUTES = _routes()
