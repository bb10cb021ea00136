"""Questions to Azure Resource Manager that the SDK has no words for."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from core.azure.context import ARM_SCOPE, Context
from core.azure.errors import CODES, NO_WORKSPACE, refusal
from core.domain.errors import ServiceUnavailable

BASE = "https://management.azure.com"


@dataclass(frozen=True, slots=True)
class Answer:
    """What Azure said; a refusal is an answer."""

    status: int
    body: Any
    date: str = ""

    @property
    def found(self) -> bool:
        return self.status < 400

    @property
    def code(self) -> str:
        """The error's code, empty where there is none."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return str(error.get("code", "")) if isinstance(error, dict) else ""

    @property
    def message(self) -> str:
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return str(error.get("message", "")) if isinstance(error, dict) else f"status {self.status}"

    @property
    def values(self) -> list[Any]:
        """Of a list; empty where it is none."""
        found = self.body.get("value") if isinstance(self.body, dict) else None
        return found if isinstance(found, list) else []


def ask(context: Context, path: str, version: str, **query: str) -> Answer:
    """GET a path of Azure Resource Manager. Raises Forbidden without a token, ServiceUnavailable without an answer."""
    reply = context.http("GET", BASE + path, scope=ARM_SCOPE, params={"api-version": version, **query})
    return Answer(reply.status_code, _json(reply), reply.headers.get("date", ""))


def send(context: Context, method: str, path: str, version: str, body: Any = None) -> Answer:
    """PUT or DELETE a path of Azure Resource Manager. Raises as `ask` does."""
    reply = context.http(method, BASE + path, scope=ARM_SCOPE, params={"api-version": version}, json=body)
    return Answer(reply.status_code, _json(reply), reply.headers.get("date", ""))


def ask_all(context: Context, path: str, version: str, **query: str) -> list[Any]:
    """Every entry of a list, page after page. Raises ours for a refusal."""
    answer = ask(context, path, version, **query)
    found = [*_checked(answer).values]
    while isinstance(answer.body, dict) and (following := answer.body.get("nextLink")):
        if not str(following).startswith(f"{BASE}/"):  # our token goes nowhere else
            raise ServiceUnavailable(f"Azure names a page of a list that is not its own: {following}", hint="Try again")
        reply = context.http("GET", str(following), scope=ARM_SCOPE)
        answer = Answer(reply.status_code, _json(reply))
        found += _checked(answer).values
    return [each for each in found if isinstance(each, dict)]


def find(context: Context, path: str, version: str) -> Any | None:
    """What stands at a path; None where nothing does. Raises ours for another refusal: it says nothing of the thing."""
    answer = ask(context, path, version)
    if answer.status == 404 and answer.code not in CODES and not NO_WORKSPACE.search(answer.message):
        return None
    return _checked(answer).body


def _checked(answer: Answer) -> Answer:
    if not answer.found:
        raise refusal(answer.status, answer.message, answer.code)
    if not isinstance(answer.body, dict):
        raise ServiceUnavailable("Azure's answer is not of the form that it should have", hint="Try again")
    return answer


def _json(reply: httpx.Response) -> Any:
    try:
        return reply.json()
    except json.JSONDecodeError:
        return {}
