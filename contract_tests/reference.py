"""A correct scoring server in the standard library: what the checks must never complain about.

It shares no code with the product, so that a misunderstanding in one shows in the other. Its parts are small methods,
and each mutant replaces one of them.
"""

import hmac
import json
import math
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from contract_tests.reference_document import BODY_MAX_MB, CLASSES, COLUMNS, LEVELS, ROWS_MAX, document, loose_document

KEY = "reference-key-0123456789-abcdefghijklmnop"
INT64 = range(-(2**63), 2**63)
FORMS = {"data": "v1", "Inputs": "v2", "input_data": "mlflow"}
ALLOWED = {"/": "GET, HEAD", "/score": "POST, OPTIONS", "/swagger.json": "GET, HEAD"}
ID_MAX_CHARS = 100


@dataclass
class Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)


@dataclass
class Reply:
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """The contract forbids this request."""

    def __init__(self, status: int, message: str, details: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.details = status, message, details or []


class Reference:
    """Every answer of the server; one instance serves all connections."""

    def respond(self, request: Request) -> Reply:
        try:
            reply = self.route(request)
        except Refused as e:
            reply = self.error(e.status, e.message, e.details)
        reply.headers.setdefault("x-request-id", request.headers.get("x-request-id") or str(uuid.uuid4()))
        return reply

    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        return Reply(status, json.dumps({"message": message, "details": details}).encode(), headers=headers)

    def route(self, request: Request) -> Reply:
        if any(
            len(request.headers.get(name, "")) > ID_MAX_CHARS for name in ("x-request-id", "x-ms-client-request-id")
        ):
            return Reply(
                431,
                b'{"message": "1 problem: an id has more than 100 characters", "details": []}',
                headers={"x-request-id": str(uuid.uuid4())},
            )
        if request.path not in ALLOWED:
            raise Refused(404, f"There is no {request.path[:40]}")
        if request.method not in ALLOWED[request.path].split(", "):
            reply = self.error(405, "This method is not allowed", [])
            reply.headers["Allow"] = ALLOWED[request.path]
            return reply
        if request.path == "/":
            return Reply(200, b"Healthy", "text/plain; charset=utf-8")
        if request.path == "/swagger.json":
            return self.swagger(request)
        return Reply(200) if request.method == "OPTIONS" else self.score(request)

    def swagger(self, request: Request) -> Reply:
        version = request.query.get("version", ["2"])[0]
        if version not in ("2", "3", "3.1"):
            raise Refused(404, "The versions are 2, 3 and 3.1")
        return Reply(200, json.dumps(self.document(version)).encode())

    def document(self, version: str) -> dict[str, Any]:
        return document(version)

    def score(self, request: Request) -> Reply:
        if not self.authorized(request.headers.get("Authorization", "")):
            raise Refused(401, "A key is needed: Authorization: Bearer KEY")
        if not self.content_type_accepted(request.headers.get("Content-Type", "")):
            raise Refused(415, "The content type is application/json")
        self.weigh(request.body)
        rows, form, method = self.parse(self.loads(request.body))
        self.validate(rows)
        return Reply(200, json.dumps(self.wrap(self.answers(rows, method), form)).encode())

    def authorized(self, header: str) -> bool:
        return hmac.compare_digest(header.encode("latin-1", "replace"), f"Bearer {KEY}".encode())

    def content_type_accepted(self, content_type: str) -> bool:
        return content_type.partition(";")[0].strip().lower() == "application/json"

    def weigh(self, body: bytes) -> None:
        if len(body) > BODY_MAX_MB * 2**20:
            raise Refused(413, f"1 problem: the body has more than {BODY_MAX_MB} MB")

    def loads(self, body: bytes) -> Any:
        try:
            return json.loads(self.text(body), parse_constant=self.constant)
        except (ValueError, RecursionError) as e:
            raise Refused(400, "1 problem: the body is not JSON") from e

    def text(self, body: bytes) -> str:
        return body.decode("utf-8")

    def constant(self, text: str) -> float:
        raise ValueError(text)

    def parse(self, body: Any) -> tuple[list[Any], str, str]:
        """Rows, form and method of a body in any of the three forms."""
        if not isinstance(body, dict) or len(found := [form for form in FORMS if form in body]) != 1:
            raise Refused(400, "1 problem: expected an object with data, Inputs or input_data")
        form = FORMS[found[0]]
        if form == "v1":
            return self.take(body, {"data": list}, "method")
        if form == "v2":
            rows, _, _ = self.take(body["Inputs"], {"data": list}, "")
            return rows, form, self.method_of(body, "GlobalParameters", "Inputs")
        return self.table(body["input_data"]), form, self.method_of(body, "params", "input_data")

    def take(self, body: Any, need: dict[str, type], method: str) -> tuple[list[Any], str, str]:
        if (
            not isinstance(body, dict)
            or not body.keys() <= need.keys() | {method}
            or not isinstance(body.get("data"), list)
        ):
            raise Refused(400, "1 problem: expected an object with an array data")
        return body["data"], "v1", self.method(body.get(method, "predict"))

    def method_of(self, body: dict[str, Any], holder: str, other: str) -> str:
        inner = body.get(holder, {})
        if body.keys() - {holder, other} or not isinstance(inner, dict) or inner.keys() - {"method"}:
            raise Refused(400, f"1 problem: expected {holder} with a method")
        return self.method(inner.get("method", "predict"))

    def method(self, method: Any) -> str:
        if method not in ("predict", "predict_proba"):
            raise Refused(400, "1 problem: method is predict or predict_proba")
        return str(method)

    def table(self, table: Any) -> list[Any]:
        well_formed = isinstance(table, dict) and table.keys() <= {"columns", "index", "data"}
        columns, rows, index = (table.get(k) for k in ("columns", "data", "index")) if well_formed else (None,) * 3
        if not isinstance(columns, list) or not isinstance(rows, list) or len(set(map(str, columns))) != len(columns):
            raise Refused(400, "1 problem: expected columns and data")
        if any(not isinstance(row, list) or len(row) != len(columns) for row in rows):
            raise Refused(400, "1 problem: a row has not one value per column")
        if index is not None and (not isinstance(index, list) or len(index) != len(rows)):
            raise Refused(400, "1 problem: index has not one value per row")
        if any(not isinstance(column, str) for column in columns):
            raise Refused(400, "1 problem: columns are names")
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def validate(self, rows: list[Any]) -> None:
        self.count(rows)
        problems = [
            {"row": i, "column": column, "problem": problem}
            for i, row in enumerate(rows)
            for column, problem in self.problems(row)
        ]
        if problems:
            first = problems[0]
            message = f"{len(problems)} problem(s): row {first['row']}, '{first['column'][:40]}': {first['problem']}"
            raise Refused(400, message, problems[:20])

    def count(self, rows: list[Any]) -> None:
        if len(rows) > ROWS_MAX:
            raise Refused(413, f"1 problem: {len(rows)} rows, at most {ROWS_MAX} are taken")

    def problems(self, row: Any) -> Iterator[tuple[str, str]]:
        if not isinstance(row, dict):
            yield "", "expected an object"
            return
        if not row.keys() <= COLUMNS.keys():
            yield from ((name[:40], "is not a column") for name in row.keys() - COLUMNS.keys())
        for name, (kind, nullable) in COLUMNS.items():
            value = row.get(name)
            if value is None and nullable:
                continue
            if value is None and name not in row:
                yield name, "is missing"
            elif not self.accepts(name, kind, value):
                yield name, f"expected {kind}"

    def accepts(self, name: str, kind: str, value: Any) -> bool:
        if kind == "boolean":
            return isinstance(value, bool)
        if kind == "string":
            return isinstance(value, str) and (name not in LEVELS or value in LEVELS[name])
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not _finite(value):
            return False
        return kind == "number" or (value == int(value) and int(value) in INT64)

    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        probabilities = self.probabilities(rows)
        if method == "predict_proba":
            return probabilities
        return [self.label(p) for p in probabilities]

    def label(self, probabilities: list[float]) -> str:
        return CLASSES[probabilities[1] > probabilities[0]]

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        return [[1 - p, p] for p in map(self.probability, rows)]

    def probability(self, row: dict[str, Any]) -> float:
        score = 0.05 * (row["age"] - 45) + 0.0004 * (row.get("balance") or 0.0) + len(row["city"]) % 7 / 10
        score += (0.8, -0.6, 0.3, -1.1)[LEVELS["job"].index(row["job"])] + 0.5 * bool(row.get("member"))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))

    def wrap(self, answers: list[Any], form: str) -> Any:
        return {"v1": {"result": answers}, "v2": {"Results": answers}, "mlflow": answers}[form]


class LooseReference(Reference):
    """The same server with a document that says little: columns stand in its example alone."""

    def document(self, version: str) -> dict[str, Any]:
        return loose_document(version)


class Handler(BaseHTTPRequestHandler):
    """Takes requests off the wire and puts replies on it, for the `reference` that a subclass names."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    reference: Reference

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = self.reference.respond(Request(self.command, self.path, self.headers, body))
        self.send_response(reply.status)
        headers = reply.headers | {"Content-Type": reply.content_type, "Content-Length": str(len(reply.body))}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Server(ThreadingHTTPServer):
    """Takes many connections at once: of those beyond the queue each would wait a second for its next try."""

    request_queue_size = 128
    daemon_threads = True


@contextmanager
def serving(reference: Reference) -> Iterator[str]:
    """Serve on a free loopback port; gives the root address."""
    handler = type("Handler", (Handler,), {"reference": reference})
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _finite(value: int | float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
