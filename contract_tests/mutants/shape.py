"""Planted bugs in the shape of errors, and in the document."""

import json
from typing import Any

from contract_tests.mutants.planting import PREDICT, ROWS, planted, post, row
from contract_tests.reference import KEY, Reference, Reply, Request
from contract_tests.reference_document import document

BAD = post({"data": [{}]})
DOCUMENT = Request("GET", "/swagger.json", {}, b"")


@planted("wire", BAD)
class ErrorsAsPages(Reference):
    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        headers = super().error(status, message, details).headers
        return Reply(status, f"<h1>{status}</h1>".encode(), "text/html", headers)


@planted("wire", BAD)
class ErrorsAsLists(Reference):
    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        headers = super().error(status, message, details).headers
        return Reply(status, json.dumps([message]).encode(), headers=headers)


@planted("wire", BAD)
class ErrorsWithoutMessage(Reference):
    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        headers = super().error(status, message, details).headers
        return Reply(status, json.dumps({"detail": message}).encode(), headers=headers)


@planted("wire", BAD)
class SilentErrors(Reference):
    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        return Reply(status, b"", headers=super().error(status, message, details).headers)


@planted("wire", post({"data": []}, Authorization="Bearer wrong"))
class EchoesAuthorization(Reference):
    """A refusal quotes the key that it expected."""

    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        return super().error(status, f"{message} (expected {KEY})" if status == 401 else message, details)


@planted("wire", row(age="old"))
class ShowsItsPath(Reference):
    """Only a wrong type shows where the server's files are."""

    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        typed = any("expected" in detail["problem"] for detail in details)
        where = " at /usr/lib/python3/site-packages/scoring/cells.py, line 7"
        return super().error(status, message + where * typed, details)


@planted("wire", Request("GET", "/nowhere", {}, b""))
class TracesUnknownPaths(Reference):
    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        trace = 'Traceback (most recent call last):\n  File "/srv/app.py", line 3, in route\nKeyError: ' * (
            status == 404
        )
        return super().error(status, trace + message, details)


class OtherDocument(Reference):
    """Publishes another document than it should."""

    def document(self, version: str) -> dict[str, Any]:
        published = document(version)
        self.change(published, json.dumps)
        return published

    def change(self, published: dict[str, Any], _: Any) -> None:
        raise NotImplementedError

    @staticmethod
    def rows(published: dict[str, Any]) -> dict[str, Any]:
        """The schema of a row in Swagger 2.0."""
        post = published["paths"]["/score"]["post"]
        body = next((p["schema"] for p in post.get("parameters", ()) if p.get("in") == "body"), None)
        if body is None:
            body = post["requestBody"]["content"]["application/json"]["schema"]["oneOf"][0]
        return body["properties"]["data"]["items"]  # type: ignore[no-any-return]


@planted("semantic", DOCUMENT)
class PublishesACategoryThatItRefuses(OtherDocument):
    def change(self, published: dict[str, Any], _: Any) -> None:
        self.rows(published)["properties"]["job"]["enum"].append("dentist")


@planted("contract", DOCUMENT)
class PublishesAnotherType(OtherDocument):
    def change(self, published: dict[str, Any], _: Any) -> None:
        self.rows(published)["properties"]["age"] = {"type": "string"}


@planted("semantic", DOCUMENT)
class PublishesNullWhereItIsRefused(OtherDocument):
    def change(self, published: dict[str, Any], _: Any) -> None:
        self.rows(published)["properties"]["age"] |= {"x-nullable": True, "nullable": True}


@planted("contract", DOCUMENT)
class PublishesFewerColumns(OtherDocument):
    def change(self, published: dict[str, Any], _: Any) -> None:
        rows = self.rows(published)
        del rows["properties"]["city"]
        rows["required"].remove("city")


@planted("contract", DOCUMENT)
class PublishesAnotherReply(OtherDocument):
    def change(self, published: dict[str, Any], _: Any) -> None:
        answer = published["paths"]["/score"]["post"]["responses"]["200"]
        schema = {"type": "object", "required": ["predictions"], "properties": {"predictions": {"type": "array"}}}
        if "schema" in answer:
            answer["schema"] = schema
        else:
            answer["content"]["application/json"]["schema"] = schema


@planted("contract", DOCUMENT)
class LeavesOutItsRefusals(OtherDocument):
    def change(self, published: dict[str, Any], _: Any) -> None:
        del published["paths"]["/score"]["post"]["responses"]["400"]


@planted("contract", DOCUMENT)
class PublishesNothingToScore(OtherDocument):
    def change(self, published: dict[str, Any], _: Any) -> None:
        del published["paths"]["/score"]


@planted("contract", DOCUMENT)
class PublishesNoJson(Reference):
    def swagger(self, request: Request) -> Reply:
        reply = super().swagger(request)
        return Reply(200, reply.body[:-1], headers=reply.headers)


@planted("contract", PREDICT)
class AnswersBesideItsSchema(Reference):
    """A key in the reply that the document forbids."""

    def wrap(self, answers: list[Any], form: str) -> Any:
        wrapped = super().wrap(answers, form)
        return wrapped | {"model": "v1"} if isinstance(wrapped, dict) else wrapped


@planted("semantic", post({"Inputs": {"data": ROWS}}))
class AnswersV2AsV1(Reference):
    """Publishes three forms, and answers one under another's key."""

    def wrap(self, answers: list[Any], form: str) -> Any:
        if form == "v2":
            return {"result": answers}
        return super().wrap(answers, form)
