"""A scoring service in the manner of Azure's AutoML: a loose document, and the known deviations."""

import json
from typing import Any

from contract_tests.reference import COLUMNS, Reference, Refused, Reply, Request
from contract_tests.reference_document import EXAMPLE

ERROR = {"schema": {"type": "object", "properties": {"message": {"type": "string"}}}}


def loose_document() -> dict[str, Any]:
    """As `azureml-inference-server-http` makes it from an AutoML score script: types, and nothing else."""
    rows = {
        "type": "array",
        "items": {
            "type": "object",
            "required": list(COLUMNS),
            "properties": {name: {"type": kind} for name, (kind, _) in COLUMNS.items()},
        },
    }
    body = {
        "type": "object",
        "properties": {"data": rows, "method": {"type": "string"}},
        "example": {"data": [EXAMPLE], "method": "predict"},
    }
    reply = {"type": "object", "required": ["result"], "properties": {"result": {"type": "array", "items": {}}}}
    score = {
        "operationId": "RunMLService",
        "security": [{"Bearer": []}],
        "parameters": [{"name": "serviceInputPayload", "in": "body", "schema": body}],
        "responses": {"200": {"description": "A result", "schema": reply}, "default": {"description": "No"} | ERROR},
    }
    health = {"200": {"description": "Healthy", "schema": {"type": "string"}}, "default": {"description": "No"} | ERROR}
    return {
        "swagger": "2.0",
        "info": {"title": "automl", "version": "1.0"},
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "securityDefinitions": {"Bearer": {"type": "apiKey", "name": "Authorization", "in": "header"}},
        "paths": {
            "/": {"get": {"operationId": "ServiceHealthCheck", "responses": health}},
            "/score": {"post": score},
        },
    }


class AzureLike(Reference):
    """Checks keys as a managed endpoint does; scores whatever its pandas-like script can make sense of."""

    def document(self, version: str) -> dict[str, Any]:
        return loose_document()

    def route(self, request: Request) -> Reply:
        reply = super().route(request)
        return (
            Reply(200, b"Healthy", "text/html; charset=utf-8") if request.path == "/" and reply.status == 200 else reply
        )

    def validate(self, rows: list[Any]) -> None:
        try:
            super().validate(rows)
        except Refused as e:
            raise ScriptError(e.message) from e

    def parse(self, body: Any) -> tuple[list[Any], str, str]:
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if name in ("data", "method")}
        return super().parse(body)

    def score(self, request: Request) -> Reply:
        try:
            return super().score(request)
        except ScriptError as e:
            return Reply(200, json.dumps(json.dumps({"error": str(e)})).encode())

    def wrap(self, answers: list[Any], form: str) -> Any:
        return json.dumps({"result": answers})


class ScriptError(Exception):
    """What the score script says instead of an answer."""


class AutoMl2021(AzureLike):
    """A service of 2021, whose document says an array of numbers where the text of an object comes."""

    def document(self, version: str) -> dict[str, Any]:
        published = loose_document()
        score = published["paths"]["/score"]["post"]
        numbers = {"type": "array", "items": {"type": "integer", "format": "int64"}, "example": [0]}
        score["responses"]["200"]["schema"] = numbers
        return published

    def label(self, probabilities: list[float]) -> Any:
        return int(probabilities[1] > probabilities[0])
