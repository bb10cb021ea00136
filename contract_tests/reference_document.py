"""The strict document of the reference server, in Swagger 2.0, OpenAPI 3.0.3 and 3.1.0."""

from typing import Any

CLASSES = ("no", "yes")
LEVELS = {"job": ("admin", "farmer", "nurse", "pilot")}
COLUMNS = {
    "age": ("integer", False),
    "balance": ("number", True),
    "job": ("string", False),
    "city": ("string", False),
    "member": ("boolean", True),
}
"""Name -> (JSON type, nullable)."""
ROWS_MAX = 1_000
BODY_MAX_MB = 2
OBSERVED = {"age": {"low": 18, "high": 90}, "balance": {"low": -2000.0, "high": 9000.0}}
EXAMPLE = {"age": 41, "balance": 450.5, "job": "nurse", "city": "Lisbon", "member": True}


def document(version: str) -> dict[str, Any]:
    """The document for "2", "3" or "3.1"."""
    body = _form("v1", version) if version == "2" else {"oneOf": [_form(f, version) for f in ("v1", "v2", "mlflow")]}
    reply = _reply("v1", version) if version == "2" else {"oneOf": [_reply(f, version) for f in ("v1", "v2", "mlflow")]}
    score = {
        "operationId": "RunMLService",
        "description": f"The body has at most {BODY_MAX_MB} MB.",
        "x-classes": list(CLASSES),
        "x-positive-class": CLASSES[1],
        "security": [{"Bearer": []}],
        "responses": {"200": _response("Predictions", reply, version)}
        | {
            str(status): _response("Refused", _ref("Error", version), version)
            for status in (400, 401, 404, 405, 413, 415, 431)
        },
    }
    ids = [_id_header(name, version) for name in ("x-request-id", "x-ms-client-request-id")]
    if version == "2":
        score["parameters"] = [{"name": "body", "in": "body", "required": True, "schema": body}, *ids]
    else:
        score["parameters"] = ids
        score["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    paths = {"/": {"get": _get("ServiceHealthCheck", "text/plain", version)}, "/score": {"post": score}}
    paths["/swagger.json"] = {"get": _get("GetSwaggerSpec", "application/json", version)}
    return _frame(paths, version)


def loose_document(version: str) -> dict[str, Any]:
    """The document as Azure's services publish theirs: types and an example, no category, no bound, no other status."""
    published = document(version)
    score = published["paths"]["/score"]["post"]
    body = {"type": "object", "properties": {"data": {"type": "array", "items": _loose_row()}}, "required": ["data"]}
    body["example"] = {"data": [EXAMPLE]}
    reply: dict[str, Any] = {"type": "object", "properties": {"result": {"type": "array", "items": {}}}}
    score["responses"] = {"200": _response("Predictions", reply, version), "default": _response("Error", {}, version)}
    for name in ("x-classes", "x-positive-class", "description"):
        del score[name]
    if version == "2":
        score["parameters"] = [{"name": "body", "in": "body", "required": True, "schema": body}]
    else:
        del score["parameters"]
        score["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return published


def _loose_row() -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": kind} for name, (kind, _) in COLUMNS.items()}}


def _frame(paths: dict[str, Any], version: str) -> dict[str, Any]:
    info = {"title": "reference", "version": "1"}
    error = {
        "type": "object",
        "required": ["message"],
        "properties": {"message": {"type": "string"}, "details": {"type": "array", "items": {"type": "object"}}},
    }
    if version == "2":
        bearer = {"type": "apiKey", "name": "Authorization", "in": "header"}
        return {
            "swagger": "2.0",
            "info": info,
            "consumes": ["application/json"],
            "produces": ["application/json"],
            "paths": paths,
            "securityDefinitions": {"Bearer": bearer},
            "definitions": {"Error": error},
        }
    scheme = {"type": "http", "scheme": "bearer"}
    return {
        "openapi": {"3": "3.0.3", "3.1": "3.1.0"}[version],
        "info": info,
        "paths": paths,
        "components": {"securitySchemes": {"Bearer": scheme}, "schemas": {"Error": error}},
    }


def _form(form: str, version: str) -> dict[str, Any]:
    rows = {"type": "array", "items": _row(version), "maxItems": ROWS_MAX}
    method = {"type": "string", "enum": ["predict", "predict_proba"]}
    if form == "v1":
        return _closed({"data": rows, "method": method}, ["data"]) | {"example": {"data": [EXAMPLE]}}
    if form == "v2":
        inputs = _closed({"data": rows}, ["data"])
        return _closed({"Inputs": inputs, "GlobalParameters": _closed({"method": method}, [])}, ["Inputs"])
    names = list(COLUMNS)
    columns = {"type": "array", "enum": [names]}
    cells = {"type": "array", "minItems": len(names), "maxItems": len(names), "items": {}}
    table = _closed({"columns": columns, "data": {"type": "array", "items": cells, "maxItems": 0}}, ["columns", "data"])
    return _closed({"input_data": table, "params": _closed({"method": method}, [])}, ["input_data"])


def _reply(form: str, version: str) -> dict[str, Any]:
    label = {"type": "string", "enum": list(CLASSES)}
    chances = {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}, "minItems": 2, "maxItems": 2}
    answers = {"type": "array", "items": {} if version == "2" else {"anyOf": [label, chances]}}
    return {"v1": _closed({"result": answers}, ["result"]), "v2": _closed({"Results": answers}, ["Results"])}.get(
        form, answers
    )


def _row(version: str) -> dict[str, Any]:
    required = [name for name, (_, nullable) in COLUMNS.items() if not nullable]
    return _closed({name: _column(name, version) for name in COLUMNS}, required)


def _column(name: str, version: str) -> dict[str, Any]:
    kind, nullable = COLUMNS[name]
    schema: dict[str, Any] = {"type": kind}
    if kind == "integer":
        schema |= {"format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1}
    if name in LEVELS:
        schema["enum"] = list(LEVELS[name])
    if name in OBSERVED:
        schema["x-observed"] = OBSERVED[name]
    if nullable and version == "3.1":
        schema["type"] = [kind, "null"]
    elif nullable:
        schema["x-nullable" if version == "2" else "nullable"] = True
    return schema


def _closed(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return schema | {"required": required} if required else schema


def _id_header(name: str, version: str) -> dict[str, Any]:
    kind = {"type": "string", "maxLength": 100}
    return {"name": name, "in": "header", "required": False} | (kind if version == "2" else {"schema": kind})


def _get(operation: str, content_type: str, version: str) -> dict[str, Any]:
    schema = {"type": "string"} if content_type == "text/plain" else {"type": "object"}
    answer: dict[str, Any] = {"operationId": operation}
    if version == "2":
        answer["produces"] = [content_type]
    answer["responses"] = {"200": _response("Answer", schema, version, content_type)}
    return answer


def _response(
    description: str, schema: dict[str, Any], version: str, content_type: str = "application/json"
) -> dict[str, Any]:
    if version == "2":
        return {"description": description, "schema": schema}
    return {"description": description, "content": {content_type: {"schema": schema}}}


def _ref(name: str, version: str) -> dict[str, str]:
    return {"$ref": f"#/definitions/{name}" if version == "2" else f"#/components/schemas/{name}"}
