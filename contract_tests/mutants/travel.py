"""Planted bugs in how requests and replies travel: methods, paths, statuses, types."""

import time
from typing import Any

from contract_tests.mutants.planting import PREDICT, ROWS, planted, post
from contract_tests.reference import ALLOWED, Reference, Refused, Reply, Request

BODY = {"data": ROWS}


class Scoring(Reference):
    """Answers further methods on the scoring path."""

    also: str

    def route(self, request: Request) -> Reply:
        if request.method == self.also and request.path == "/score":
            return self.otherwise(request)
        return super().route(request)

    def otherwise(self, request: Request) -> Reply:
        return Reply(200, b'{"result": []}')


@planted("wire", Request("GET", "/score", {}, b""))
class GetScores(Scoring):
    also = "GET"


@planted("wire", Request("HEAD", "/score", {}, b""))
class HeadScores(Scoring):
    also = "HEAD"


@planted("wire", Request("PUT", "/score", {}, b""))
class PutScores(Scoring):
    also = "PUT"


@planted("wire", Request("TRACE", "/score", {}, b""))
class TraceEchoes(Scoring):
    also = "TRACE"

    def otherwise(self, request: Request) -> Reply:
        told = "\r\n".join(f"{name}: {value}" for name, value in request.headers.items())
        return Reply(200, told.encode(), "message/http")


@planted("wire", Request("BREW", "/score", {}, b""))
class AnyMethodScores(Scoring):
    also = "BREW"


@planted("wire", Request("DELETE", "/score", {}, b""))
class DeleteIsAFault(Scoring):
    also = "DELETE"

    def otherwise(self, request: Request) -> Reply:
        raise Refused(500, "NotImplementedError")


@planted("wire", Request("PUT", "/score", {}, b""))
class AllowsTheWrong(Reference):
    """405 that names the method it has just refused."""

    def respond(self, request: Request) -> Reply:
        reply = super().respond(request)
        if reply.status == 405:
            reply.headers["Allow"] = "GET, PUT, DELETE, PATCH"
        return reply


@planted("wire", post(BODY, target="/score/extra"))
class AnyPathBehind(Reference):
    def route(self, request: Request) -> Reply:
        if request.path.startswith("/score/"):
            return super().route(Request(request.method, "/score", request.headers, request.body))
        return super().route(request)


@planted("wire", Request("GET", "/nowhere", {}, b""))
class SendsElsewhere(Reference):
    def route(self, request: Request) -> Reply:
        return super().route(request) if request.path in ALLOWED else Reply(302, headers={"Location": "/"})


@planted("wire", Request("GET", "/nowhere", {}, b""))
class AnyPathIsFine(Reference):
    def route(self, request: Request) -> Reply:
        return super().route(request) if request.path in ALLOWED else Reply(200, b"{}")


@planted("wire", post({"data": [{}]}))
class ErrorsAs200(Reference):
    def respond(self, request: Request) -> Reply:
        reply = super().respond(request)
        if reply.status == 400:
            reply.status = 200
        return reply


@planted("contract", PREDICT)
class Creates(Reference):
    """201 for predictions."""

    def score(self, request: Request) -> Reply:
        reply = super().score(request)
        reply.status = 201
        return reply


@planted("wire", post({"data": [{}]}))
class BlamesItself(Reference):
    """Every bad body is 500."""

    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        return super().error(500 if status == 400 else status, message, details)


@planted("wire", post(BODY, Content_Type="text/json"))
class TextJson(Reference):
    def content_type_accepted(self, content_type: str) -> bool:
        return "json" in content_type


@planted("wire", post(BODY, Content_Type="application/x-www-form-urlencoded"))
class FormsToo(Reference):
    def content_type_accepted(self, content_type: str) -> bool:
        return content_type.startswith("application/")


@planted("wire", post(BODY, Content_Type="application/json; charset=utf-8"))
class NoParameters(Reference):
    def content_type_accepted(self, content_type: str) -> bool:
        return content_type == "application/json"


@planted("wire", PREDICT)
class RepliesAsText(Reference):
    def score(self, request: Request) -> Reply:
        reply = super().score(request)
        return Reply(reply.status, reply.body, "text/plain", reply.headers)


@planted("wire", post(BODY, x_ms_client_request_id="x" * 101))
class LongClientIds(Reference):
    def route(self, request: Request) -> Reply:
        kept = {k: v for k, v in request.headers.items() if k.lower() != "x-ms-client-request-id"}
        return super().route(Request(request.method, request.target, kept, request.body))


@planted("wire", post(BODY, x_request_id="x" * 100))
class RefusesIdsOf100(Reference):
    def route(self, request: Request) -> Reply:
        if len(request.headers.get("x-request-id", "")) >= 100:
            raise Refused(431, "1 problem: an id is too long")
        return super().route(request)


@planted("wire", post(b"no"))
class HangsUp(Reference):
    """Closes the connection on a body that is not JSON."""

    def loads(self, body: bytes) -> Any:
        try:
            return super().loads(body)
        except Refused as e:
            raise ConnectionAbortedError from e


@planted("wire", post(b""), slow=True)
class FallsSilent(Reference):
    """Waits for a body that never comes."""

    def loads(self, body: bytes) -> Any:
        if not body:
            time.sleep(11)
        return super().loads(body)
