"""Planted bugs that show in one corner of the domain alone, which rows near the document's example never reach."""

from typing import Any

from contract_tests.foreign import Flats, Rain, Wines
from contract_tests.limited import Bounded
from contract_tests.mutants.foreign import FLAT, HOUR, WINE, flats, rain, wines
from contract_tests.mutants.planting import ROWS, planted, post
from contract_tests.reference import LooseReference, Refused

COLUMNS = list(ROWS[0])


def chances(**changes: Any) -> Any:
    """A request for the probabilities of one row, changed."""
    return post({"data": [ROWS[0] | changes], "method": "predict_proba"})


def label(**changes: Any) -> Any:
    """A request for the label of one row, changed."""
    return post({"data": [ROWS[0] | changes]})


def tabled(**changes: Any) -> Any:
    """The same in the form of a table."""
    table = {"columns": COLUMNS, "data": [list((ROWS[0] | changes).values())]}
    return post({"input_data": table, "params": {"method": "predict_proba"}})


@planted("semantic", label(age=85))
class FaultsForTheOld(Bounded):
    def probability(self, row: dict[str, Any]) -> float:
        if row["age"] > 80:
            raise Refused(500, "IndexError")
        return super().probability(row)


@planted("semantic", chances(balance=45_000.0, job="pilot"))
class MoreThanCertain(Bounded):
    def probability(self, row: dict[str, Any]) -> float:
        rich = row["job"] == "pilot" and (row.get("balance") or 0) > 40_000
        return 1.25 if rich else super().probability(row)


@planted("semantic", chances(age=57))
class LessThanNothingAtOneAge(Bounded):
    def probability(self, row: dict[str, Any]) -> float:
        return -0.01 if row["age"] == 57 else super().probability(row)


@planted("semantic", label(age=90))
class NoForTheOld(Bounded):
    """A label that is constant where nobody looks."""

    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        found = super().answers(rows, method)
        if method == "predict_proba":
            return found
        return ["no" if row["age"] > 75 else answer for row, answer in zip(rows, found, strict=True)]


@planted("semantic", label(age=22, balance=2_500.0))
class AnotherThresholdForTheYoung(Bounded):
    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        found = super().answers(rows, "predict_proba")
        if method == "predict_proba":
            return found
        cuts = [0.9 if row["age"] < 25 else 0.5 for row in rows]
        return ["yes" if chance[1] > cut else "no" for chance, cut in zip(found, cuts, strict=True)]


@planted("semantic", label(job="pilot", member=None))
class FaultsAtOneCombination(Bounded):
    def probability(self, row: dict[str, Any]) -> float:
        if row["job"] == "pilot" and row.get("member") is None:
            raise Refused(500, "KeyError")
        return super().probability(row)


@planted("semantic", label(age=99))
class FaultsAtItsBound(Bounded):
    def probability(self, row: dict[str, Any]) -> float:
        if row["age"] == 99:
            raise Refused(500, "IndexError: the last bin has no end")
        return super().probability(row)


@planted("semantic", chances(age=16, balance=-5_000.0))
class NegativeAtTwoBounds(Bounded):
    def probability(self, row: dict[str, Any]) -> float:
        return -0.5 if row["age"] == 16 and row.get("balance") == -5_000 else super().probability(row)


@planted("semantic", label(balance=0.0))
class DividesByTheBalance(Bounded):
    def probability(self, row: dict[str, Any]) -> float:
        if row.get("balance") == 0:
            raise Refused(500, "ZeroDivisionError")
        return super().probability(row)


@planted("semantic", chances(balance=-4_500.0))
class TooLittleInAll(Bounded):
    """Probabilities that do not add up, for those deep in debt."""

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        found = super().probabilities(rows)
        return [
            [p[0] * 0.9, p[1]] if (row.get("balance") or 0) < -4_000 else p for row, p in zip(rows, found, strict=True)
        ]


@planted("semantic", chances(age=95))
class OneProbabilityForTheOldest(Bounded):
    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        found = super().probabilities(rows)
        return [p[1:] if row["age"] > 90 else p for row, p in zip(rows, found, strict=True)]

    def label(self, probabilities: list[float]) -> str:
        return super().label(probabilities) if len(probabilities) > 1 else "yes"


@planted("semantic", label(age=97))
class AnotherLabelForTheOldest(Bounded):
    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        found = super().answers(rows, method)
        old = [row["age"] > 95 and method == "predict" for row in rows]
        return ["unknown" if is_old else answer for is_old, answer in zip(old, found, strict=True)]


@planted("semantic", label(age=96, job="farmer"))
class NumbersForOldFarmers(Bounded):
    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        found = super().answers(rows, method)
        if method == "predict_proba":
            return found
        odd = [row["age"] > 85 and row["job"] == "farmer" for row in rows]
        return [int(answer == "yes") if is_odd else answer for is_odd, answer in zip(odd, found, strict=True)]


@planted("semantic", tabled(balance=40_000.0))
class TablesHoldSixteenBits(Bounded):
    """A balance above 32,767 wraps around in the form of a table alone."""

    def table(self, table: Any) -> list[Any]:
        return [self.wrapped(row) for row in super().table(table)]

    def wrapped(self, row: dict[str, Any]) -> dict[str, Any]:
        balance = row.get("balance")
        wraps = isinstance(balance, float) and 32_767 < balance <= 50_000
        return row | {"balance": balance - 65_536 + 30_000} if wraps else row  # type: ignore[operator]


@planted("semantic", post({"data": [ROWS[0] | {"age": age} for age in (90, 97)], "method": "predict_proba"}))
class MixesTheOld(Bounded):
    """Rows of the old get each other's answers."""

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        found = super().probabilities(rows)
        old = [at for at, row in enumerate(rows) if row["age"] > 85]
        taken = {at: found[other] for at, other in zip(old, [*old[1:], *old[:1]], strict=True)}
        return [taken.get(at, each) for at, each in enumerate(found)]


TURNED = dict(reversed((ROWS[0] | {"balance": 45_000.0}).items()))


@planted("semantic", post({"data": [TURNED], "method": "predict_proba"}))
class ReadsTheRichByPosition(Bounded):
    def probability(self, row: dict[str, Any]) -> float:
        turned = next(iter(row)) != "age" and (row.get("balance") or 0) > 30_000
        return super().probability(row | {"job": "pilot"} if turned else row) * (0.5 if turned else 1)


@planted("semantic", label(age=41, job="nurse", balance=-1.0))
class RefusesNursesInDebt(Bounded):
    """Two columns at once that the document allows."""

    def validate(self, rows: list[Any]) -> None:
        super().validate(rows)
        if any(row["job"] == "nurse" and (row.get("balance") or 0) < 0 for row in rows):
            raise Refused(400, "1 problem: no nurses in debt")


@planted("semantic", label(age=85))
class FaultsWhereNothingIsTold(LooseReference):
    """Its document has an example and no bounds."""

    def probability(self, row: dict[str, Any]) -> float:
        if row["age"] > 80:
            raise Refused(500, "IndexError")
        return super().probability(row)


@planted("semantic", label(balance=-10.0))
class FaultsBelowNothing(LooseReference):
    def probability(self, row: dict[str, Any]) -> float:
        if (row.get("balance") or 0) < 0:
            raise Refused(500, "ValueError: math domain error")
        return super().probability(row)


@planted("semantic", flats(FLAT | {"area_m2": 6.0, "rooms": 28}))
class FaultsForManySmallRooms(Flats):
    def price(self, row: dict[str, Any]) -> float:
        if row["area_m2"] / row["rooms"] < 0.5:
            raise Refused(500, "ValueError")
        return super().price(row)


@planted("semantic", flats(FLAT | {"rooms": 1, "district": "old town", "lift": False}))
class RefusesOneKindOfFlat(Flats):
    def problems(self, row: Any) -> Any:
        yield from super().problems(row)
        if isinstance(row, dict) and (row.get("rooms"), row.get("district"), row.get("lift")) == (1, "old town", False):
            yield "lift", "has a wrong value"


@planted("semantic", wines(WINE | {"acidity": 19.0, "year": 2095}))
class MoreThanWhole(Wines):
    def chances(self, row: dict[str, Any]) -> list[float]:
        found = super().chances(row)
        return [found[0] + 0.1, *found[1:]] if row["acidity"] > 18 and row["year"] > 2080 else found


@planted("semantic", wines(WINE | {"year": 1910}))
class PoorForTheOldest(Wines):
    """The label of old wines does not follow from their probabilities."""

    def answer(self, rows: list[Any]) -> Any:
        found = super().answer(rows)
        old = [row["year"] < 1915 for row in rows]
        told = zip(old, found["predictions"], strict=True)
        return found | {"predictions": ["good" if is_old else answer for is_old, answer in told]}


@planted("semantic", rain(HOUR | {"pressure_hpa": 1_095.0}))
class WetUnderHighPressure(Rain):
    def one(self, row: dict[str, Any]) -> dict[str, Any]:
        found = super().one(row)
        return found | {"label": "wet"} if row["pressure_hpa"] > 1_090 else found


@planted("semantic", wines(WINE | {"acidity": 19.5, "grape": "syrah"}))
class ALabelBeyondItsEnum(Wines):
    """A label that the document's reply does not list."""

    def answer(self, rows: list[Any]) -> Any:
        found = super().answer(rows)
        sour = [row["acidity"] > 19 and row["grape"] == "syrah" for row in rows]
        told = zip(sour, found["predictions"], strict=True)
        return found | {"predictions": ["vinegar" if is_sour else answer for is_sour, answer in told]}
