"""Bugs in how bodies are read: other forms of the same rows, JSON written otherwise, and what only looks like JSON."""

import json
import math
import re
from typing import Any

from contract_tests.mutants.planting import CHANCES, PREDICT, ROWS, planted, post, row
from contract_tests.reference import KEY, Reference, Refused, Reply, Request
from contract_tests.reference_document import COLUMNS, LEVELS, ROWS_MAX

SWAPPED = {name: ROWS[0][name] for name in ("balance", "age", "job", "city", "member")} | {"balance": 35, "age": 60}


def table(*rows: Any) -> Request:
    split = {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}
    return post({"input_data": split, "params": {"method": "predict_proba"}})


def v2(*rows: Any) -> Request:
    return post({"Inputs": {"data": list(rows)}})


class Formed(Reference):
    """Knows in which form a body came."""

    form = "v1"

    def parse(self, body: Any) -> tuple[list[Any], str, str]:
        rows, self.form, method = super().parse(body)
        return rows, self.form, method


@planted("wire", v2(ROWS[0] | {"job": "sailor"}))
class V2TakesAnyCategory(Formed):
    def accepts(self, name: str, kind: str, value: Any) -> bool:
        return (self.form == "v2" and name == "job" and isinstance(value, str)) or super().accepts(name, kind, value)

    def probability(self, row: dict[str, Any]) -> float:
        return super().probability(row if row["job"] in LEVELS["job"] else row | {"job": "admin"})


@planted("wire", table({name: value for name, value in ROWS[0].items() if name != "city"}))
class TablesNeedNoCity(Formed):
    def validate(self, rows: list[Any]) -> None:
        for each in rows if self.form == "mlflow" else ():
            each.setdefault("city", "Oslo")
        super().validate(rows)


@planted("wire", table(ROWS[0] | {"shoe": 43}))
class TablesTakeAnyColumn(Formed):
    def problems(self, row: Any) -> Any:
        known = self.form == "mlflow" and isinstance(row, dict)
        return super().problems({name: row[name] for name in row if name in COLUMNS} if known else row)


@planted("wire", v2(*ROWS[:1] * (ROWS_MAX + 1)))
class V2TakesAnyNumberOfRows(Formed):
    def count(self, rows: list[Any]) -> None:
        if self.form != "v2":
            super().count(rows)


@planted("wire", table(*ROWS[:1] * (ROWS_MAX + 1)))
class TablesTakeAnyNumberOfRows(Formed):
    def count(self, rows: list[Any]) -> None:
        if self.form != "mlflow":
            super().count(rows)


@planted("semantic", table(SWAPPED))
class TablesGoByPosition(Reference):
    def table(self, table: Any) -> list[Any]:
        rows = super().table(table)
        return [dict(zip(COLUMNS, each.values(), strict=True)) if len(each) == len(COLUMNS) else each for each in rows]


@planted("semantic", post({"data": list(ROWS[:1]) * ROWS_MAX}))
class TheLimitIsOneTooMany(Reference):
    def count(self, rows: list[Any]) -> None:
        super().count([*rows, None])


@planted("semantic", post({"data": [*ROWS[:1] * 512, ROWS[2]], "method": "predict_proba"}))
class ChunksOf512(Reference):
    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        found = super().probabilities(rows)
        return found if len(found) <= 512 else found[:512] + found[:1] * (len(found) - 512)


@planted("wire", row(balance=1e300))
class LargeNumbersMakeNan(Reference):
    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        if any(abs(each.get("balance") or 0) > 1e100 for each in rows):
            return [math.nan for _ in rows]
        return super().answers(rows, method)


@planted("wire", row(**{"k" * 50: 1}))
class LongKeysAreAFault(Reference):
    def problems(self, row: Any) -> Any:
        if isinstance(row, dict) and any(len(name) > 40 for name in row):
            raise Refused(500, "1 problem: a key has more than 40 letters")
        return super().problems(row)


@planted("semantic", post(b"\n" + PREDICT.body))
class NoLinesBeforeABody(Reference):
    def loads(self, body: bytes) -> Any:
        if not body.startswith(b"{"):
            raise Refused(400, "1 problem: the body is not JSON")
        return super().loads(body)


@planted("semantic", post(CHANCES.body.replace(b"age", b"\\u0061ge")))
class TakesEscapesLiterally(Reference):
    def text(self, body: bytes) -> str:
        return super().text(body).replace("\\u", "\\\\u")


@planted("wire", post(b'{"data": [' + json.dumps(ROWS[0]).encode()[:-1] + b', "age": 31}]}'))
class AKeyTwiceIsAFault(Reference):
    def loads(self, body: bytes) -> Any:
        read = super().loads(body)
        json.loads(body, object_pairs_hook=self.once)
        return read

    def once(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise Refused(500, "1 problem: a key stands twice")
        return dict(pairs)


@planted("wire", post(PREDICT.body[:-1] + b",}"))
class ACommaTooMany(Reference):
    def text(self, body: bytes) -> str:
        return re.sub(r",\s*([}\]])", r"\1", super().text(body))


@planted("wire", post(PREDICT.body + b" // a comment"))
class TakesComments(Reference):
    def text(self, body: bytes) -> str:
        return re.sub(r"//.*", "", super().text(body))


@planted("wire", post(PREDICT.body, Authorization=f"Bearer {KEY[:-1]}x"))
class TheLastLetterIsFree(Reference):
    def authorized(self, header: str) -> bool:
        return header[:-1] == f"Bearer {KEY}"[:-1]


@planted("wire", post(b"", method="GET", target="/", Authorization=""))
class HealthNeedsAKey(Reference):
    def route(self, request: Request) -> Reply:
        if request.path == "/" and not request.headers.get("Authorization"):
            raise Refused(401, "A key is needed")
        return super().route(request)


@planted("wire", post({"data": list(ROWS[:1]) * (ROWS_MAX + 1)}))
class AListForAMessage(Reference):
    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        reply = super().error(status, message, details)
        return reply if status != 413 else Reply(status, b'{"message": ["too many"]}', headers=reply.headers)
