"""`mlflow models serve`: what it needs, and the document that it does not publish (its `/openapi.json` has no paths).

The document is ours, not a promise of MLflow's: routes and form as its manual shows them
(https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally), statuses and errors as its 2.22.2 scoring server's
source gives them, columns as the model's signature types them.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from core.domain.data import ColumnKind
from core.domain.signature import Column, Signature

# MLflow 2.22.2 asks for any fastapi below 1, and cannot start with those that have no `FastAPI.route` any more.
MLFLOW = SimpleNamespace(
    NAME="contract-mlflow",
    PYTHON="3.11",
    REQUIREMENTS=("mlflow==2.22.2", "fastapi==0.115.14", "numpy>=2.1", "msgspec>=0.20", "pandas<3"),
)
KINDS: Mapping[ColumnKind, str] = {
    ColumnKind.INTEGER: "integer",
    ColumnKind.NUMBER: "number",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.STRING: "string",
}


def mlflow_document(signature: Signature) -> dict[str, Any]:
    """OpenAPI 3.1 of `mlflow models serve` for a model of this signature."""
    row = {
        "type": "object",
        "required": [column.name for column in signature.used if not column.nullable],
        "properties": {column.name: _column(column) for column in signature.used},
    }
    method = {"type": "object", "properties": {"method": {"type": "string", "enum": ["predict", "predict_proba"]}}}
    body = {
        "type": "object",
        "required": ["dataframe_records"],
        "additionalProperties": False,
        "properties": {"dataframe_records": {"type": "array", "minItems": 1, "items": row}, "params": method},
    }
    reply = {
        "type": "object",
        "required": ["predictions"],
        "properties": {"predictions": {"type": "array", "items": {}}},
    }
    error = {
        "type": "object",
        "required": ["error_code", "message"],
        "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
    }
    score = {
        "x-classes": list(signature.classes),
        "x-positive-class": signature.positive_class,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": _response("Predictions", {"application/json": reply}),
            "400": _response("The body is not taken", {"application/json": error}),
            "415": _response("Neither JSON nor CSV", {"text/plain": {"type": "string"}}),
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "mlflow models serve", "version": "2.22.2"},
        "paths": {
            "/ping": {"get": {"responses": {"200": {"description": "The model is loaded"}}}},
            "/version": {"get": {"responses": {"200": {"description": "MLflow's version"}}}},
            "/invocations": {"post": score},
        },
    }


def _column(column: Column) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": KINDS[column.kind]}
    if column.kind is ColumnKind.INTEGER:
        schema |= {"minimum": -(2**63), "maximum": 2**63 - 1}
    if column.levels:
        schema["examples"] = list(column.levels)
    if column.low is not None and column.high is not None:
        schema["x-observed"] = {"low": column.low, "high": column.high}
    return schema | ({"type": [schema["type"], "null"]} if column.nullable else {})


def _response(description: str, content: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {kind: {"schema": schema} for kind, schema in content.items()}}
