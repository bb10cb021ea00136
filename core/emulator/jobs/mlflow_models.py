"""MLflow's registry of models: the same models that ARM shows, as a plain `mlflow` client asks for them."""

import re
from datetime import datetime
from typing import Any

from core.emulator.arm.resources import WHO, WORKSPACE, known
from core.emulator.assets import models
from core.emulator.assets.versions import NAME, named, registered, versions
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.names import NAMESPACE
from core.emulator.routes import Handler, Route

IN_A_RUN = re.compile(r".*/artifacts/(.*)|runs:/[^/]+/(.*)", re.DOTALL)
NO_PROMPTS = re.compile(r"(\s+AND\s+)?tags?\.`mlflow\.prompt\.is_prompt` != 'true'", re.IGNORECASE)
"""What MLflow 3 adds to each search: there are no prompts here."""
STAGES = ("None", "Staging", "Production", "Archived")


def create(emulation: Emulation, request: Request) -> Reply:
    """`registered-models/create`: a name without versions."""
    asked = _asked(emulation, request)
    base, now = _base(emulation, asked), iso(emulation.clock.now())
    with emulation.state.lock:
        if emulation.state.get(base) is not None:
            raise AzureError(400, "RESOURCE_ALREADY_EXISTS", f"Registered Model (name={asked['name']}) already exists.")
        tags = {str(each["key"]): str(each["value"]) for each in asked.get("tags") or []}
        said = {"description": asked.get("description"), "tags": tags, "properties": {}, "isArchived": False}
        who = {"createdAt": now, "createdBy": WHO, "lastModifiedAt": now, "lastModifiedBy": WHO}
        kept = {
            "id": base, "name": asked["name"], "type": f"{NAMESPACE}/workspaces/models", "properties": said,
            "systemData": {**who, "createdByType": "Application", "lastModifiedByType": "Application"},
        }  # fmt: skip
        emulation.state.put(base, kept)
    return Reply(body={"registered_model": _model(emulation, kept)})


def get(emulation: Emulation, request: Request) -> Reply:
    """`registered-models/get`."""
    return Reply(body={"registered_model": _model(emulation, _found(emulation, _asked(emulation, request)))})


def search(emulation: Emulation, request: Request) -> Reply:
    """`registered-models/search`, by name."""
    asked = _asked(emulation, request)
    prefix = f"{emulation.names.workspace_path}/models/"
    kept = [each for key, each in emulation.state.below(prefix) if key.count("/") == prefix.count("/")]
    fits = _filter(asked)
    shown = [_model(emulation, each) for each in kept if named(each, request) and fits(str(each["name"]))]
    return Reply(body={"registered_models": shown})


def latest(emulation: Emulation, request: Request) -> Reply:
    """`registered-models/get-latest-versions`: the newest of each stage."""
    asked = _asked(emulation, request)
    stages = asked.get("stages") or []
    wanted = {stage.lower() for stage in ([stages] if isinstance(stages, str) else stages)}
    newest = {each["current_stage"]: each for each in _versions(emulation, _found(emulation, asked))}
    return Reply(
        body={"model_versions": [each for stage, each in newest.items() if not wanted or stage.lower() in wanted]}
    )


def create_version(emulation: Emulation, request: Request) -> Reply:
    """`model-versions/create`: of what lies among a run's artifacts, or at an address."""
    asked = _asked(emulation, request)
    container, source = _found(emulation, asked), str(asked.get("source") or "")
    match = IN_A_RUN.fullmatch(source)
    if asked.get("run_id") and match:
        source = f"runs:/{asked['run_id']}/{match[1] or match[2]}"
    sent = {"modelType": "mlflow_model", "modelUri": source, "description": asked.get("description")}
    sent["tags"] = {str(each["key"]): str(each["value"]) for each in asked.get("tags") or []}
    properties = models.USUAL | models.make(emulation, {}, sent)
    made = registered(emulation, "models", str(container["name"]), properties, by=WHO)
    return Reply(body={"model_version": _version(container, made)})


def get_version(emulation: Emulation, request: Request) -> Reply:
    """`model-versions/get`."""
    container, kept = _one(emulation, _asked(emulation, request))
    return Reply(body={"model_version": _version(container, kept)})


def download_uri(emulation: Emulation, request: Request) -> Reply:
    """`model-versions/get-download-uri`."""
    return Reply(body={"artifact_uri": _one(emulation, _asked(emulation, request))[1]["properties"]["modelUri"]})


def search_versions(emulation: Emulation, request: Request) -> Reply:
    """`model-versions/search`, by the name of the model."""
    fits = _filter(_asked(emulation, request))
    prefix = f"{emulation.names.workspace_path}/models/"
    kept = [each for key, each in emulation.state.below(prefix) if key.count("/") == prefix.count("/")]
    found = [made for each in kept if fits(str(each["name"])) for made in reversed(_versions(emulation, each))]
    return Reply(body={"model_versions": found})


def change_version(emulation: Emulation, request: Request) -> Reply:
    """`model-versions/update` and `model-versions/transition-stage`. Raises AzureError 400 for no stage of MLflow's."""
    asked = _asked(emulation, request)
    with emulation.state.lock:
        container, kept = _one(emulation, asked)
        if asked.get("stage") is not None:
            stage = next((each for each in STAGES if each.lower() == str(asked["stage"]).lower()), None)
            if stage is None:
                raise AzureError(400, "INVALID_PARAMETER_VALUE", f"Invalid Model Version stage: {asked['stage']}.")
            kept["properties"]["stage"] = stage
        if asked.get("description") is not None:
            kept["properties"]["description"] = asked["description"]
        emulation.state.put(kept["id"], kept)
    return Reply(body={"model_version": _version(container, kept)})


def no_logged_models(emulation: Emulation, request: Request) -> Reply:
    """`logged-models/search`: MLflow 3 asks before it loads what a run has written, which is all there is here."""
    known(emulation, request)
    return Reply(body={"models": []})


def _asked(emulation: Emulation, request: Request) -> Document:
    known(emulation, request)
    return request.document() if request.method != "GET" else dict(request.query)


def _base(emulation: Emulation, asked: Document) -> str:
    if not NAME.fullmatch(str(asked.get("name") or "")):
        raise AzureError(400, "INVALID_PARAMETER_VALUE", f"'{asked.get('name')}' is no name that a model may have")
    return f"{emulation.names.workspace_path}/models/{asked['name']}"


def _found(emulation: Emulation, asked: Document) -> Document:
    kept: Document | None = emulation.state.get(_base(emulation, asked))
    if kept is None:
        raise AzureError(404, "RESOURCE_DOES_NOT_EXIST", f"Registered Model with name={asked['name']} not found")
    return kept


def _one(emulation: Emulation, asked: Document) -> tuple[Document, Document]:
    container = _found(emulation, asked)
    kept: Document | None = emulation.state.get(f"{container['id']}/versions/{asked.get('version')}")
    if kept is None:
        said = f"Model Version (name={asked['name']}, version={asked.get('version')}) not found"
        raise AzureError(404, "RESOURCE_DOES_NOT_EXIST", said)
    return container, kept


def _filter(asked: Document) -> Any:
    """Whether a name is asked for by `name = 'x'` or `name LIKE 'x%'`; other filters are refused."""
    said = NO_PROMPTS.sub("", str(asked.get("filter") or "")).strip()
    if not said:
        return lambda name: True
    match = re.fullmatch(r"name\s*(=|like|ilike)\s*['\"](.*)['\"]", said, re.IGNORECASE)
    if not match:
        raise AzureError(400, "INVALID_PARAMETER_VALUE", f"The emulation finds models by name alone, got '{said}'")
    pattern = re.escape(match[2]) if match[1] == "=" else ".*".join(re.escape(part) for part in match[2].split("%"))
    return re.compile(pattern, re.IGNORECASE if match[1].lower() == "ilike" else 0).fullmatch


def _model(emulation: Emulation, container: Document) -> Document:
    newest = {each["current_stage"]: each for each in _versions(emulation, container)}
    return {**_said(container), "name": container["name"], "latest_versions": [*newest.values()]}


def _versions(emulation: Emulation, container: Document) -> list[Document]:
    kept = sorted(versions(emulation, str(container["id"])), key=lambda each: str(each["systemData"]["createdAt"]))
    return [_version(container, each) for each in kept]


def _version(container: Document, kept: Document) -> Document:
    properties = kept["properties"]
    return {
        **_said(kept),
        "name": container["name"],
        "version": kept["name"],
        "current_stage": properties.get("stage") or "None",
        "source": properties.get("modelUri"),
        "run_id": properties.get("jobName") or "",
        "status": "READY",
    }


def _said(kept: Document) -> Document:
    about, properties = kept["systemData"], kept["properties"]
    return {
        "creation_timestamp": _ms(about["createdAt"]),
        "last_updated_timestamp": _ms(about.get("lastModifiedAt") or about["createdAt"]),
        "description": properties.get("description") or "",
        "tags": [{"key": key, "value": value} for key, value in (properties.get("tags") or {}).items()],
    }


def _ms(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp() * 1000)


HANDLERS: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "registered-models/create", create), ("GET", "registered-models/get", get),
    ("GET", "registered-models/search", search), ("POST", "registered-models/search", search),
    ("GET", "registered-models/get-latest-versions", latest), ("POST", "registered-models/get-latest-versions", latest),
    ("POST", "model-versions/create", create_version), ("GET", "model-versions/get", get_version),
    ("GET", "model-versions/search", search_versions), ("GET", "model-versions/get-download-uri", download_uri),
    ("PATCH", "model-versions/update", change_version), ("POST", "model-versions/transition-stage", change_version),
    ("POST", "logged-models/search", no_logged_models),
)  # fmt: skip
ROUTES = tuple(
    Route(verb, "api", f"/mlflow/{version}{WORKSPACE}/api/2.0/mlflow/{path}", handler)
    for version in ("v1.0", "v2.0")
    for verb, path, handler in HANDLERS
)
