"""A correct scoring server as somebody else would write it: 422, `detail`, no extensions, one form, lax about types.

It shares nothing with the reference but the key: columns of its own, OpenAPI 3.1 alone, errors in the style of FastAPI.
"""

import json
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contract_tests.reference import KEY
from core.local.machine.ports import listen

SIZES = ("small", "medium", "large")
ROW = {
    "type": "object",
    "required": ["width_mm", "size"],
    "additionalProperties": False,
    "properties": {
        "width_mm": {"type": "number", "minimum": 0, "maximum": 500},
        "count": {"type": "integer", "minimum": 0, "maximum": 1000, "default": 1},
        "size": {"type": "string", "enum": list(SIZES)},
    },
}
DETAIL = {"type": "object", "required": ["detail"], "properties": {"detail": {}}}


def document() -> dict[str, Any]:
    """Its OpenAPI document."""
    body = {
        "type": "object",
        "required": ["data"],
        "additionalProperties": False,
        "properties": {"data": {"type": "array", "items": ROW, "maxItems": 5_000}},
    }
    result = {"type": "array", "items": {"type": "string", "enum": ["good", "bad"]}}
    reply = {"type": "object", "required": ["result"], "properties": {"result": result}}
    refusals = {str(status): _described("Refused", DETAIL) for status in (401, 413, 415, 422)}
    operation = {
        "operationId": "score_parts",
        "security": [{"Key": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"200": _described("Answers", reply)} | refusals,
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "parts", "version": "3"},
        "paths": {"/predict": {"post": operation}},
        "components": {"securitySchemes": {"Key": {"type": "http", "scheme": "bearer"}}},
    }


def _described(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


async def published(_: Request) -> Response:
    return JSONResponse(document())


async def predict(request: Request) -> Response:
    if request.headers.get("authorization", "") != f"Bearer {KEY}":
        return JSONResponse({"detail": "Not authenticated"}, 401, {"WWW-Authenticate": "Bearer"})
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return JSONResponse({"detail": "Unsupported media type"}, 415)
    try:
        body = json.loads((await request.body()).decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return JSONResponse({"detail": [{"type": "json_invalid"}]}, 422)
    if not isinstance(body, dict) or body.keys() != {"data"} or not isinstance(body["data"], list):
        return JSONResponse({"detail": [{"type": "missing", "loc": ["body", "data"]}]}, 422)
    if len(body["data"]) > 5_000:
        return JSONResponse({"detail": "Too many rows"}, 413)
    bad = [at for at, row in enumerate(body["data"]) if not _valid(row)]
    if bad:
        return JSONResponse({"detail": [{"type": "value_error", "loc": ["body", "data", at]} for at in bad[:9]]}, 422)
    return JSONResponse({"result": [_label(row) for row in body["data"]]})


def _refuse(text: str) -> float:
    raise ValueError(text)


def _valid(row: Any) -> bool:
    if not isinstance(row, dict) or not {"width_mm", "size"} <= row.keys() <= {"width_mm", "size", "count"}:
        return False
    return (
        _number(row["width_mm"], 500)
        and _number(row.get("count", 1), 1000)
        and float(row.get("count", 1)).is_integer()
        and row["size"] in SIZES
        and isinstance(row["size"], str)
    )


def _number(value: Any, most: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= most and math.isfinite(value)


def _label(row: dict[str, Any]) -> str:
    worth = row["width_mm"] * (1 + SIZES.index(row["size"])) + 0.1 * row.get("count", 1)
    return "good" if worth > 300 else "bad"


@contextmanager
def serving_another_style() -> Iterator[str]:
    """Serve on a free loopback port; gives the address of its document."""
    routes = [Route("/openapi.json", published), Route("/predict", predict, methods=["POST"])]
    routes += [Route("/swagger.json", published)]
    listener = listen(0, "another server")
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
