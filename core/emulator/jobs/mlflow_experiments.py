"""MLflow's experiments: get, by name, create, search, rename, delete and restore."""

from core.emulator.arm.resources import WORKSPACE, known
from core.emulator.emulation import Emulation
from core.emulator.jobs import experiments, runs
from core.emulator.jobs.mlflow_filter import parse
from core.emulator.jobs.mlflow_shapes import experiment as shown
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.routes import Handler, Route


def get(emulation: Emulation, request: Request) -> Reply:
    """`experiments/get`; MLflow calls the default one 0."""
    return Reply(body={"experiment": shown(_found(emulation, _asked(emulation, request)))})


def by_name(emulation: Emulation, request: Request) -> Reply:
    """`experiments/get-by-name`."""
    name = str(_asked(emulation, request).get("experiment_name") or "")
    found = experiments.find(emulation, name)
    if found is None:
        raise AzureError(404, "RESOURCE_DOES_NOT_EXIST", f"Could not find experiment with name '{name}'")
    return Reply(body={"experiment": shown(found)})


def create(emulation: Emulation, request: Request) -> Reply:
    """`experiments/create`."""
    asked = _asked(emulation, request)
    name = str(asked.get("name") or "")
    if not name:
        raise AzureError(400, "INVALID_PARAMETER_VALUE", "An experiment needs a name")
    with emulation.state.lock:
        if experiments.find(emulation, name) is not None:
            raise AzureError(400, "RESOURCE_ALREADY_EXISTS", f"Experiment '{name}' already exists.")
        tags = {tag["key"]: tag["value"] for tag in asked.get("tags") or []}
        return Reply(body={"experiment_id": experiments.ensure(emulation, name, tags)["id"]})


def search(emulation: Emulation, request: Request) -> Reply:
    """`experiments/search`; the filter may ask for a name: `name = 'x'`, `name LIKE 'x%'`."""
    asked = _asked(emulation, request)
    view = str(asked.get("view_type") or "ACTIVE_ONLY").upper()
    clauses = parse(str(asked.get("filter") or ""))
    found = [
        each
        for each in experiments.every(emulation)
        if (view == "ALL" or each["active"] == (view != "DELETED_ONLY"))
        and all(clause.holds(_fields(each)) for clause in clauses)
    ]
    found.sort(key=lambda each: -each["created_at"])
    start, size = int(asked.get("page_token") or 0), int(asked.get("max_results") or 1000)
    body: Document = {"experiments": [shown(each) for each in found[start : start + size]]}
    return Reply(body=body | ({"next_page_token": str(start + size)} if start + size < len(found) else {}))


def update(emulation: Emulation, request: Request) -> Reply:
    """`experiments/delete` and `experiments/restore`; Azure renames none."""
    asked = _asked(emulation, request)
    experiments.keep(emulation, _found(emulation, asked) | {"active": request.path.endswith("restore")})
    return Reply(body={})


def set_tag(emulation: Emulation, request: Request) -> Reply:
    """`experiments/set-experiment-tag`."""
    asked = _asked(emulation, request)
    found = _found(emulation, asked)
    experiments.keep(emulation, found | {"tags": {**found["tags"], str(asked.get("key")): str(asked.get("value"))}})
    return Reply(body={})


def _fields(found: Document) -> dict[str, dict[str, object]]:
    attributes = {"name": found["name"], "creation_time": int(found["created_at"] * 1000)}
    return {"attributes": attributes, "tags": found["tags"], "metrics": {}, "params": {}}


def _asked(emulation: Emulation, request: Request) -> Document:
    known(emulation, request)
    return request.document() if request.method != "GET" else dict(request.query)


def _found(emulation: Emulation, asked: Document) -> Document:
    wanted = str(asked.get("experiment_id") or "0")
    found = experiments.by_number(emulation, wanted)
    if found is None and wanted == "0":
        found = experiments.ensure(emulation, runs.DEFAULT_EXPERIMENT)
    if found is None:
        raise AzureError(404, "RESOURCE_DOES_NOT_EXIST", f"No Experiment with id={wanted} exists")
    return found


HANDLERS: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "get", get), ("GET", "get-by-name", by_name), ("POST", "create", create), ("POST", "search", search),
    ("GET", "list", search), ("POST", "delete", update), ("POST", "restore", update),
    ("POST", "set-experiment-tag", set_tag),
)  # fmt: skip
ROUTES = tuple(
    Route(verb, "api", f"/mlflow/{version}{WORKSPACE}/api/2.0/mlflow/experiments/{path}", handler)
    for version in ("v1.0", "v2.0")
    for verb, path, handler in HANDLERS
)
