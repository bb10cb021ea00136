"""Correct scoring servers in other people's styles, and what they share: one small engine of the standard library.

None has Azure's routes, forms or extensions. `Flats` prices flats (numbers, a base path, an API key in a header,
intervals as objects), `Wines` tells labels with their probabilities in one reply (Swagger 2.0, a lower-case
`authorization` header with the key alone), `Rain` takes a bare list of rows from anybody and refuses with 422.
"""

import hmac
import json
import math
from collections.abc import Iterator
from typing import Any, ClassVar

from contract_tests.reference import KEY, Reference, Refused, Reply, Request

ERROR = {"type": "object", "required": ["detail"], "properties": {"detail": {"type": "string"}}}


class Foreign(Reference):
    """A server of columns, a path and a document of its own."""

    columns: ClassVar[dict[str, dict[str, Any]]]
    """Name -> JSON Schema."""
    optional: frozenset[str] = frozenset()
    path: str
    prefix = ""
    published = "/openapi.json"
    refusal = 422
    rows_max = 2_000

    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        return Reply(status, json.dumps({"detail": message}).encode())

    def route(self, request: Request) -> Reply:
        if request.path == self.published:
            if request.method not in ("GET", "HEAD"):
                return self.wrong_method("GET, HEAD")
            return Reply(200, json.dumps(self.document("")).encode())
        if request.path != self.prefix + self.path:
            raise Refused(404, "Not found")
        return self.score(request) if request.method == "POST" else self.wrong_method("POST")

    def wrong_method(self, allowed: str) -> Reply:
        reply = self.error(405, "Method not allowed", [])
        reply.headers["Allow"] = allowed
        return reply

    def score(self, request: Request) -> Reply:
        self.admit(request)
        if not self.content_type_accepted(request.headers.get("Content-Type", "")):
            raise Refused(415, "Unsupported media type")
        try:
            body = json.loads(request.body.decode(), parse_constant=self.constant)
        except (ValueError, RecursionError) as e:
            raise Refused(self.refusal, "The body is not JSON") from e
        rows = self.rows(body)
        if len(rows) > self.rows_max:
            raise Refused(self.refusal, "Too many rows")
        if problem := next((found for row in rows for found in self.problems(row)), None):
            raise Refused(self.refusal, f"{problem[0][:40]} {problem[1]}")
        return Reply(200, json.dumps(self.answer(rows)).encode())

    def admit(self, request: Request) -> None:
        """Raises Refused."""

    def rows(self, body: Any) -> list[Any]:
        raise NotImplementedError

    def answer(self, rows: list[Any]) -> Any:
        raise NotImplementedError

    def problems(self, row: Any) -> Iterator[tuple[str, str]]:
        if not isinstance(row, dict):
            yield "", "expected an object"
            return
        yield from ((name, "is not a column") for name in row.keys() - self.columns.keys())
        yield from ((name, "is missing") for name in self.columns.keys() - self.optional - row.keys())
        yield from (
            (name, "has a wrong value") for name in row.keys() & self.columns if not self.takes(name, row[name])
        )

    def takes(self, name: str, value: Any) -> bool:
        schema = self.columns[name]
        kind = schema["type"]
        if kind == "string":
            return isinstance(value, str) and value in schema.get("enum", [value])
        if kind == "boolean":
            return isinstance(value, bool)
        if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
            return False
        if kind == "integer" and not isinstance(value, int):
            return False
        return bool(schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf))

    def row_schema(self) -> dict[str, Any]:
        needed = [name for name in self.columns if name not in self.optional]
        return {"type": "object", "required": needed, "additionalProperties": False, "properties": self.columns}


class Flats(Foreign):
    """Prices flats: OpenAPI 3.1, schemas by reference, `x-api-key`, a base path, numbers with their interval."""

    columns: ClassVar[dict[str, dict[str, Any]]] = {
        "area_m2": {"type": "number", "minimum": 5, "maximum": 900},
        "rooms": {"type": "integer", "minimum": 1, "maximum": 30},
        "district": {"type": "string", "enum": ["north", "south", "old town"]},
        "lift": {"type": "boolean"},
    }
    optional = frozenset({"lift"})
    prefix, path = "/api/v1", "/prices"
    answered = 0

    def document(self, version: str) -> dict[str, Any]:
        price = {
            "type": "object",
            "required": ["price", "low", "high"],
            "properties": {name: {"type": "number"} for name in ("price", "low", "high")},
        }
        many = {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Flat"},
            "minItems": 1,
            "maxItems": self.rows_max,
        }
        body = {
            "type": "object",
            "required": ["flats", "currency"],
            "additionalProperties": False,
            "properties": {"flats": many, "currency": {"type": "string", "enum": ["EUR", "CHF"]}},
        }
        reply = {
            "type": "object",
            "required": ["prices"],
            "properties": {
                "prices": {"type": "array", "items": {"$ref": "#/components/schemas/Price"}},
                "request_id": {"type": "string"},
            },
        }
        schemas = {"Flat": self.row_schema(), "Price": price, "Flats": body, "Prices": reply, "Problem": ERROR}
        refs = {
            name: {
                "description": name,
                "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
            }
            for name in schemas
        }
        post = {
            "operationId": "price",
            "requestBody": {"required": True, "content": refs["Flats"]["content"]},
            "responses": {"200": refs["Prices"]} | {str(status): refs["Problem"] for status in (401, 415, 422)},
            "security": [{"Key": []}],
        }
        return {
            "openapi": "3.1.0",
            "info": {"title": "flats", "version": "1"},
            "servers": [{"url": self.prefix}],
            "paths": {self.path: {"post": post}},
            "components": {
                "schemas": schemas,
                "securitySchemes": {"Key": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
            },
        }

    def admit(self, request: Request) -> None:
        if not self.authorized(request.headers.get("x-api-key", "")):
            raise Refused(401, "Unknown key")

    def authorized(self, header: str) -> bool:
        return hmac.compare_digest(header.encode("latin-1", "replace"), KEY.encode())

    def rows(self, body: Any) -> list[Any]:
        good = isinstance(body, dict) and body.keys() == {"flats", "currency"} and body["currency"] in ("EUR", "CHF")
        if (
            not good
            or not isinstance(body["currency"], str)
            or not isinstance(body["flats"], list)
            or not body["flats"]
        ):
            raise Refused(self.refusal, "Expected flats and currency")
        return list(body["flats"])

    def price(self, row: dict[str, Any]) -> float:
        per_m2 = {"north": 3_100.0, "south": 2_700.0, "old town": 5_200.0}[row["district"]]
        return row["area_m2"] * per_m2 + 9_000 * row["rooms"] + 12_000 * bool(row.get("lift"))

    def answer(self, rows: list[Any]) -> Any:
        return {"prices": [self.interval(price) for price in map(self.price, rows)], "request_id": self.identity()}

    def identity(self) -> str:
        """Another one for each request, and the same ones after each start."""
        self.answered += 1
        return str(self.answered)

    def interval(self, price: float) -> dict[str, float]:
        return {"price": price, "low": price * 0.9, "high": price * 1.1}


class Wines(Foreign):
    """Tells labels and probabilities at once: Swagger 2.0, the key alone in a lower-case `authorization`, 400."""

    columns: ClassVar[dict[str, dict[str, Any]]] = {
        "acidity": {"type": "number", "minimum": 0, "maximum": 20},
        "year": {"type": "integer", "minimum": 1900, "maximum": 2100},
        "grape": {"type": "string", "enum": ["riesling", "merlot", "syrah"]},
        "note": {"type": "string"},
    }
    optional = frozenset({"note"})
    prefix, path, published, refusal = "/wine", "/classify", "/swagger.json", 400
    labels = ("poor", "fair", "good")

    def document(self, version: str) -> dict[str, Any]:
        chances = {
            "type": "array",
            "items": {"type": "number", "minimum": 0, "maximum": 1},
            "minItems": 3,
            "maxItems": 3,
        }
        definitions = {
            "Wine": self.row_schema(),
            "Request": {
                "type": "object",
                "required": ["instances"],
                "additionalProperties": False,
                "properties": {
                    "instances": {"type": "array", "maxItems": self.rows_max, "items": {"$ref": "#/definitions/Wine"}}
                },
            },
            "Reply": {
                "type": "object",
                "required": ["predictions", "probabilities"],
                "properties": {
                    "predictions": {"type": "array", "items": {"type": "string", "enum": list(self.labels)}},
                    "probabilities": {"type": "array", "items": chances},
                    "classes": {"type": "array", "items": {"type": "string"}},
                },
            },
            "Error": ERROR,
        }
        refs = {name: {"description": name, "schema": {"$ref": f"#/definitions/{name}"}} for name in definitions}
        post = {
            "parameters": [{"in": "body", "name": "body", "required": True, "schema": refs["Request"]["schema"]}],
            "responses": {"200": refs["Reply"]} | {str(status): refs["Error"] for status in (400, 403, 415)},
        }
        return {
            "swagger": "2.0",
            "info": {"title": "wines", "version": "1"},
            "basePath": self.prefix,
            "consumes": ["application/json"],
            "produces": ["application/json"],
            "paths": {self.path: {"post": post}},
            "definitions": definitions,
            "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "authorization"}},
            "security": [{"key": []}],
        }

    def admit(self, request: Request) -> None:
        if not self.authorized(request.headers.get("authorization", "")):
            raise Refused(403, "Forbidden")

    def authorized(self, header: str) -> bool:
        return hmac.compare_digest(header.encode("latin-1", "replace"), KEY.encode())

    def rows(self, body: Any) -> list[Any]:
        if not isinstance(body, dict) or body.keys() != {"instances"} or not isinstance(body["instances"], list):
            raise Refused(self.refusal, "Expected instances")
        return list(body["instances"])

    def chances(self, row: dict[str, Any]) -> list[float]:
        taste = (
            row["acidity"] / 4
            + (row["year"] - 1990) / 30
            + {"riesling": 0.5, "merlot": -0.4, "syrah": 0.1}[row["grape"]]
        )
        weights = [math.exp(-((taste - centre) ** 2) / 8) for centre in (0.0, 2.0, 4.0)]
        return [weight / sum(weights) for weight in weights]

    def label(self, probabilities: list[float]) -> str:
        return self.labels[probabilities.index(max(probabilities))]

    def answer(self, rows: list[Any]) -> Any:
        chances = [self.chances(row) for row in rows]
        return {
            "predictions": [self.label(each) for each in chances],
            "probabilities": chances,
            "classes": list(self.labels),
        }


class Rain(Foreign):
    """Forecasts rain to anybody: OpenAPI 3.0, a bare list of rows in, a list of objects out, 422, 7.0 is an integer."""

    columns: ClassVar[dict[str, dict[str, Any]]] = {
        "pressure_hpa": {"type": "number", "minimum": 850, "maximum": 1100},
        "cloud_octas": {"type": "integer", "minimum": 0, "maximum": 8},
        "station": {"type": "string", "enum": ["coast", "hill", "city"]},
    }
    path = "/forecast"

    def document(self, version: str) -> dict[str, Any]:
        chance = {"type": "number", "minimum": 0, "maximum": 1}
        answer = {
            "type": "object",
            "required": ["label", "probabilities"],
            "properties": {
                "label": {"type": "string", "enum": ["dry", "wet"]},
                "probabilities": {
                    "type": "object",
                    "required": ["dry", "wet"],
                    "properties": {"dry": chance, "wet": chance},
                },
            },
        }
        schemas = {"Hour": self.row_schema(), "Forecast": answer, "Problem": ERROR}
        many = {
            name: {
                "application/json": {
                    "schema": {"type": "array", "maxItems": 50, "items": {"$ref": f"#/components/schemas/{name}"}}
                }
            }
            for name in ("Hour", "Forecast")
        }
        problem = {
            "description": "Refused",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        post = {
            "requestBody": {"required": True, "content": many["Hour"]},
            "responses": {
                "200": {"description": "Forecasts", "content": many["Forecast"]},
                "422": problem,
                "415": problem,
            },
        }
        return {
            "openapi": "3.0.3",
            "info": {"title": "rain", "version": "1"},
            "paths": {self.path: {"post": post}},
            "components": {"schemas": schemas},
        }

    rows_max = 50

    def takes(self, name: str, value: Any) -> bool:
        whole = isinstance(value, float) and value.is_integer()
        return super().takes(name, int(value) if whole and self.columns[name]["type"] == "integer" else value)

    def rows(self, body: Any) -> list[Any]:
        if not isinstance(body, list):
            raise Refused(self.refusal, "Expected a list")
        return body

    def wet(self, row: dict[str, Any]) -> float:
        score = (
            (1010 - row["pressure_hpa"]) / 25
            + (row["cloud_octas"] - 4) / 2
            + {"coast": 0.4, "hill": 0.7, "city": -0.2}[row["station"]]
        )
        return 1 / (1 + math.exp(-score))

    def one(self, row: dict[str, Any]) -> dict[str, Any]:
        wet = self.wet(row)
        return {"label": "wet" if wet > 0.5 else "dry", "probabilities": {"dry": 1 - wet, "wet": wet}}

    def answer(self, rows: list[Any]) -> Any:
        return [self.one(row) for row in rows]


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
