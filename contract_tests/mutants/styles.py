"""Planted bugs in servers of yet other styles, and in labels that no document tells the classes of."""

import json
from typing import Any

from contract_tests.mutants.planting import CHANCES, PREDICT, planted, row
from contract_tests.reference import KEY, Reference, Request
from contract_tests.styles import Churn, Digits, Iris

FLOWER = {"sepal_length": 5.1, "sepal_width": 3.5, "petals": 4}
DIGIT = {"ink": 0.6, "loops": 1, "slanted": False}
CUSTOMER = {"months": 20, "plan": "family", "calls": 9.5}


class Unclassed(Reference):
    """The reference, whose document publishes no classes, and shows a label."""

    def document(self, version: str) -> dict[str, Any]:
        published = super().document(version)
        post = published["paths"]["/score"]["post"]
        del post["x-classes"], post["x-positive-class"]
        if version != "2":
            post["responses"]["200"]["content"]["application/json"]["example"] = {"result": ["no"]}
        return published


def flowers(*rows: Any) -> Request:
    return Request("POST", "/predict", {"Content-Type": "application/json"}, json.dumps(rows).encode())


def digits(*rows: Any) -> Request:
    body = json.dumps({"instances": rows}).encode()
    return Request("POST", "/v1/models/digits:predict", {"Content-Type": "application/json"}, body)


def customers(*rows: Any, key: str = KEY) -> Request:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    return Request("POST", "/classify", headers, json.dumps({"customers": rows}).encode())


@planted("semantic", row(age=150))
class LabelsOfTheCertain(Unclassed):
    """What is nearly certain is told as the other one."""

    def label(self, probabilities: list[float]) -> str:
        label = super().label(probabilities)
        return label if max(probabilities) < 0.9 else {"no": "yes", "yes": "no"}[label]


@planted("semantic", PREDICT)
class PilotsNever(Unclassed):
    """One category never gets one of the labels, whatever its probability."""

    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        told = super().answers(rows, method)
        if method == "predict_proba":
            return told
        return ["no" if row["job"] == "pilot" else label for row, label in zip(rows, told, strict=True)]


@planted("semantic", PREDICT)
class LabelsByNumber(Unclassed):
    def label(self, probabilities: list[float]) -> Any:
        return int(super().label(probabilities) == "yes")


@planted("semantic", PREDICT)
class LabelsAsTruths(Unclassed):
    def label(self, probabilities: list[float]) -> Any:
        return super().label(probabilities) == "yes"


@planted("semantic", PREDICT)
class AThirdLabel(Unclassed):
    def label(self, probabilities: list[float]) -> str:
        return super().label(probabilities) if abs(probabilities[1] - 0.5) > 0.2 else "perhaps"


@planted("semantic", CHANCES, before=(CHANCES,))
class ClassesInTurn(Unclassed):
    """Every other request has its classes in the other order."""

    asked = 0

    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        self.asked += 1
        told = super().answers(rows, method)
        return [each[::-1] for each in told] if method == "predict_proba" and self.asked % 2 == 0 else told


@planted("semantic", digits(DIGIT))
class TheSecondBestDigit(Digits):
    """Of slanted digits, and of none else."""

    def label(self, row: dict[str, Any], chances: list[float]) -> Any:
        at = sorted(range(3), key=chances.__getitem__)[-1 if row["slanted"] else -2]
        return self.labels[at]


@planted("semantic", digits(DIGIT | {"ink": 0.0, "loops": 0}))
class NeverAOne(Digits):
    def label(self, row: dict[str, Any], chances: list[float]) -> Any:
        return 0 if (label := super().label(row, chances)) == 1 else label


@planted("semantic", digits(DIGIT))
class DigitsAsText(Digits):
    def label(self, row: dict[str, Any], chances: list[float]) -> Any:
        return str(super().label(row, chances))


@planted("semantic", digits(DIGIT))
class DigitsWithAPoint(Digits):
    def label(self, row: dict[str, Any], chances: list[float]) -> Any:
        return float(super().label(row, chances))


@planted("semantic", digits(DIGIT | {"loops": 4}))
class ClassesByLoops(Digits):
    """The order of the classes is another one for some rows."""

    def one(self, row: dict[str, Any]) -> dict[str, Any]:
        told = super().one(row)
        return told | {"probabilities": told["probabilities"][::-1]} if row["loops"] == 4 else told


@planted("semantic", flowers(FLOWER, FLOWER | {"petals": 9}, FLOWER))
class TheLastFlowerIsLost(Iris):
    def answer(self, rows: list[Any]) -> Any:
        return {"predict": super().answer(rows)["predict"][: max(1, len(rows) - 1)]}


@planted("semantic", flowers(FLOWER, FLOWER | {"petals": 12, "sepal_width": 0}))
class FlowersInReverse(Iris):
    def answer(self, rows: list[Any]) -> Any:
        return {"predict": super().answer(rows)["predict"][::-1]}


@planted("semantic", flowers(FLOWER | {"sepal_length": 1.0}))
class OneFlower(Iris):
    def one(self, row: dict[str, Any]) -> str:
        return "virginica"


@planted("wire", customers(CUSTOMER))
class NoVersion(Churn):
    def versions(self, status: int) -> dict[str, str]:
        return {} if status == 200 else super().versions(status)


@planted("wire", customers({}))
class NoVersionWhereRefused(Churn):
    def versions(self, status: int) -> dict[str, str]:
        return {} if status == 400 else super().versions(status)


@planted("wire", customers(CUSTOMER, key="wrong"))
class NoVersionForStrangers(Churn):
    def versions(self, status: int) -> dict[str, str]:
        return {} if status == 401 else super().versions(status)
