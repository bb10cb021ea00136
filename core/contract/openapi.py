"""The published document of an endpoint, made from the signature: Swagger 2.0, OpenAPI 3.0.3 or 3.1.0."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
import numpy as np

from core.contract import schemas
from core.contract.findings import DETAILS_MAX
from core.contract.payload import ScoreRequest, encode_reply
from core.contract.samples import body, typical_row
from core.contract.schemas import Dialect, Schema
from core.domain.endpoint import DEPLOYMENT_HEADER, EndpointLimits
from core.domain.errors import NotFound
from core.domain.signature import FORMS, Signature

SUPPORTED = tuple(str(d) for d in Dialect)
NAMES = {"v1": "V1", "v2": "V2", "mlflow": "Mlflow"}

GIVES_A_CLASS = "`predict` gives a class per row, `predict_proba` its probabilities in the order of `x-classes`."
BY_COSTS = (
    "The class is the one that is expected to cost least: `x-costs` has a row for each right class, and in it the cost "
    "of each answer, both in the order of `x-classes`."
)
GIVES_A_NUMBER = "`predict` gives a number per row."
REFUSALS = {
    400: "The body violates the contract; `details` lists what and where.",
    401: "No key, a scheme other than Bearer, or a wrong key.",
    404: f"An unknown deployment (header `{DEPLOYMENT_HEADER}`) or version.",
    405: "A method that this path does not support.",
    408: "The body did not arrive in time.",
    413: "The body has too many bytes or rows.",
    415: "A content type other than application/json, or a content encoding other than identity and gzip.",
    424: "The model failed; the header `x-ms-run-function-failed` is True.",
    429: "Too many requests are being answered; `Retry-After` says when to try again.",
    431: "A request id has more than 100 characters, or the headers are too large.",
    503: "No deployment is ready and has traffic, or the server is shutting down.",
}
"""Every refusal and what it means."""

REFUSAL_HEADERS = {
    401: {"WWW-Authenticate": "string"},
    429: {"Retry-After": "integer"},
}


def document(
    signature: Signature,
    *,
    title: str,
    version: str = "2",
    model_version: str = "1",
    server_url: str = "",
    limits: EndpointLimits,
    legacy_reply: bool = False,
    primary_form: str = "v1",
    unseen_accept: bool = False,
) -> dict[str, Any]:
    """The document in `version`, one of SUPPORTED. Raises NotFound that names the supported ones for any other.

    An empty `server_url` means the address it was fetched from.
    """
    if version not in SUPPORTED:
        raise NotFound(f"There is no version '{version[:40]}'", hint=f"The versions are {', '.join(SUPPORTED)}")
    writer = _Writer(Dialect(version), signature, limits, legacy_reply, primary_form, unseen_accept)
    text = f"Scoring endpoint {title}: predicts {signature.target}."
    info = {"title": title, "version": model_version, "description": text}
    return writer.head(info, server_url) | {"paths": writer.paths(), **writer.definitions()}


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes one version of one endpoint's document."""

    dialect: Dialect
    signature: Signature
    limits: EndpointLimits
    legacy_reply: bool
    primary_form: str
    unseen_accept: bool

    def head(self, info: dict[str, str], server_url: str) -> dict[str, Any]:
        if self.dialect is not Dialect.V2:
            number = {Dialect.V3: "3.0.3", Dialect.V31: "3.1.0"}[self.dialect]
            return {"openapi": number, "info": info, "servers": [{"url": server_url or "/"}]}
        address = urlsplit(server_url)
        place = {"host": address.netloc} if address.netloc else {}
        if address.path.strip("/"):
            place["basePath"] = address.path
        media = ["application/json"]
        schemes = [address.scheme or "http"]
        return {"swagger": "2.0", "info": info, **place, "schemes": schemes, "consumes": media, "produces": media}

    def paths(self) -> dict[str, Any]:
        return {
            "/": {"get": self._health()},
            "/score": {"post": self._score()},
            "/swagger.json": {"get": self._swagger()},
        }

    def definitions(self) -> dict[str, Any]:
        """The named schemas and the key, where the dialect keeps them."""
        unseen, most = self.unseen_accept, self.limits.max_rows
        row = schemas.row_schema(self.signature, self.dialect, accept_unseen=unseen)
        record = row if self.dialect is Dialect.V2 else {"$ref": "#/components/schemas/Row"}
        inputs = {
            "v1": schemas.v1_schema(record, most, self.signature.methods),
            "v2": schemas.v2_schema(record, most, self.signature.methods),
            "mlflow": schemas.mlflow_schema(self.signature, self.dialect, most, accept_unseen=unseen),
        }
        error = schemas.error_schema(DETAILS_MAX)
        if self.dialect is Dialect.V2:
            service_input = inputs[self.primary_form] | {"example": self._example(self.primary_form)}
            service_output = self._reply(self.primary_form, {}) | {"example": self._answer(self.primary_form)}
            named = {"ServiceInput": service_input, "ServiceOutput": service_output}
            key = {"type": "apiKey", "name": "Authorization", "in": "header", "description": "For example: Bearer KEY"}
            return {"securityDefinitions": {"Bearer": key}, "definitions": named | {"ErrorResponse": error}}
        prediction = schemas.prediction_schema(self.signature.classes)
        outputs = {form: self._reply(form, prediction) for form in FORMS}
        # Each form has a name of its own: client generators make their types from names.
        named = {
            "Row": row,
            **{f"ServiceInput{NAMES[form]}": inputs[form] for form in FORMS},
            **{f"ServiceOutput{NAMES[form]}": outputs[form] for form in FORMS},
            "ServiceInput": {"oneOf": [self._ref(f"ServiceInput{NAMES[form]}") for form in FORMS]},
            "ServiceOutput": {"oneOf": [self._ref(f"ServiceOutput{NAMES[form]}") for form in FORMS]},
            "ErrorResponse": error,
        }
        bearer = {"Bearer": {"type": "http", "scheme": "bearer"}}
        return {"components": {"securitySchemes": bearer, "schemas": named}}

    def _health(self) -> dict[str, Any]:
        healthy = self._response("The service is up.", {"type": "string"}, media="text/plain")
        if self.dialect is Dialect.V2:
            healthy["examples"] = {"text/plain": "Healthy"}
        operation = {
            "operationId": "ServiceHealthCheck",
            "summary": "Health check",
            "description": "Answers `Healthy` while a deployment is ready.",
            "responses": {"200": healthy, **self._refusals((431, 503))},
        }
        return operation | ({"produces": ["text/plain", "application/json"]} if self.dialect is Dialect.V2 else {})

    def _score(self) -> dict[str, Any]:
        operation: dict[str, Any] = {
            "operationId": "RunMLService",
            "summary": "Run the model and get its predictions",
            "description": self._terms(),
            "security": [{"Bearer": []}],
        }
        if not self.signature.regression:
            operation |= {
                "x-classes": list(self.signature.classes),
                "x-positive-class": self.signature.positive_class,
                "x-threshold": self.signature.threshold,
            }
        if self.signature.costs:
            operation["x-costs"] = [list(row) for row in self.signature.costs]
        predictions = self._response("The predictions, in the form of the request.", self._ref("ServiceOutput"))
        operation["responses"] = {"200": predictions, **self._refusals(tuple(REFUSALS))}
        if self.dialect is Dialect.V2:
            body_parameter = {"name": "serviceInputPayload", "in": "body", "required": True}
            operation["parameters"] = [body_parameter | {"schema": self._ref("ServiceInput")}]
            return operation
        examples = {form: {"value": self._example(form)} for form in FORMS}
        media = {"schema": self._ref("ServiceInput"), "examples": examples}
        return operation | {"requestBody": {"required": True, "content": {"application/json": media}}}

    def _swagger(self) -> dict[str, Any]:
        kind: Schema = {"type": "string", "enum": list(SUPPORTED), "default": SUPPORTED[0]}
        kind = kind if self.dialect is Dialect.V2 else {"schema": kind}
        text = self._response("The document.", {"type": "object"})
        keyed = self.limits.swagger_requires_key
        operation = {
            "operationId": "GetSwaggerSpec",
            "summary": "This document, in any of its versions",
            "parameters": [{"name": "version", "in": "query", "required": False, **kind}],
            "responses": {"200": text, **self._refusals((401, 404, 431, 503) if keyed else (404, 431, 503))},
        }
        return operation | ({"security": [{"Bearer": []}]} if keyed else {})

    def _terms(self) -> str:
        """What JSON Schema cannot say."""
        limits = self.limits
        terms = (
            f"The body is UTF-8, at most {limits.max_body_mb:g} MB (unpacked, where it is sent with gzip), "
            f"and arrives within {limits.body_timeout_s:g} s; {limits.max_concurrent} requests are answered at once. "
            f"Key order is free. The header `{DEPLOYMENT_HEADER}` selects a deployment. "
            f"{GIVES_A_NUMBER if self.signature.regression else GIVES_A_CLASS}"
        )
        if self.signature.costs:
            terms += f" {BY_COSTS}"
        if self.dialect is Dialect.V31:
            return f"{terms} In `input_data` the columns may come in any order."
        if self.dialect is Dialect.V3:
            return f"{terms} This version cannot type `input_data` by position and shows a typical row; 3.1 states it."
        others = ", ".join(f"`{key}`" for key in self._other_forms())
        return f"{terms} Bodies with {others} are accepted too: see version 3.1."

    def _other_forms(self) -> list[str]:
        keys = {"v1": "data", "v2": "Inputs", "mlflow": "input_data"}
        return [key for form, key in keys.items() if form != self.primary_form]

    def _example(self, form: str) -> Any:
        return msgspec.json.decode(body([typical_row(self.signature)], form, "predict"))

    def _answer(self, form: str) -> Any:
        """What a reply to the example may be: the first class; of a model that gives numbers, half of one."""
        request = ScoreRequest("predict", form, 1, ())
        certain = np.full((1, 1), 0.5) if self.signature.regression else np.eye(1, len(self.signature.classes))
        return msgspec.json.decode(encode_reply(request, self.signature, certain, legacy_reply=self.legacy_reply))

    def _reply(self, form: str, prediction: Schema) -> Schema:
        return schemas.reply_schema(form, prediction, legacy_reply=self.legacy_reply)

    def _refusals(self, statuses: Sequence[int]) -> dict[str, Any]:
        return {str(status): self._refusal(status) for status in statuses}

    def _refusal(self, status: int) -> dict[str, Any]:
        response = self._response(REFUSALS[status], self._ref("ErrorResponse"))
        headers = {
            name: {"type": kind} if self.dialect is Dialect.V2 else {"schema": {"type": kind}}
            for name, kind in REFUSAL_HEADERS.get(status, {}).items()
        }
        return response | ({"headers": headers} if headers else {})

    def _response(self, description: str, schema: Schema, *, media: str = "application/json") -> dict[str, Any]:
        if self.dialect is Dialect.V2:
            return {"description": description, "schema": schema}
        return {"description": description, "content": {media: {"schema": schema}}}

    def _ref(self, name: str) -> Schema:
        place = "definitions" if self.dialect is Dialect.V2 else "components/schemas"
        return {"$ref": f"#/{place}/{name}"}
