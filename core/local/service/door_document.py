"""What the service's door takes and gives, and its OpenAPI document, made from the very types that it encodes."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Annotated, Any

import msgspec

from core.domain.job import Job, JobKind
from core.domain.pipeline import PipelineEndpoint
from core.domain.plain import EMPTY
from core.domain.run import PipelineRun
from core.domain.version import VERSION


class Trigger(msgspec.Struct, forbid_unknown_fields=True):
    """Azure ML's body for a published pipeline. Its names for runs and tags are accepted and not used."""

    ExperimentName: Annotated[str, msgspec.Meta(min_length=1, pattern=r"\S")]
    ParameterAssignments: dict[str, Any] = {}
    DisplayName: str = ""
    Description: str = ""
    RunSource: str = ""
    Tags: dict[str, str] = {}
    DataPathAssignments: Annotated[dict[str, Any], msgspec.Meta(max_length=0)] = {}
    DataSetDefinitionValueAssignments: Annotated[dict[str, Any], msgspec.Meta(max_length=0)] = {}


class Accepted(msgspec.Struct):
    """The run that was started."""

    Id: str


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
    *(Trigger, Accepted, Health, Poked, Refusal, PipelineEndpoint, PipelineRun),
    _as_sent(Job, spec=dict[str, Any], result=dict[str, Any]),
)
REFUSALS: Mapping[int, str] = {
    400: "An invalid request, or a host name that is not this machine's",
    401: "The key is missing or wrong",
    404: "Not found",
    405: "Another method",
    409: "The current state does not allow it",
    413: "The body is larger than 1 MB",
    500: "A bug",
    503: "The workspace is busy",
    507: "The disk is full",
}


@cache
def document() -> dict[str, Any]:
    """The door's OpenAPI 3.1 document."""
    _, schemas = msgspec.json.schema_components(SHAPES, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Slipway workspace service", "version": VERSION},
        "paths": {
            "/health": {"get": _operation("health", "Whether the service is up; needs no key", "Health") | _OPEN},
            "/openapi.json": {"get": _operation("document", "This document", None)},
            "/pipelines": {"get": _operation("pipelines", "The published pipelines", "PipelineEndpoint", many=True)},
            "/pipelines/{id}": {
                "parameters": [_ID],
                "post": _operation("trigger", "Start a run of a published pipeline", "Accepted", body="Trigger"),
            },
            "/jobs": {"get": _operation("jobs", "The newest jobs", "Job", many=True) | {"parameters": _LISTING}},
            "/jobs/{id}": {"parameters": [_ID], "get": _operation("job", "One job", "Job")},
            "/jobs/{id}/cancel": {"parameters": [_ID], "post": _operation("cancel", "Ask a job to end", "Job")},
            "/runs/{id}": {"parameters": [_ID], "get": _operation("run", "A pipeline's run and steps", "PipelineRun")},
            "/poke": {"post": _operation("poke", "Ask the service to look for work now", "Poked")},
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


_OPEN: dict[str, Any] = {"security": []}
_ID: Mapping[str, Any] = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
_LISTING: list[Mapping[str, Any]] = [
    {"name": "kind", "in": "query", "schema": {"type": "string", "enum": [kind.value for kind in JobKind]}},
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}},
]


LINKS: Mapping[str, Mapping[str, str]] = {
    "pipelines": {"trigger": "/0/id"},
    "trigger": {"run": "/Id", "job": "/Id", "cancel": "/Id"},
    "jobs": {"job": "/0/id", "cancel": "/0/id"},
    "job": {"cancel": "/id"},
    "cancel": {"job": "/id", "cancel": "/id"},
    "run": {"job": "/id", "cancel": "/id"},
}
"""Operation -> what to call next, and where in the answer its `id` stands: OpenAPI's links."""


def _operation(name: str, summary: str, gives: str | None, *, many: bool = False, body: str = "") -> dict[str, Any]:
    shape: Mapping[str, Any] = _ref(gives) if gives else {"type": "object"}
    answer = _content({"type": "array", "items": shape} if many else shape)
    refusals = {str(status): {"description": text} | _content(_ref("Refusal")) for status, text in REFUSALS.items()}
    operation = {
        "operationId": name,
        "summary": summary,
        "responses": {"200": {"description": summary} | answer | _links(name)} | refusals,
    }
    return operation | ({"requestBody": {"required": True} | _content(_ref(body))} if body else {})


def _links(name: str) -> dict[str, Any]:
    followers = LINKS.get(name, {}).items()
    made = {to: {"operationId": to, "parameters": {"id": f"$response.body#{where}"}} for to, where in followers}
    return {"links": made} if made else {}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _content(shape: Mapping[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": shape}}}
