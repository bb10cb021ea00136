"""MLflow's tracking: the REST routes that a plain `mlflow` client calls, over the runs of the workspace."""

import secrets
import uuid
from dataclasses import replace
from typing import Any

from core.emulator import blobs
from core.emulator.arm.resources import WORKSPACE, known
from core.emulator.emulation import Emulation
from core.emulator.jobs import experiments, measured, mlflow_shapes, outputs, runs
from core.emulator.jobs.measured import Point
from core.emulator.jobs.mlflow_filter import Fields, ordered, parse
from core.emulator.jobs.runs import Run
from core.emulator.jobs.watching import current
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.routes import Handler, Route

STATUSES = {
    "RUNNING": "Running",
    "FINISHED": "Completed",
    "FAILED": "Failed",
    "KILLED": "Canceled",
    "SCHEDULED": "Queued",
}
PAGE = 1000


def get_run(emulation: Emulation, request: Request) -> Reply:
    """`runs/get`."""
    return Reply(body={"run": mlflow_shapes.run(emulation, _run(emulation, _asked(emulation, request)))})


def search_runs(emulation: Emulation, request: Request) -> Reply:
    """`runs/search`: of the named experiments, or of all where none is named."""
    asked = _asked(emulation, request)
    clauses = parse(asked.get("filter") or asked.get("filter_string") or "")
    wanted = {str(each) for each in asked.get("experiment_ids") or []}
    view = str(asked.get("run_view_type") or "ACTIVE_ONLY").upper()
    found: list[tuple[Fields, Any]] = []
    for run in _current(emulation, clauses):
        if wanted and experiments.number(emulation, run.experiment) not in wanted:
            continue
        if view != "ALL" and run.archived != (view == "DELETED_ONLY"):
            continue
        fields = mlflow_shapes.fields(emulation, run)
        if all(clause.holds(fields) for clause in clauses):
            found.append((fields, run))
    found.sort(key=lambda each: -each[1].created_at)
    page, token = _page(ordered(found, list(asked.get("order_by") or [])), asked)
    body: Document = {"runs": [mlflow_shapes.run(emulation, run) for run in page]}
    return Reply(body=body | ({"next_page_token": token} if token else {}))


def create_run(emulation: Emulation, request: Request) -> Reply:
    """`runs/create`."""
    asked = _asked(emulation, request)
    experiment = experiments.by_number(emulation, str(asked.get("experiment_id") or "0"))
    if experiment is None:
        if str(asked.get("experiment_id") or "0") != "0":
            raise _missing(f"Experiment {asked.get('experiment_id')} was not found")
        experiment = experiments.ensure(emulation, runs.DEFAULT_EXPERIMENT)
    tags = {tag["key"]: tag["value"] for tag in asked.get("tags") or []}
    parent = tags.get("mlflow.parentRunId", "")
    above = runs.find(emulation, parent) if parent else None
    now = _seconds(asked.get("start_time")) or emulation.clock.now()
    run_id = str(uuid.uuid4())
    made = Run(
        id=run_id,
        experiment=experiment["name"],
        kind="mlflow",
        created_at=now,
        status="Running",
        parent=parent,
        root=(above.root or above.id) if above else "",
        display_name=asked.get("run_name") or tags.get("mlflow.runName") or f"run_{secrets.token_hex(4)}",
        started_at=now,
        tags=tags,
    )
    return Reply(body={"run": mlflow_shapes.run(emulation, runs.keep(emulation, made))})


def update_run(emulation: Emulation, request: Request) -> Reply:
    """`runs/update`: its status, its name, its end."""
    asked = _asked(emulation, request)
    run = _run(emulation, asked)
    status = STATUSES.get(str(asked.get("status") or "").upper(), "")
    if run.kind == "mlflow" and status:
        ended_at = (_seconds(asked.get("end_time")) or emulation.clock.now()) if status in runs.FINAL else None
        run = replace(run, status=status, ended_at=ended_at)
    if asked.get("run_name"):
        run = replace(run, display_name=asked["run_name"])
    return Reply(body={"run_info": mlflow_shapes.info(emulation, runs.keep(emulation, run))})


def delete_run(emulation: Emulation, request: Request) -> Reply:
    """`runs/delete`: out of sight, as an archived one is."""
    run = _run(emulation, _asked(emulation, request))
    runs.change(emulation, run.id, archived=True)
    return Reply(body={})


def restore_run(emulation: Emulation, request: Request) -> Reply:
    """`runs/restore`."""
    run = _run(emulation, _asked(emulation, request))
    runs.change(emulation, run.id, archived=False)
    return Reply(body={})


def log_metric(emulation: Emulation, request: Request) -> Reply:
    """`runs/log-metric`."""
    asked = _asked(emulation, request)
    _log(emulation, _run(emulation, asked), metrics=[asked])
    return Reply(body={})


def log_parameter(emulation: Emulation, request: Request) -> Reply:
    """`runs/log-parameter`: a parameter cannot change."""
    asked = _asked(emulation, request)
    _log(emulation, _run(emulation, asked), params=[asked])
    return Reply(body={})


def set_tag(emulation: Emulation, request: Request) -> Reply:
    """`runs/set-tag`."""
    asked = _asked(emulation, request)
    _log(emulation, _run(emulation, asked), tags=[asked])
    return Reply(body={})


def delete_tag(emulation: Emulation, request: Request) -> Reply:
    """`runs/delete-tag`."""
    asked = _asked(emulation, request)
    run = _run(emulation, asked)
    if asked.get("key") not in run.tags:
        raise _missing(f"Run {run.id} has no tag '{asked.get('key')}'")
    runs.change(emulation, run.id, tags={name: value for name, value in run.tags.items() if name != asked["key"]})
    return Reply(body={})


def log_batch(emulation: Emulation, request: Request) -> Reply:
    """`runs/log-batch`."""
    asked = _asked(emulation, request)
    run = _run(emulation, asked)
    _log(emulation, run, asked.get("metrics") or [], asked.get("params") or [], asked.get("tags") or [])
    return Reply(body={})


def log_model(emulation: Emulation, request: Request) -> Reply:
    """`runs/log-model`: which models a run has logged stands in a tag."""
    asked = _asked(emulation, request)
    _log(
        emulation, _run(emulation, asked), tags=[{"key": "mlflow.log-model.history", "value": asked.get("model_json")}]
    )
    return Reply(body={})


def history(emulation: Emulation, request: Request) -> Reply:
    """`metrics/get-history`."""
    asked = _asked(emulation, request)
    run, name = _run(emulation, asked), str(asked.get("metric_key") or "")
    points, token = _page(list(measured.history(emulation, run.id, name)), asked)
    body: Document = {"metrics": [mlflow_shapes.metric(name, point) for point in points]}
    return Reply(body=body | ({"next_page_token": token} if token else {}))


def list_artifacts(emulation: Emulation, request: Request) -> Reply:
    """`artifacts/list`: one level of a run's files."""
    asked = _asked(emulation, request)
    run = _run(emulation, asked)
    base = str(asked.get("path") or "").strip("/")
    start = f"{outputs.prefix(run.id)}/{base}/" if base else f"{outputs.prefix(run.id)}/"
    outputs.ensure(emulation, run.id)
    found: dict[str, Document] = {}
    for blob in blobs.listed(emulation, outputs.CONTAINER, start):
        name, folder, _ = blob.name.removeprefix(start).partition("/")
        path = f"{base}/{name}" if base else name
        found[path] = {"path": path, "is_dir": True} if folder else {
            "path": path, "is_dir": False, "file_size": blob.size,
        }  # fmt: skip
    body = {"root_uri": mlflow_shapes.artifact_uri(emulation, run), "files": [found[path] for path in sorted(found)]}
    return Reply(body=body)


def _log(
    emulation: Emulation,
    run: Run,
    metrics: list[Document] | None = None,
    params: list[Document] | None = None,
    tags: list[Document] | None = None,
) -> None:
    with emulation.state.lock:
        now = runs.get(emulation, run.id)
        given = {str(each["key"]): str(each.get("value", "")) for each in params or []}
        for name, value in given.items():
            if now.params.get(name, value) != value:
                raise AzureError(
                    400,
                    "INVALID_PARAMETER_VALUE",
                    f"Changing param values is not allowed. Param with key='{name}' was already logged with value"
                    f"='{now.params[name]}' for run ID='{run.id}'. Attempted logging new value '{value}'.",
                )
        if given or tags:
            new_tags = {str(each["key"]): str(each.get("value", "")) for each in tags or []}
            named = new_tags.get("mlflow.runName") or now.display_name
            runs.change(
                emulation, run.id, params={**now.params, **given}, tags={**now.tags, **new_tags}, display_name=named
            )
        by_name: dict[str, list[Point]] = {}
        for each in metrics or []:
            by_name.setdefault(str(each["key"]), []).append(_point(emulation, each))
        for name, points in by_name.items():
            measured.add(emulation, run.id, name, points)


def _point(emulation: Emulation, each: Document) -> Point:
    try:
        value = float(each["value"])
    except (KeyError, TypeError, ValueError) as e:
        raise AzureError(400, "INVALID_PARAMETER_VALUE", f"The value of metric '{each.get('key')}' is no number") from e
    at_ms = int(each.get("timestamp") or emulation.clock.now() * 1000)
    return Point(value, at_ms, int(each.get("step") or 0))


def _asked(emulation: Emulation, request: Request) -> Document:
    """What is asked for: in the body of a POST, in the query of a GET."""
    known(emulation, request)
    return request.document() if request.method != "GET" else dict(request.query)


def _run(emulation: Emulation, asked: Document) -> Run:
    run_id = str(asked.get("run_id") or asked.get("run_uuid") or "")
    run = runs.find(emulation, run_id)
    if run is None:
        raise _missing(f"Run with id={run_id} was not found")
    return current(emulation, run)


def _current(emulation: Emulation, clauses: Any) -> list[Run]:
    """All runs, or the children of the one whose children a filter asks for."""
    parents = [c.wanted for c in clauses if (c.kind, c.key, c.sign) == ("tags", "mlflow.parentRunId", "=")]
    for parent in parents:
        if run := runs.find(emulation, parent):
            current(emulation, run)
    return list(runs.children(emulation, parents[0]) if parents else runs.every(emulation))


def _page(found: list[Any], asked: Document) -> tuple[list[Any], str]:
    start = int(asked.get("page_token") or 0)
    size = min(max(int(asked.get("max_results") or PAGE), 1), 50_000)
    return found[start : start + size], str(start + size) if start + size < len(found) else ""


def _seconds(at_ms: Any) -> float:
    return float(at_ms or 0) / 1000


def _missing(message: str) -> AzureError:
    return AzureError(404, "RESOURCE_DOES_NOT_EXIST", message)


HANDLERS: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "runs/get", get_run), ("POST", "runs/search", search_runs), ("POST", "runs/create", create_run),
    ("POST", "runs/update", update_run), ("POST", "runs/delete", delete_run), ("POST", "runs/restore", restore_run),
    ("POST", "runs/log-metric", log_metric), ("POST", "runs/log-parameter", log_parameter),
    ("POST", "runs/set-tag", set_tag), ("POST", "runs/delete-tag", delete_tag), ("POST", "runs/log-batch", log_batch),
    ("POST", "runs/log-model", log_model), ("GET", "metrics/get-history", history),
    ("GET", "artifacts/list", list_artifacts),
)  # fmt: skip
ROUTES = tuple(
    Route(verb, "api", f"/mlflow/{version}{WORKSPACE}/api/2.0/mlflow/{path}", handler)
    for version in ("v1.0", "v2.0")
    for verb, path, handler in HANDLERS
)
