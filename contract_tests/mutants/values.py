"""Planted bugs in what is accepted and refused: numbers, texts, categories, bodies."""

import json
from collections.abc import Iterator
from typing import Any

from contract_tests.mutants.planting import ROWS, cell, planted, post, row
from contract_tests.reference import Reference, Refused
from contract_tests.reference_document import LEVELS


@planted("wire", cell("balance", b"1e999"))
class TakesInfinity(Reference):
    def accepts(self, name: str, kind: str, value: Any) -> bool:
        return super().accepts(name, kind, value) or (kind == "number" and isinstance(value, float))


@planted("wire", cell("balance", b"1" + b"0" * 400))
class StumblesOverLongNumbers(Reference):
    """Converts before it looks."""

    def accepts(self, name: str, kind: str, value: Any) -> bool:
        if kind == "number" and isinstance(value, int) and abs(value) > 10**300:
            raise Refused(500, "OverflowError")
        return super().accepts(name, kind, value)


@planted("wire", cell("age", b"1" + b"0" * 400))
class TakesLongIntegers(Reference):
    def accepts(self, name: str, kind: str, value: Any) -> bool:
        return (kind == "integer" and isinstance(value, int) and abs(value) > 10**30) or super().accepts(
            name, kind, value
        )

    def probability(self, row: dict[str, Any]) -> float:
        return super().probability(row | {"age": max(-(10**6), min(10**6, row["age"]))})


@planted("wire", cell("age", str(-(2**63) - 1).encode()))
class WrapsAround(Reference):
    """Reads an integer of more than 64 bits as another one."""

    def problems(self, row: Any) -> Iterator[tuple[str, str]]:
        yield from super().problems(self.wrapped(row) if isinstance(row, dict) else row)

    def probability(self, row: dict[str, Any]) -> float:
        return super().probability(self.wrapped(row))

    def wrapped(self, row: dict[str, Any]) -> dict[str, Any]:
        age = row.get("age")
        whole = isinstance(age, int) and not isinstance(age, bool)
        return row | {"age": (age + 2**63) % 2**64 - 2**63} if whole else row  # type: ignore[operator]


@planted("wire", cell("city", b'"\\ud800"'))
class StumblesOverHalfAPair(Reference):
    def probability(self, row: dict[str, Any]) -> float:
        try:
            row["city"].encode()
        except UnicodeEncodeError as e:
            raise Refused(500, "UnicodeEncodeError") from e
        return super().probability(row)


@planted("wire", cell("city", b'"\\u0000"'))
class StumblesOverNul(Reference):
    def probability(self, row: dict[str, Any]) -> float:
        if "\0" in row["city"]:
            raise Refused(500, "ValueError: embedded null byte")
        return super().probability(row)


@planted("wire", cell("city", b'"Os\xfflo"'))
class TakesAnyBytes(Reference):
    def text(self, body: bytes) -> str:
        return body.decode("utf-8", "replace")


@planted("wire", cell("job", b'"adm\xffin"'))
class DropsBadBytes(Reference):
    def text(self, body: bytes) -> str:
        return body.decode("utf-8", "ignore")


@planted("wire", cell("city", b'"Os\xe9lo"'))
class ReadsLatin1(Reference):
    def text(self, body: bytes) -> str:
        try:
            return super().text(body)
        except UnicodeDecodeError:
            return body.decode("latin-1")


@planted("wire", post(json.dumps({"data": ROWS[:1]}).encode()[:-1]))
class MendsCutBodies(Reference):
    def loads(self, body: bytes) -> Any:
        for end in (b"", b"}", b"]}", b"}]}"):
            try:
                return super().loads(body + end)
            except Refused as e:
                refused = e
        raise refused


@planted("wire", post(json.dumps({"data": ROWS[:1]}).encode() + b"}"))
class IgnoresWhatFollows(Reference):
    def loads(self, body: bytes) -> Any:
        try:
            return json.JSONDecoder().raw_decode(body.decode().lstrip())[0]
        except (ValueError, RecursionError):
            return super().loads(body)


@planted("wire", post(json.dumps({"data": ROWS[:1]}).replace('"', "'").replace("true", "True").encode()))
class TakesSingleQuotes(Reference):
    def loads(self, body: bytes) -> Any:
        try:
            return super().loads(body)
        except Refused:
            return super().loads(body.replace(b"'", b'"').replace(b"True", b"true"))


@planted("wire", post(b"[" * 50_000))
class StumblesOverDepth(Reference):
    def loads(self, body: bytes) -> Any:
        if body.count(b"[") > 1_000 and b"age" not in body:
            raise Refused(500, "RecursionError")
        return super().loads(body)


@planted("wire", post(json.dumps({"data": ROWS[:1]}).encode().ljust(2 * 2**20 + 9)))
class AnyBodySize(Reference):
    def weigh(self, body: bytes) -> None:
        """Takes them all."""


@planted("wire", row(shoe_size=43))
class IgnoresUnknownColumns(Reference):
    def problems(self, row: Any) -> Iterator[tuple[str, str]]:
        yield from (problem for problem in super().problems(row) if problem[1] != "is not a column")


@planted("wire", row(age=None))
class NullIsZero(Reference):
    def problems(self, row: Any) -> Iterator[tuple[str, str]]:
        filled = (
            {"age": 0} | {k: v for k, v in row.items() if k != "age" or v is not None} if isinstance(row, dict) else row
        )
        yield from super().problems(filled if isinstance(row, dict) and "age" in row else row)

    def probability(self, row: dict[str, Any]) -> float:
        return super().probability(row | {"age": row["age"] or 0})


@planted("wire", row(age="41"))
class TakesNumbersAsText(Reference):
    def problems(self, row: Any) -> Iterator[tuple[str, str]]:
        yield from super().problems(self.read(row) if isinstance(row, dict) else row)

    def probability(self, row: dict[str, Any]) -> float:
        return super().probability(self.read(row))

    def read(self, row: dict[str, Any]) -> dict[str, Any]:
        age = row.get("age")
        return row | {"age": int(age)} if isinstance(age, str) and age.isdigit() else row


@planted("wire", row(age=True))
class TrueIsOne(Reference):
    def accepts(self, name: str, kind: str, value: Any) -> bool:
        return super().accepts(name, kind, int(value) if isinstance(value, bool) and kind == "integer" else value)


@planted("wire", row(member=1))
class OneIsTrue(Reference):
    def accepts(self, name: str, kind: str, value: Any) -> bool:
        return super().accepts(name, kind, value) or (kind == "boolean" and value in (0, 1))


@planted("wire", row(age=41.7))
class CutsFractions(Reference):
    def accepts(self, name: str, kind: str, value: Any) -> bool:
        cut = kind == "integer" and isinstance(value, float) and abs(value) < 1e9
        return super().accepts(name, kind, int(value) if cut else value)


@planted("wire", row(job="admin "))
class TrimsCategories(Reference):
    def accepts(self, name: str, kind: str, value: Any) -> bool:
        return super().accepts(name, kind, value.strip() if name == "job" and isinstance(value, str) else value)

    def probability(self, row: dict[str, Any]) -> float:
        return super().probability(row | {"job": row["job"].strip()})


@planted("wire", row(job="adm"))
class TakesBeginnings(Reference):
    def full(self, value: Any) -> Any:
        found = [level for level in LEVELS["job"] if isinstance(value, str) and value and level.startswith(value)]
        return found[0] if found else value

    def accepts(self, name: str, kind: str, value: Any) -> bool:
        return super().accepts(name, kind, self.full(value) if name == "job" else value)

    def probability(self, row: dict[str, Any]) -> float:
        return super().probability(row | {"job": self.full(row["job"])})


@planted("wire", row(job="Pilot"))
class TakesCapitalised(Reference):
    """One category in another letter case, and not the first."""

    def accepts(self, name: str, kind: str, value: Any) -> bool:
        return super().accepts(name, kind, "pilot" if name == "job" and value == "Pilot" else value)

    def probability(self, row: dict[str, Any]) -> float:
        return super().probability(row | {"job": row["job"].lower()})


@planted("wire", row(job="dentist"))
class UnknownIsOther(Reference):
    """Any category is scored, as if it were the first."""

    def accepts(self, name: str, kind: str, value: Any) -> bool:
        return super().accepts(name, kind, LEVELS["job"][0] if name == "job" and isinstance(value, str) else value)

    def probability(self, row: dict[str, Any]) -> float:
        known = row["job"] in LEVELS["job"]
        return super().probability(row if known else row | {"job": LEVELS["job"][0]})


@planted("semantic", row(age=18))
class RefusesItsLowerBound(Reference):
    def accepts(self, name: str, kind: str, value: Any) -> bool:
        return super().accepts(name, kind, value) and (name != "age" or value > 18)


@planted("semantic", row(age=90))
class RefusesItsUpperBound(Reference):
    def accepts(self, name: str, kind: str, value: Any) -> bool:
        return super().accepts(name, kind, value) and (name != "age" or value != 90)


@planted("contract", row(age=-5))
class RefusesNegatives(Reference):
    def accepts(self, name: str, kind: str, value: Any) -> bool:
        return super().accepts(name, kind, value) and (name != "age" or value >= 0)


@planted("contract", row(city=""))
class StumblesOverNoText(Reference):
    def probability(self, row: dict[str, Any]) -> float:
        if not row["city"]:
            raise Refused(500, "IndexError: string index out of range")
        return super().probability(row)


@planted("contract", post({"data": []}))
class DividesByNothing(Reference):
    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        if not rows:
            raise Refused(500, "ZeroDivisionError")
        return super().answers(rows, method)


@planted("contract", post({"data": ROWS, "extra": 1}))
class IgnoresUnknownKeys(Reference):
    def take(self, body: Any, need: dict[str, type], method: str) -> tuple[list[Any], str, str]:
        known = {k: v for k, v in body.items() if k in (*need, method)} if isinstance(body, dict) else body
        return super().take(known, need, method)


@planted("contract", post({"data": ROWS, "method": "explain"}))
class AnyMethodName(Reference):
    def method(self, method: Any) -> str:
        return "predict_proba" if method == "predict_proba" else "predict"


@planted("wire", post({"data": ROWS[0]}))
class TakesABareRow(Reference):
    def take(self, body: Any, need: dict[str, type], method: str) -> tuple[list[Any], str, str]:
        bare = isinstance(body, dict) and isinstance(body.get("data"), dict)
        return super().take(body | {"data": [body["data"]]} if bare else body, need, method)
