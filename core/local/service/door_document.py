"""What the service's door takes and gives, and its OpenAPI document, made from the very types that it encodes."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any

import msgspec

from core.domain.job import Job, JobKind, JobState, LogLine
from core.domain.pipeline import PipelineEndpoint
from core.domain.plain import EMPTY
from core.domain.run import PipelineRun, RunSummary
from core.domain.version import VERSION
from core.local.service.door_bodies import Accepted, BatchJob, BatchTrigger, Trigger
from core.local.triggering import REPEAT_KEY_CHARS_MAX

LISTED_MAX = 1000
LOG_LINES_MAX = 10_000
VERSION_MAX = 1_000_000_000


class Health(msgspec.Struct):
    """The service answers."""

    status: str
    version: str


class Poked(msgspec.Struct):
    """The service looks now."""

    poked: bool = True


class Fault(msgspec.Struct):
    """What is wrong, and the next thing to try."""

    status: int
    message: str
    hint: str


class Refusal(msgspec.Struct):
    """The one shape of every error."""

    error: Fault


def _as_sent(kind: type, **types: Any) -> type:
    """The shape of a domain value in JSON, where `types` stand for what is typed by its kind: objects, to a client."""
    shaped = [(f.name, types.get(f.name, f.type), *_default(f)) for f in fields(kind)]
    return msgspec.defstruct(kind.__name__, shaped, namespace={"__doc__": kind.__doc__})


def _default(field: Field[Any]) -> tuple[Any, ...]:
    if field.metadata == EMPTY:
        return ({},)
    if field.default_factory is not MISSING:
        return (msgspec.field(default_factory=field.default_factory),)
    return () if field.default is MISSING else (field.default,)


SHAPES = (
    *(Trigger, BatchTrigger, Accepted, BatchJob, Health, Poked, Refusal),
    *(PipelineEndpoint, PipelineRun, RunSummary, LogLine),
    _as_sent(Job, spec=dict[str, Any], result=dict[str, Any]),
)
REFUSALS: Mapping[int, str] = {
    400: "An invalid request, or a host name that is not this service's",
    401: "The key is missing or wrong",
    403: "The key of a pipeline, which does not open this",
    404: "Not found",
    405: "Another method",
    409: "The current state does not allow it, or the idempotency key was used for another request",
    413: "The body is larger than 1 MB",
    429: "As many runs wait as may; Retry-After says when there may be room",
    500: "A bug",
    501: "This workspace cannot do it",
    503: "The workspace is busy",
    507: "The disk is full",
}


@cache
def document() -> dict[str, Any]:
    """The door's OpenAPI 3.1 document."""
    _, schemas = msgspec.json.schema_components(SHAPES, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Slipway workspace service", "version": VERSION, "description": ABOUT},
        "paths": _service() | _pipelines() | _runs() | _jobs(),
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


ABOUT = (
    "Every route but `/health` asks for a key: `Authorization: Bearer KEY`. The service's key opens all of them. Each "
    "pipeline has two keys of its own, which start and watch its runs: they open the routes below its name, save "
    "`cancel` and `retry`, and `/runs/{id}` for its runs."
)


def _service() -> dict[str, Any]:
    return {
        "/health": {
            "get": _operation("health", "Whether the service is up; needs no key", "Health") | {"security": []}
        },
        "/openapi.json": {"get": _operation("document", "This document", None)},
        "/swagger.json": {"get": _operation("swagger", "This document", None)},
        "/poke": {"post": _operation("poke", "Ask the service to look for work now", "Poked")},
    }


def _pipelines() -> dict[str, Any]:
    start = _operation("trigger", "Start a run; the address that was published before 0.5.0", "Accepted")
    start_job = _operation("trigger_job", "Start a run of the default version, or of the one that is named", "Accepted")
    for operation in (start, start_job):
        operation["requestBody"] = {"required": True} | _content({"oneOf": [_ref("Trigger"), _ref("BatchTrigger")]})
        operation["parameters"] = [_VERSION, *_REPEAT]
        operation["responses"]["201"] = {
            "description": "The run, to a body in the form of a batch endpoint",
            "headers": {"Location": {"description": "The run", "required": True, "schema": {"type": "string"}}},
            **_content(_ref("BatchJob")),
            **_links(f"{operation['operationId']}_batch"),
        }
    listed = _operation("runs", "The newest runs of a pipeline", "RunSummary", many=True)
    return {
        "/pipelines": {"get": _operation("pipelines", "The published pipelines", "PipelineEndpoint", many=True)},
        "/pipelines/{pipeline}": {
            "parameters": [_PIPELINE],
            "get": _operation("pipeline", "A published pipeline", "PipelineEndpoint") | {"parameters": [_VERSION]},
            "post": start,
        },
        "/pipelines/{pipeline}/jobs": {
            "parameters": [_PIPELINE],
            "get": listed | {"parameters": [_STATE, _limit(50), _BEFORE]},
            "post": start_job,
        },
    }


def _runs() -> dict[str, Any]:
    job = "/pipelines/{pipeline}/jobs/{id}"
    step = f"{job}/steps/{{step}}"
    whole = {"allOf": [_ref("PipelineRun"), _ref("BatchJob")]}
    own, steps = [_PIPELINE, _ID], [_PIPELINE, _ID, _path("step")]
    return {
        job: {"parameters": own, "get": _operation("pipeline_run", "A run with its steps", whole)},
        f"{job}/cancel": {"parameters": own, "post": _operation("cancel_run", "Ask a run to end", "PipelineRun")},
        f"{job}/retry": {
            "parameters": own,
            "post": _operation("retry_run", "Start a run that does what failed in this one", "PipelineRun"),
        },
        f"{step}/logs": {
            "parameters": steps,
            "get": _operation("step_log", "What a step has logged or printed", "LogLine", many=True)
            | {"parameters": [_limit(1000, LOG_LINES_MAX)]},
        },
        f"{step}/outputs/{{output}}": {
            "parameters": [*steps, _path("output")],
            "get": _file("output", "A step's file"),
        },
        "/runs/{id}": {"parameters": [_ID], "get": _operation("run", "A pipeline's run and steps", "PipelineRun")},
    }


def _jobs() -> dict[str, Any]:
    kinds = _query("kind", {"type": "string", "enum": [kind.value for kind in JobKind]})
    listed = _operation("jobs", "The newest jobs", "Job", many=True) | {"parameters": [kinds, _limit(100)]}
    return {
        "/jobs": {"get": listed},
        "/jobs/{id}": {"parameters": [_ID], "get": _operation("job", "One job", "Job")},
        "/jobs/{id}/cancel": {"parameters": [_ID], "post": _operation("cancel", "Ask a job to end", "Job")},
    }


def _path(name: str, pattern: str = r"^[^/.][^/]*$") -> dict[str, Any]:
    """A part of the path; one of dots alone would mean another path."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}


def _query(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _limit(default: int, highest: int = LISTED_MAX) -> dict[str, Any]:
    return _query("limit", {"type": "integer", "minimum": 1, "maximum": highest, "default": default})


_PIPELINE = _path("pipeline") | {"description": "The pipeline's name, or the id of one of its versions"}
_ID = _path("id", "^[0-9A-Za-z-]+$")
_VERSION = _query("version", {"type": "integer", "minimum": 1, "maximum": VERSION_MAX})
_STATE = _query("state", {"type": "string", "enum": [state.value for state in JobState]})
_BEFORE = _query("before", {"type": "string"}) | {"description": "The id of a run: those older than it"}
_REPEAT = [
    {
        "name": name,
        "in": "header",
        "description": "The same key within 24 hours gives the run that it started; send one of the two headers",
        "schema": {"type": "string", "pattern": f"^[!-~]{{1,{REPEAT_KEY_CHARS_MAX}}}$"},
    }
    for name in ("repeatability-request-id", "Idempotency-Key")
]

_RUN: Mapping[str, str] = {"pipeline": "$request.path.pipeline", "id": "$request.path.id"}
_STARTED: Mapping[str, str] = {"pipeline": "$request.path.pipeline", "id": "$response.body#/Id"}
_STARTED_BATCH: Mapping[str, str] = {"pipeline": "$request.path.pipeline", "id": "$response.body#/name"}
_OF_BODY: Mapping[str, str] = {"pipeline": "$response.body#/pipeline", "id": "$response.body#/id"}
_BY_ID: Mapping[str, str] = {"id": "$response.body#/id"}
_BY_NEW_ID: Mapping[str, str] = {"id": "$response.body#/Id"}
LINKS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "pipelines": {
        "trigger": {"pipeline": "$response.body#/0/id"},
        "trigger_job": {"pipeline": "$response.body#/0/name"},
    },
    "trigger": {"run": _BY_NEW_ID, "job": _BY_NEW_ID, "cancel": _BY_NEW_ID},
    "trigger_batch": {"run": {"id": "$response.body#/name"}},
    "trigger_job": {"pipeline_run": _STARTED, "cancel_run": _STARTED, "run": _BY_NEW_ID},
    "trigger_job_batch": {"pipeline_run": _STARTED_BATCH, "cancel_run": _STARTED_BATCH},
    "runs": {"pipeline_run": {"pipeline": "$response.body#/0/pipeline", "id": "$response.body#/0/id"}},
    "pipeline_run": {"cancel_run": _RUN},
    "cancel_run": {"pipeline_run": _RUN, "retry_run": _RUN},
    "retry_run": {"pipeline_run": _OF_BODY, "cancel_run": _OF_BODY},
    "jobs": {"job": {"id": "$response.body#/0/id"}, "cancel": {"id": "$response.body#/0/id"}},
    "job": {"cancel": _BY_ID},
    "cancel": {"job": _BY_ID, "cancel": _BY_ID},
    "run": {"job": _BY_ID, "cancel": _BY_ID, "pipeline_run": _OF_BODY},
}
"""Operation -> what to call next, and where its parameters stand: OpenAPI's links."""


def _operation(name: str, summary: str, gives: str | Mapping[str, Any] | None, *, many: bool = False) -> dict[str, Any]:
    shape = _ref(gives) if isinstance(gives, str) else gives or {"type": "object"}
    answer = _content({"type": "array", "items": shape} if many else shape)
    return _answers(name, summary, answer)


def _file(name: str, summary: str) -> dict[str, Any]:
    return _answers(name, summary, {"content": {"application/octet-stream": {"schema": {}}}})


def _answers(name: str, summary: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    refusals = {str(status): {"description": text} | _content(_ref("Refusal")) for status, text in REFUSALS.items()}
    refusals["429"]["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    done = {"description": summary} | dict(answer) | _links(name)
    return {"operationId": name, "summary": summary, "responses": {"200": done} | refusals}


def _links(name: str) -> dict[str, Any]:
    followers = LINKS.get(name, {}).items()
    made = {to: {"operationId": to, "parameters": dict(where)} for to, where in followers}
    return {"links": made} if made else {}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _content(shape: Mapping[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": shape}}}
