"""Planted bugs of every part: the first thirty."""

import json
import math
from collections.abc import Iterator
from typing import Any

from contract_tests.mutants.planting import CHANCES, PREDICT, ROWS, planted, post
from contract_tests.reference import INT64, KEY, Reference, Refused, Reply, Request
from contract_tests.reference_document import COLUMNS


@planted("semantic", CHANCES)
class AnswersInReverse(Reference):
    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        return super().probabilities(rows)[::-1]


@planted("semantic", CHANCES)
class AnswersSorted(Reference):
    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        return sorted(super().probabilities(rows))


@planted("semantic", PREDICT)
class DropsTheLastRow(Reference):
    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        return super().answers(rows, method)[: max(1, len(rows) - 1)]


@planted("semantic", CHANCES)
class CentresOnTheBatch(Reference):
    """Scales by the batch's own mean, as a pipeline that is fitted again at scoring does."""

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        mean = sum(row["age"] for row in rows) / max(1, len(rows))
        return super().probabilities([row | {"age": row["age"] - mean + 45} for row in rows])


@planted("semantic", CHANCES, before=(CHANCES,))
class Drifts(Reference):
    """Keeps state between requests."""

    def __init__(self) -> None:
        self.seen = 0

    def probability(self, row: dict[str, Any]) -> float:
        self.seen += 1
        return super().probability(row) * (1 - 1e-4 * (self.seen % 1000))


@planted("semantic", PREDICT)
class AnotherThreshold(Reference):
    """`predict` decides at 0.2, and the document does not say so."""

    def label(self, probabilities: list[float]) -> str:
        return "yes" if probabilities[1] > 0.2 else "no"


@planted("semantic", CHANCES)
class ClassesSwapped(Reference):
    """`predict_proba` in the other order of classes."""

    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        answers = super().answers(rows, method)
        return [chances[::-1] for chances in answers] if method == "predict_proba" else answers


@planted("semantic", CHANCES)
class NotNormalised(Reference):
    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        return [[no, yes * 0.9] for no, yes in super().probabilities(rows)]


@planted("semantic", CHANCES)
class IgnoresItsInput(Reference):
    def probability(self, row: dict[str, Any]) -> float:
        return 0.3


@planted("semantic", PREDICT)
class LabelsInCapitals(Reference):
    def label(self, probabilities: list[float]) -> str:
        return super().label(probabilities).upper()


@planted("semantic", post({"data": [dict(reversed(ROWS[0].items()))], "method": "predict_proba"}))
class ReadsByPosition(Reference):
    """Takes values in the order in which they come, whatever their names."""

    def probability(self, row: dict[str, Any]) -> float:
        first = next(iter(row))
        return super().probability(row) * (1.0 if first == next(iter(COLUMNS)) else 0.5)


@planted("semantic", post({"Inputs": {"data": ROWS}, "GlobalParameters": {"method": "predict_proba"}}))
class FormsDiffer(Reference):
    """The newer form ignores its method."""

    def method_of(self, body: dict[str, Any], holder: str, other: str) -> str:
        super().method_of(body, holder, other)
        return "predict"


@planted("semantic", post({"data": [ROWS[0] | {"job": "farmer"}]}))
class ForgetsACategory(Reference):
    def accepts(self, name: str, kind: str, value: Any) -> bool:
        return super().accepts(name, kind, value) and value != "farmer"


@planted("wire", post({"data": ROWS}, Authorization=f"Token {KEY}"))
class AnyScheme(Reference):
    def authorized(self, header: str) -> bool:
        return header.rpartition(" ")[2] == KEY


@planted("wire", post({"data": ROWS}, Authorization="Bearer wrong"))
class AnyBearer(Reference):
    def authorized(self, header: str) -> bool:
        return header.startswith("Bearer ")


@planted("wire", post({"data": ROWS}, Authorization=f"Bearer {KEY[:-1]}"))
class AnyPrefix(Reference):
    def authorized(self, header: str) -> bool:
        return header.startswith("Bearer ") and len(header) > 7 and KEY.startswith(header[7:])


@planted("wire", post({"data": ROWS}, Authorization=""))
class NoChallenge(Reference):
    """401 without saying how to authenticate."""

    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        reply = super().error(status, message, details)
        reply.headers.pop("WWW-Authenticate", None)
        return reply


@planted("wire", post(json.dumps({"data": [ROWS[0] | {"balance": math.nan}]}).encode()))
class TakesNan(Reference):
    def constant(self, text: str) -> float:
        return float(text.replace("Infinity", "inf"))

    def accepts(self, name: str, kind: str, value: Any) -> bool:
        return super().accepts(name, kind, value) or (name == "balance" and isinstance(value, float))


@planted("wire", post({"data": ROWS}, Content_Type="text/plain"))
class AnyContentType(Reference):
    def content_type_accepted(self, content_type: str) -> bool:
        return True


@planted("wire", Request("PUT", "/score", {}, b""))
class NoAllow(Reference):
    def respond(self, request: Request) -> Reply:
        reply = super().respond(request)
        reply.headers.pop("Allow", None)
        return reply


@planted("wire", post({"data": ROWS}, x_request_id="x" * 101))
class LongIds(Reference):
    def route(self, request: Request) -> Reply:
        short = {k: v for k, v in request.headers.items() if not k.lower().endswith("request-id")}
        return super().route(Request(request.method, request.target, short, request.body))


@planted("wire", post({"data": [{k: v for k, v in ROWS[0].items() if k != "city"}]}))
class FillsMissingColumns(Reference):
    def problems(self, row: Any) -> Iterator[tuple[str, str]]:
        yield from super().problems({"city": "Oslo"} | row if isinstance(row, dict) else row)

    def probability(self, row: dict[str, Any]) -> float:
        return super().probability({"city": "Oslo"} | row)


@planted("wire", post({"data": [ROWS[0] | {"job": "ADMIN"}]}))
class AnyLetterCase(Reference):
    def accepts(self, name: str, kind: str, value: Any) -> bool:
        return super().accepts(name, kind, value.lower() if name == "job" and isinstance(value, str) else value)

    def probability(self, row: dict[str, Any]) -> float:
        return super().probability(row | {"job": row["job"].lower()})


@planted("wire", post({"data": list(ROWS) * 334}))
class AnyNumberOfRows(Reference):
    def count(self, rows: list[Any]) -> None:
        """Takes them all."""


@planted("wire", post({"data": [{}]}))
class ShowsItsTrace(Reference):
    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        return super().error(
            status, f'Traceback (most recent call last):\n  File "/srv/score.py", line 7\n{message}', details
        )


@planted("wire", Request("GET", "/nowhere", {}, b""))
class ErrorsAsText(Reference):
    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        reply = super().error(status, message, details)
        return Reply(status, message.encode(), "text/plain", reply.headers)


@planted("contract", post({"data": [ROWS[0] | {"age": 2**63 - 1}]}))
class CrashesOnLargeNumbers(Reference):
    def probability(self, row: dict[str, Any]) -> float:
        if abs(row["age"]) > 2**31:
            raise Refused(500, "OverflowError")
        return super().probability(row)


@planted("contract", post({"data": [ROWS[0] | {"age": 2**63}]}))
class NoUpperBound(Reference):
    def accepts(self, name: str, kind: str, value: Any) -> bool:
        past = kind == "integer" and isinstance(value, int) and value not in INT64
        return past or super().accepts(name, kind, value)


@planted("contract", post({"data": []}))
class RefusesAnEmptyBatch(Reference):
    def validate(self, rows: list[Any]) -> None:
        if not rows:
            raise Refused(422, "No rows")
        super().validate(rows)


@planted("contract", post({"data": ROWS}))
class AnotherShape(Reference):
    """Answers under a key that the document does not know."""

    def wrap(self, answers: list[Any], form: str) -> Any:
        return {"predictions": answers}
