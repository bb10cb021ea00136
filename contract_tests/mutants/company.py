"""Planted bugs in what answers mean: other rows, other requests, other clients; probabilities and labels."""

import json
import math
import threading
import time
from collections.abc import Sequence
from typing import Any

from contract_tests.mutants.planting import CHANCES, PREDICT, ROWS, planted, post
from contract_tests.reference import Reference, Refused, Reply, Request
from contract_tests.reference_document import document

MANY = post({"data": list(ROWS) * 34, "method": "predict_proba"})
OTHER = post({"data": [ROWS[2]], "method": "predict_proba"})
FIRST_AND_LAST = post({"data": [ROWS[0], ROWS[2]], "method": "predict_proba"})
TWINS = post({"data": [ROWS[0], ROWS[0], ROWS[1]], "method": "predict_proba"})


@planted("semantic", CHANCES)
class TheSecondRowLeaks(Reference):
    """The first row's answer depends on the second row."""

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        found = super().probabilities(rows)
        if len(rows) > 1:
            yes = found[0][1] * (0.9 if rows[1]["age"] > 35 else 1.0)
            found[0] = [1 - yes, yes]
        return found


@planted("semantic", MANY)
class AnswersSixtyFourRows(Reference):
    """A buffer of 64: the rows beyond get the answers of the first."""

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        found = super().probabilities(rows[:64])
        return [found[at % 64] for at in range(len(rows))]


@planted("semantic", MANY)
class SortsLargeBatches(Reference):
    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        found = super().probabilities(rows)
        return sorted(found) if len(rows) > 50 else found


@planted("semantic", TWINS)
class DropsCopies(Reference):
    """Equal rows get one answer."""

    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        return super().answers([row for at, row in enumerate(rows) if row not in rows[:at]], method)


@planted("semantic", TWINS)
class CopiesGetAnother(Reference):
    """A row that occurs twice is answered differently the second time."""

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        found = super().probabilities(rows)
        return [[1 - p[1] / 2, p[1] / 2] if rows[at] in rows[:at] else p for at, p in enumerate(found)]


@planted("semantic", FIRST_AND_LAST, before=(post({"data": ROWS[:2], "method": "predict_proba"}),))
class RemembersByFirstRow(Reference):
    def __init__(self) -> None:
        self.known: dict[str, list[list[float]]] = {}

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        key = f"{rows[0]} {len(rows)}" if rows else ""
        return self.known.setdefault(key, super().probabilities(rows))


@planted("semantic", OTHER, before=(post({"data": [ROWS[0]], "method": "predict_proba"}),))
class RemembersByNumberOfRows(Reference):
    def __init__(self) -> None:
        self.known: dict[int, list[list[float]]] = {}

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        return (
            self.known.setdefault(len(rows), super().probabilities(rows))
            if len(rows) < 4
            else super().probabilities(rows)
        )


@planted("semantic", CHANCES, before=(post({"data": [{}]}),))
class RefusalsStay(Reference):
    """A refused request changes the next answer, and only that."""

    spoiled = False

    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        self.spoiled = True
        return super().error(status, message, details)

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        spoiled, self.spoiled = self.spoiled, False
        found = super().probabilities(rows)
        return [[1 - yes / 2, yes / 2] for _, yes in found] if spoiled else found


@planted("semantic", CHANCES, in_company=True)
class SharesABuffer(Reference):
    """All threads write their rows to one place and read them back a little later."""

    rows: list[dict[str, Any]]

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        self.rows = rows
        time.sleep(0.002)
        return super().probabilities((self.rows * len(rows))[: len(rows)])


@planted("semantic", CHANCES, in_company=True)
class MixesThreads(Reference):
    """Of two requests at the same moment one gets the other's answers."""

    def __init__(self) -> None:
        self.lock, self.last = threading.Lock(), [[0.5, 0.5]]

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        busy = not self.lock.acquire(blocking=False)
        if busy:
            return (self.last * len(rows))[: len(rows)]
        try:
            time.sleep(0.002)
            self.last = super().probabilities(rows)
            return self.last
        finally:
            self.lock.release()


@planted("semantic", CHANCES, before=(CHANCES,) * 15)
class FailsEveryFifteenth(Reference):
    def __init__(self) -> None:
        self.seen = 0

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        self.seen += 1
        if self.seen % 15 == 1 and self.seen > 1:
            raise Refused(503, "1 problem: the model is being reloaded")
        return super().probabilities(rows)


@planted("semantic", PREDICT)
class ForgetsItsThreshold(Reference):
    """Publishes a threshold of 0.3 and decides at 0.55."""

    def document(self, version: str) -> dict[str, Any]:
        published = document(version)
        published["paths"]["/score"]["post"]["x-threshold"] = 0.3
        return published

    def label(self, probabilities: list[float]) -> str:
        return "yes" if probabilities[1] >= 0.55 else "no"


@planted("semantic", CHANCES)
class InPercent(Reference):
    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        return [[100 * no, 100 * yes] for no, yes in super().probabilities(rows)]


@planted("semantic", CHANCES)
class HalfAndHalf(Reference):
    """It reads nothing of what it is sent."""

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        return [[0.5, 0.5] for _ in rows]


@planted("semantic", CHANCES)
class OneRowForAll(Reference):
    """Whoever asks, the example is scored."""

    def probability(self, row: dict[str, Any]) -> float:
        return super().probability({"age": 30, "balance": None, "job": "pilot", "city": "Rome", "member": True})


@planted("semantic", PREDICT)
class AlwaysNo(Reference):
    def label(self, probabilities: list[float]) -> str:
        return "no"


@planted("semantic", CHANCES)
class SaysNan(Reference):
    """A missing balance makes the answer NaN, which no JSON is."""

    def probability(self, row: dict[str, Any]) -> float:
        return math.nan if row.get("balance") is None else super().probability(row)


@planted("semantic", CHANCES)
class RepeatsTheLastAnswer(Reference):
    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        found = super().probabilities(rows)
        return found if len(found) < 2 else [*found[:-1], found[-2]]


@planted("semantic", CHANCES)
class ProbabilitiesAsText(Reference):
    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        found = super().answers(rows, method)
        return [list(map(str, chances)) for chances in found] if method == "predict_proba" else found


@planted("semantic", PREDICT)
class LabelsAsNumbers(Reference):
    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        found = super().answers(rows, method)
        return [int(label == "yes") for label in found] if method == "predict" else found


@planted("semantic", post({"data": ROWS[:1]}))
class OneRowBare(Reference):
    """A single row is answered without its list."""

    def wrap(self, answers: list[Any], form: str) -> Any:
        return super().wrap(answers[0] if len(answers) == 1 else answers, form)


@planted("semantic", PREDICT)
class AddsASummary(Reference):
    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        return [*super().answers(rows, method), *(["no"] if rows else [])]


@planted("semantic", CHANCES)
class NeverProbabilities(Reference):
    def method(self, method: Any) -> str:
        super().method(method)
        return "predict"


@planted("semantic", post({"Inputs": {"data": ROWS}, "GlobalParameters": {"method": "predict_proba"}}))
class AnotherOrderInV2(Reference):
    def wrap(self, answers: list[Any], form: str) -> Any:
        return super().wrap(answers[::-1] if form == "v2" else answers, form)


@planted("semantic", CHANCES)
class ScoresTheFirstColumnTwice(Reference):
    """Every second row is scored with the age of the row before it."""

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        ages: Sequence[int] = [rows[at - at % 2]["age"] for at in range(len(rows))]
        return super().probabilities([row | {"age": age} for row, age in zip(rows, ages, strict=True)])


@planted("semantic", CHANCES)
class Jitters(Reference):
    """An answer changes a little with the time."""

    def probability(self, row: dict[str, Any]) -> float:
        return super().probability(row) * (1 - 1e-5 * (time.perf_counter() % 1))


@planted("semantic", post({"data": []}))
class NoListForNothing(Reference):
    def wrap(self, answers: list[Any], form: str) -> Any:
        return super().wrap(answers or None, form)  # type: ignore[arg-type]


@planted("contract", PREDICT)
class EncodesTwice(Reference):
    def score(self, request: Request) -> Reply:
        reply = super().score(request)
        return Reply(reply.status, json.dumps(reply.body.decode()).encode(), headers=reply.headers)
