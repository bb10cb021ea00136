"""Bugs planted in servers of other people's styles: another form, another key header, labels beside probabilities."""

import json
from typing import Any

from contract_tests.foreign import Flats, Rain, Wines
from contract_tests.mutants.planting import planted
from contract_tests.reference import KEY, Refused, Reply, Request

FLAT = {"area_m2": 60.5, "rooms": 3, "district": "north", "lift": True}
WINE = {"acidity": 5.5, "year": 1998, "grape": "merlot", "note": "dark"}
HOUR = {"pressure_hpa": 990.0, "cloud_octas": 6, "station": "hill"}


def sent(path: str, body: Any, *, method: str = "POST", kind: str = "application/json", **headers: str) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    usual = {"Content-Type": kind} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, path, usual, raw)


def flats(*rows: Any, key: str = KEY) -> Request:
    return sent("/api/v1/prices", {"flats": list(rows), "currency": "EUR"}, **({"x_api_key": key} if key else {}))


def wines(*rows: Any, key: str = KEY) -> Request:
    return sent("/wine/classify", {"instances": list(rows)}, authorization=key)


def rain(*rows: Any, **more: str) -> Request:
    return sent("/forecast", list(rows), **more)


@planted("wire", flats(FLAT, key=KEY.upper()))
class AKeyOfAnyCase(Flats):
    def authorized(self, header: str) -> bool:
        return header.lower() == KEY.lower()


@planted("wire", flats(FLAT, key=KEY[:8]))
class APrefixOfTheApiKey(Flats):
    def authorized(self, header: str) -> bool:
        return len(header) > 5 and KEY.startswith(header)


@planted("wire", flats(FLAT, key=f"Bearer {KEY}"))
class BearerInAnApiKey(Flats):
    def authorized(self, header: str) -> bool:
        return header.removeprefix("Bearer ") == KEY


@planted("contract", flats(FLAT, key="nobody's"))
class AnyApiKey(Flats):
    def authorized(self, header: str) -> bool:
        return bool(header)


@planted("wire", flats(FLAT, key=""))
class NoApiKey(Flats):
    def authorized(self, header: str) -> bool:
        return True


@planted("semantic", flats(FLAT, FLAT, FLAT, FLAT))
class CheaperInCompany(Flats):
    def answer(self, rows: list[Any]) -> Any:
        told = super().answer(rows)
        if len(rows) > 3:
            told["prices"][-1] = self.interval(told["prices"][-1]["price"] * 0.999)
        return told


@planted("semantic", flats(FLAT, FLAT | {"area_m2": 90}))
class TheLowEndOfTheFirst(Flats):
    def answer(self, rows: list[Any]) -> Any:
        told = super().answer(rows)
        for each in told["prices"]:
            each["low"] = told["prices"][0]["low"]
        return told


@planted("contract", flats(FLAT))
class PricesAsText(Flats):
    def interval(self, price: float) -> dict[str, Any]:
        return {name: str(value) for name, value in super().interval(price).items()}


@planted("semantic", flats(FLAT | {"area_m2": 900}))
class RefusesTheLargestFlat(Flats):
    def takes(self, name: str, value: Any) -> bool:
        return super().takes(name, value) and not (name == "area_m2" and value == 900)


@planted("wire", flats(FLAT | {"rooms": 31}))
class AnyNumberOfRooms(Flats):
    def takes(self, name: str, value: Any) -> bool:
        beyond = name == "rooms" and isinstance(value, int) and not isinstance(value, bool) and value > 30
        return beyond or super().takes(name, value)


@planted("contract", sent("/api/v1/prices", {"flats": [FLAT]}, x_api_key=KEY))
class NoCurrencyNeeded(Flats):
    def rows(self, body: Any) -> list[Any]:
        given = isinstance(body, dict) and "currency" not in body
        return super().rows(body | {"currency": "EUR"} if given else body)


@planted("semantic", flats(*[FLAT] * 21))
class CutsAtTwenty(Flats):
    def answer(self, rows: list[Any]) -> Any:
        return super().answer(rows[:20])


@planted("wire", flats(FLAT | {"district": "North"}))
class AnyLetterCaseOfADistrict(Flats):
    def takes(self, name: str, value: Any) -> bool:
        return super().takes(name, value.lower() if name == "district" and isinstance(value, str) else value)

    def price(self, row: dict[str, Any]) -> float:
        return super().price(row | {"district": row["district"].lower()})


@planted("wire", flats(FLAT | {"rooms": 0}))
class ErrorsSayNothing(Flats):
    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        return super().error(status, "" if status == self.refusal else message, details)


@planted("semantic", wines(WINE))
class NinetyNinePercent(Wines):
    def chances(self, row: dict[str, Any]) -> list[float]:
        return [0.99 * chance for chance in super().chances(row)]


@planted("semantic", wines(WINE))
class TheSecondBestLabel(Wines):
    def label(self, probabilities: list[float]) -> str:
        return self.labels[sorted(range(3), key=probabilities.__getitem__)[1]]


@planted("semantic", wines(WINE | {"acidity": 13.0}))
class AHiddenThreshold(Wines):
    """A class must be a third more probable than it says."""

    def label(self, probabilities: list[float]) -> str:
        poor, fair, good = probabilities
        return super().label([poor, fair, 0.75 * good])


@planted("semantic", wines(WINE, WINE | {"acidity": 12}))
class ProbabilitiesOfOtherRows(Wines):
    def answer(self, rows: list[Any]) -> Any:
        told = super().answer(rows)
        told["probabilities"].reverse()
        return told


@planted("semantic", wines(WINE, WINE))
class OneProbabilityTooFew(Wines):
    def answer(self, rows: list[Any]) -> Any:
        told = super().answer(rows)
        return told | {"probabilities": told["probabilities"][: max(1, len(rows) - 1)]}


@planted("semantic", wines({name: WINE[name] for name in reversed(WINE)}))
class TheFirstKeyCounts(Wines):
    def chances(self, row: dict[str, Any]) -> list[float]:
        return super().chances(row | {"acidity": row["acidity"] * (1 if next(iter(row)) == "acidity" else 0.9)})


@planted("wire", wines(WINE | {"year": "1998"}))
class YearsAsText(Wines):
    def takes(self, name: str, value: Any) -> bool:
        digits = name == "year" and isinstance(value, str) and value.isdecimal()
        return super().takes(name, int(value) if digits else value)

    def chances(self, row: dict[str, Any]) -> list[float]:
        return super().chances(row | {"year": int(row["year"])})


@planted("wire", wines(WINE | {"note": "x" * 60_000}))
class LongNotesAreAFault(Wines):
    def takes(self, name: str, value: Any) -> bool:
        if name == "note" and isinstance(value, str) and len(value) > 50_000:
            raise Refused(500, "Too long")
        return super().takes(name, value)


@planted("semantic", wines(*[WINE | {"acidity": 12}] * 100))
class TheHundredthRow(Wines):
    def answer(self, rows: list[Any]) -> Any:
        told = super().answer(rows)
        if len(rows) >= 100:
            told["predictions"][99], told["probabilities"][99] = self.labels[0], [1.0, 0.0, 0.0]
        return told


@planted("semantic", rain(HOUR))
class DryIsRounded(Rain):
    def one(self, row: dict[str, Any]) -> dict[str, Any]:
        told = super().one(row)
        told["probabilities"]["dry"] = round(told["probabilities"]["dry"], 2)
        return told


@planted("semantic", rain(HOUR | {"pressure_hpa": 1044.0}))
class WetFromSixtyPercent(Rain):
    def one(self, row: dict[str, Any]) -> dict[str, Any]:
        told = super().one(row)
        return told | {"label": "wet" if told["probabilities"]["wet"] > 0.6 else "dry"}


@planted("semantic", rain(HOUR))
class OneForecast(Rain):
    def wet(self, row: dict[str, Any]) -> float:
        return 0.3


@planted("semantic", rain(HOUR | {"cloud_octas": 6.0}))
class WithAPointItIsNothing(Rain):
    def wet(self, row: dict[str, Any]) -> float:
        return super().wet(row | {"cloud_octas": 0 if isinstance(row["cloud_octas"], float) else row["cloud_octas"]})


@planted("wire", sent("/forecast", HOUR))
class ARowWithoutItsList(Rain):
    def rows(self, body: Any) -> list[Any]:
        return super().rows([body] if isinstance(body, dict) else body)


@planted("wire", rain(HOUR, kind="text/plain"))
class AnythingIsJson(Rain):
    def content_type_accepted(self, content_type: str) -> bool:
        return True


@planted("semantic", rain(HOUR, HOUR | {"station": "coast"}))
class TheStationOfTheFirst(Rain):
    def answer(self, rows: list[Any]) -> Any:
        return super().answer([row | {"station": rows[0]["station"]} for row in rows])


@planted("semantic", rain(HOUR), before=(rain(HOUR | {"cloud_octas": 0}),))
class RemembersTheWeather(Rain):
    last: float | None = None

    def wet(self, row: dict[str, Any]) -> float:
        now, before = super().wet(row), self.last
        self.last = now
        return now if before is None else 0.98 * now + 0.02 * before


@planted("wire", sent("/forecast", b"[" * 6_000))
class DeepListsAreAFault(Rain):
    def score(self, request: Request) -> Reply:
        if request.body.startswith(b"[" * 5_000):
            raise Refused(500, "Too deep")
        return super().score(request)


@planted("wire", sent("/forecast/x", [HOUR]))
class AnythingBehindThePath(Rain):
    def route(self, request: Request) -> Reply:
        behind = request.path.startswith(f"{self.path}/")
        return super().route(Request(request.method, self.path, request.headers, request.body) if behind else request)


@planted("wire", rain(HOUR, method="PUT"))
class PutForecasts(Rain):
    def route(self, request: Request) -> Reply:
        put = request.method == "PUT" and request.path == self.path
        return self.score(request) if put else super().route(request)
