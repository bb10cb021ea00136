"""Planted bugs in who is let in."""

import hmac
from typing import Any

from contract_tests.mutants.planting import PREDICT, ROWS, planted, post
from contract_tests.reference import KEY, Reference, Reply, Request

BODY = {"data": ROWS}


@planted("wire", post(BODY, Authorization=f"Bearer {KEY.upper()}"))
class AnyLetterCaseOfTheKey(Reference):
    def authorized(self, header: str) -> bool:
        return header.lower() == f"Bearer {KEY}".lower()


@planted("wire", post(BODY, Authorization=f"Bearer x, Bearer {KEY}"))
class AnyOfSeveral(Reference):
    def authorized(self, header: str) -> bool:
        return any(super(AnyOfSeveral, self).authorized(part.strip()) for part in header.split(","))


@planted("wire", post(BODY, Authorization=f"Bearer {KEY} x"))
class AnythingBehindTheKey(Reference):
    def authorized(self, header: str) -> bool:
        return header.startswith(f"Bearer {KEY}")


@planted("wire", post(BODY, Authorization=f"Bearer x{KEY}"))
class AnythingBeforeTheKey(Reference):
    def authorized(self, header: str) -> bool:
        return header.startswith("Bearer ") and header.endswith(KEY)


@planted("wire", post(BODY, Authorization="Bearer"))
class AnEmptyBearer(Reference):
    def authorized(self, header: str) -> bool:
        return header.strip() == "Bearer" or super().authorized(header)


@planted("wire", post(BODY, Authorization=""))
class NoKeyNeeded(Reference):
    def authorized(self, header: str) -> bool:
        return not header or super().authorized(header)


@planted("wire", post(BODY, Authorization=f"Bearer {KEY[:8]}{'z' * 20}"))
class EightCharactersCount(Reference):
    def authorized(self, header: str) -> bool:
        return hmac.compare_digest(header[:15], f"Bearer {KEY}"[:15])


@planted("wire", post(BODY, Authorization=f"Bearer {KEY[::-1]}"))
class AnyOrderOfLetters(Reference):
    """Compares the sorted letters."""

    def authorized(self, header: str) -> bool:
        return sorted(header) == sorted(f"Bearer {KEY}")


@planted("wire", post(BODY, Authorization=KEY))
class TheKeyAlone(Reference):
    def authorized(self, header: str) -> bool:
        return super().authorized(header) or super().authorized(f"Bearer {header}")


@planted("wire", post(BODY, Authorization=f"Basic {KEY}"))
class BasicWithTheKey(Reference):
    def authorized(self, header: str) -> bool:
        return super().authorized(header.replace("Basic", "Bearer"))


@planted("wire", post(BODY, Authorization="Bearer wrong"))
class Forbidden(Reference):
    """403 where 401 belongs."""

    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        return super().error(403 if status == 401 else status, message, details)


@planted("wire", post(BODY, target="/score?code=anything", Authorization=""))
class AnyCodeInTheAddress(Reference):
    def route(self, request: Request) -> Reply:
        if request.query.get("code"):
            headers = dict(request.headers.items()) | {"Authorization": f"Bearer {KEY}"}
            return super().route(Request(request.method, request.target, headers, request.body))
        return super().route(request)


@planted("semantic", PREDICT, before=(PREDICT,) * 9)
class ForgetsTheKeyAtTimes(Reference):
    """Every tenth request is refused although its key is right."""

    def __init__(self) -> None:
        self.seen = 0

    def authorized(self, header: str) -> bool:
        self.seen += 1
        return self.seen % 10 != 0 and super().authorized(header)
