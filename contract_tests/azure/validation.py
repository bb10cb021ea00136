"""Every request on its arrival and every answer before it is sent, against Microsoft's own schemas."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from contract_tests.azure.addresses import About, about
from contract_tests.azure.deviations import ANSWERED, SENT, Deviation, unlisted
from contract_tests.azure.versions import Schemas, Version
from core.emulator.messages import Reply, Request
from core.emulator.names import host_kind

REQUIRED_OF_AN_ERROR = ("code", "message")
STATES = frozenset({"InProgress", "Creating", "Updating", "Deleting", "Succeeded", "Failed", "Canceled"})
"""Of an operation, as the recordings have them: while it goes on, Azure says what is done."""


@dataclass(frozen=True)
class Exchange:
    """A request with its answer, from the emulation or from a recording."""

    method: str
    path: str
    query: Mapping[str, str]
    sent: Any
    status: int
    answered: Any

    @property
    def title(self) -> str:
        return f"{self.method} {self.path}?api-version={self.version}"

    @property
    def version(self) -> str:
        return next((value for name, value in self.query.items() if name.lower() == "api-version"), "")


def violations(folder: Path, exchange: Exchange, answered: Sequence[Deviation] = ANSWERED) -> list[str]:
    """What is wrong with an exchange, by the schemas in a folder, one line each."""
    subject = about(exchange.method, exchange.path)
    if "operationsstatus/" in exchange.path.lower():
        return _titled(exchange, "answered", list(_operation(exchange)))
    if subject is None:
        return []
    version = _schemas(folder).version(exchange.version)
    if version is None:
        return [f"{exchange.title}: the version is neither in the schemas nor in the table NEAREST"]
    sent = list(_sent(version, subject, exchange)) if exchange.status < 400 else []
    got = list(_answered(version, subject, exchange))
    return [
        *unlisted(_titled(exchange, "sent", sent), SENT),
        *unlisted(_titled(exchange, "answered", got), answered),
    ]


def _titled(exchange: Exchange, way: str, faults: list[str]) -> list[str]:
    return [f"{exchange.title} {way} {fault}" for fault in faults]


@cache
def _schemas(folder: Path) -> Schemas:
    return Schemas(folder)


def _sent(version: Version, subject: About, exchange: Exchange) -> Iterator[str]:
    body = exchange.sent
    if exchange.method not in ("PUT", "PATCH") or not isinstance(body, dict):
        return
    if version.arm and exchange.method == "PUT" and version.arm.has(subject.type):
        yield from version.arm.body(subject.type, subject.name.rpartition("/")[2], body)
    if version.bicep and version.bicep.has(subject.type):
        yield from version.bicep.resource(subject.type, body, sent=True, whole=exchange.method == "PUT")


def _answered(version: Version, subject: About, exchange: Exchange) -> Iterator[str]:
    body = exchange.answered
    if exchange.status >= 400:
        yield from _error(body)
        return
    if body in (None, "", b"") or exchange.method in ("DELETE", "HEAD"):
        return
    if version.swagger:
        yield from _by_swagger(version, subject, exchange)
    if version.bicep is None:
        return
    if subject.action:
        yield from version.bicep.answer(subject.type, subject.action, body)
    elif not version.bicep.has(subject.type):
        return
    elif subject.listed:
        yield from _page(version, subject, body)
    else:
        yield from version.bicep.resource(subject.type, body, sent=False)


def _by_swagger(version: Version, subject: About, exchange: Exchange) -> Iterator[str]:
    assert version.swagger
    kind, action = subject.kind, subject.action
    if subject.listed:
        kind, _, action = kind.rpartition("/")
    yield from version.swagger.answer(kind, exchange.method, action, exchange.status, exchange.answered)


def _page(version: Version, subject: About, body: Any) -> Iterator[str]:
    assert version.bicep
    if not isinstance(body, dict) or not isinstance(body.get("value"), list):
        yield "value: is missing, a list of resources"
        return
    for index, each in enumerate(body["value"]):
        for fault in version.bicep.resource(subject.type, each, sent=False):
            yield f"value[{index}].{fault}"


def _error(body: Any) -> Iterator[str]:
    """Azure's REST guidelines, "Handling errors"."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        yield "error: is missing"
        return
    for name in REQUIRED_OF_AN_ERROR:
        if not isinstance(error.get(name), str):
            yield f"error.{name}: is no text"


def _operation(exchange: Exchange) -> Iterator[str]:
    """Azure's REST guidelines, "Long-running operations"."""
    body = exchange.answered
    if exchange.status >= 400:
        yield from _error(body)
        return
    if not isinstance(body, dict) or body.get("status") not in STATES:
        yield f"status: {body!r} says none of {', '.join(sorted(STATES))}"
    elif body["status"] == "Failed":
        yield from _error(body)


def parsed(body: Any) -> Any:
    """The JSON in a body; the body itself where it is none."""
    if isinstance(body, bytes | str):
        try:
            return json.loads(body) if body else None
        except (ValueError, RecursionError):
            return body
    return body


class Inspector:
    """Sees every exchange of an emulation (`inspect=`), and keeps what is wrong until it is asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: list[str] = []

    def __call__(self, request: Request, reply: Reply) -> None:
        sent, answered = parsed(request.body), parsed(reply.encoded())
        seen = Exchange(request.method, request.path, request.query, sent, reply.status, answered)
        if host_kind(request.host) in ("arm", "api"):
            self._found += violations(self._folder, seen)

    def taken(self) -> list[str]:
        """What was wrong since it was asked last."""
        found, self._found = self._found, []
        return found
