"""More correct scoring servers as other people's tools make them, on the engine of `foreign`.

`Iris` is what FastAPI and vetiver serve (a list of rows, an empty reply schema, `{"predict": [...]}`), `Digits` what
KServe's first protocol looks like (`instances`, `predictions`), `Churn` what BentoML publishes (`/docs.json`, relative
servers, a header on every answer). `Tensors` and `Wordless` are right too, and their documents say nothing of rows:
MLServer's protocol of tensors, and a Flask application whose document is a frame.
"""

import json
import math
from typing import Any, ClassVar

from contract_tests.foreign import Foreign
from contract_tests.reference import KEY, Refused, Reply, Request


def described(text: str, schema: Any, **more: Any) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema, **more}}}


class Iris(Foreign):
    """As vetiver: OpenAPI 3.1 of FastAPI, a bare list of rows, other columns passed over, nothing told of the reply."""

    columns: ClassVar[dict[str, dict[str, Any]]] = {
        "sepal_length": {"type": "number", "examples": [5.1], "minimum": 0, "maximum": 10},
        "sepal_width": {"type": "number", "examples": [3.5], "minimum": 0, "maximum": 10},
        "petals": {"type": "integer", "examples": [4], "minimum": 0, "maximum": 12},
    }
    path = "/predict"

    def document(self, version: str) -> dict[str, Any]:
        problem = {"type": "object", "properties": {"detail": {}}}
        row = self.row_schema() | {"title": "prototype"}
        del row["additionalProperties"]
        many = {"type": "array", "items": {"$ref": "#/components/schemas/prototype"}, "title": "Input Data"}
        post = {
            "summary": "Prediction",
            "operationId": "prediction_predict_post",
            "requestBody": {"required": True, "content": {"application/json": {"schema": many}}},
            "responses": {"200": described("Successful Response", {}), "422": described("Validation Error", problem)},
        }
        return {
            "openapi": "3.1.0",
            "info": {"title": "iris", "version": "0.2"},
            "paths": {
                "/ping": {"get": {"operationId": "ping", "responses": {"200": described("Successful Response", {})}}},
                self.path: {"post": post},
            },
            "components": {"schemas": {"prototype": row}},
        }

    def route(self, request: Request) -> Reply:
        if request.path == "/ping":
            return Reply(200, b'{"ping": "pong"}') if request.method in ("GET", "HEAD") else self.wrong_method("GET")
        return super().route(request)

    def content_type_accepted(self, content_type: str) -> bool:
        if not super().content_type_accepted(content_type):  # FastAPI reads no JSON then, and finds no list
            raise Refused(self.refusal, "Input should be a valid list")
        return True

    def problems(self, row: Any) -> Any:
        yield from (problem for problem in super().problems(row) if problem[1] != "is not a column")

    def rows(self, body: Any) -> list[Any]:
        if not isinstance(body, list):
            raise Refused(self.refusal, "Input should be a valid list")
        return body

    def one(self, row: dict[str, Any]) -> str:
        return "setosa" if row["sepal_length"] - row["sepal_width"] + row["petals"] / 4 < 3 else "virginica"

    def answer(self, rows: list[Any]) -> Any:
        return {"predict": [self.one(row) for row in rows]}


class Digits(Foreign):
    """As KServe's first protocol: a path with a colon, `instances`, numbers for labels, probabilities in no order."""

    columns: ClassVar[dict[str, dict[str, Any]]] = {
        "ink": {"type": "number", "minimum": 0, "maximum": 1},
        "loops": {"type": "integer", "minimum": 0, "maximum": 4},
        "slanted": {"type": "boolean"},
    }
    path, refusal = "/v1/models/digits:predict", 400
    labels: ClassVar[tuple[Any, ...]] = (8, 0, 1)

    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        return Reply(status, json.dumps({"error": message}).encode())

    def document(self, version: str) -> dict[str, Any]:
        error = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
        body = {
            "type": "object",
            "required": ["instances"],
            "additionalProperties": False,
            "properties": {"instances": {"type": "array", "maxItems": self.rows_max, "items": self.row_schema()}},
        }
        shown = {"predictions": [{"label": 8, "probabilities": [0.7, 0.2, 0.1]}], "model_name": "digits"}
        post = {
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "responses": {"200": described("Predictions", {"type": "object"}, example=shown)}
            | {str(status): described("Refused", error) for status in (400, 415)},
        }
        return {
            "openapi": "3.0.3",
            "info": {"title": "digits", "version": "1"},
            "paths": {self.path: {"post": post}},
        }

    def rows(self, body: Any) -> list[Any]:
        if not isinstance(body, dict) or body.keys() != {"instances"} or not isinstance(body["instances"], list):
            raise Refused(self.refusal, "Expected instances")
        return list(body["instances"])

    def chances(self, row: dict[str, Any]) -> list[float]:
        shape = 4 * row["ink"] + row["loops"] - bool(row["slanted"])
        weights = [math.exp(-((shape - centre) ** 2) / 3) for centre in (5.0, 2.5, 0.0)]
        return [weight / sum(weights) for weight in weights]

    def label(self, row: dict[str, Any], chances: list[float]) -> Any:
        return self.labels[chances.index(max(chances))]

    def one(self, row: dict[str, Any]) -> dict[str, Any]:
        chances = self.chances(row)
        return {"label": self.label(row, chances), "probabilities": chances}

    def answer(self, rows: list[Any]) -> Any:
        return {"predictions": [self.one(row) for row in rows], "model_name": "digits"}


class Churn(Foreign):
    """As BentoML: `/docs.json`, `servers: [{"url": "."}]`, rows under the argument's name, a header on every answer."""

    columns: ClassVar[dict[str, dict[str, Any]]] = {
        "months": {"type": "integer", "minimum": 0, "maximum": 240},
        "plan": {"type": "string", "enum": ["basic", "family", "business"]},
        "calls": {"type": "number", "minimum": 0, "maximum": 50},
    }
    path, published, refusal = "/classify", "/docs.json", 400

    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        return Reply(status, json.dumps({"error": message}).encode(), headers=headers)

    def document(self, version: str) -> dict[str, Any]:
        error = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
        body = {
            "type": "object",
            "required": ["customers"],
            "additionalProperties": False,
            "properties": {"customers": {"type": "array", "items": self.row_schema(), "maxItems": self.rows_max}},
        }
        header = {"X-Bento-Version": {"required": True, "schema": {"type": "string"}}}
        answers = {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}
        post = {
            "operationId": "classify",
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "responses": {"200": described("Probabilities", answers) | {"headers": header}}
            | {str(status): described("Refused", error) | {"headers": header} for status in (400, 401, 415)},
            "security": [{"Token": []}],
        }
        return {
            "openapi": "3.0.2",
            "info": {"title": "churn", "version": "1"},
            "servers": [{"url": "."}],
            "paths": {self.path: {"post": post}},
            "components": {"securitySchemes": {"Token": {"type": "http", "scheme": "bearer"}}},
        }

    def respond(self, request: Request) -> Reply:
        reply = super().respond(request)
        reply.headers |= self.versions(reply.status)
        return reply

    def versions(self, status: int) -> dict[str, str]:
        return {"X-Bento-Version": "churn:7"}

    def admit(self, request: Request) -> None:
        if not self.authorized(request.headers.get("Authorization", "")):
            raise Refused(401, "Unknown key")

    def rows(self, body: Any) -> list[Any]:
        if not isinstance(body, dict) or body.keys() != {"customers"} or not isinstance(body["customers"], list):
            raise Refused(self.refusal, "Expected customers")
        return list(body["customers"])

    def answer(self, rows: list[Any]) -> Any:
        return [[1 - chance, chance] for chance in map(self.chance, rows)]

    def chance(self, row: dict[str, Any]) -> float:
        score = row["calls"] / 10 - row["months"] / 60 + {"basic": 0.5, "family": -0.2, "business": 0.0}[row["plan"]]
        return 1 / (1 + math.exp(-score))


class Tensors(Foreign):
    """As MLServer: tensors with a name, a shape and a type, in which columns have no place."""

    path = "/v2/models/iris/infer"

    def document(self, version: str) -> dict[str, Any]:
        numbers = {"type": "array", "items": {"type": "integer"}}
        tensor = {
            "type": "object",
            "required": ["name", "shape", "datatype", "data"],
            "properties": {"name": {"type": "string"}, "shape": numbers, "datatype": {"type": "string"}, "data": {}},
        }
        body = {
            "type": "object",
            "required": ["inputs"],
            "properties": {"inputs": {"type": "array", "items": {"$ref": "#/components/schemas/RequestInput"}}},
        }
        post = {
            "operationId": "model-infer",
            "requestBody": {"content": {"application/json": {"schema": body}}},
            "responses": {"200": described("OK", {"type": "object"})},
        }
        live = {"get": {"responses": {"200": {"description": "OK"}}}}
        return {
            "openapi": "3.0.3",
            "info": {"title": "Open Inference Protocol", "version": "2.0"},
            "paths": {"/v2/health/live": live, self.path: {"post": post}},
            "components": {"schemas": {"RequestInput": tensor}},
        }


class Wordless(Iris):
    """A Flask application: it scores as `Iris` does, and its document is a frame around nothing."""

    def document(self, version: str) -> dict[str, Any]:
        post = {"responses": {"200": {"description": "Success"}}}
        return {"openapi": "3.0.3", "info": {"title": "app", "version": "1"}, "paths": {self.path: {"post": post}}}


__all__ = ["KEY", "Churn", "Digits", "Iris", "Tensors", "Wordless"]
