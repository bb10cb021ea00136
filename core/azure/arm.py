"""Questions to Azure Resource Manager that the SDK has no words for."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from core.azure.context import ARM_SCOPE, Context
from core.domain.errors import Forbidden, SlipwayError

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


def ask_all(context: Context, path: str, version: str, **query: str) -> list[Any]:
    """Every entry of a list, page after page. Raises Forbidden, and SlipwayError for another refusal."""
    answer = ask(context, path, version, **query)
    found = [*_checked(path, answer).values]
    while isinstance(answer.body, dict) and (following := answer.body.get("nextLink")):
        reply = context.http("GET", str(following), scope=ARM_SCOPE)
        answer = Answer(reply.status_code, _json(reply))
        found += _checked(path, answer).values
    return found


def _checked(path: str, answer: Answer) -> Answer:
    if answer.status in (401, 403):
        raise Forbidden(answer.message, hint="'python -m core doctor --workspace azure' gives the role commands")
    if not answer.found:
        raise SlipwayError(f"Azure refused to list {path.rpartition('/')[2]}: {answer.message}", hint="Try again")
    return answer


def _json(reply: httpx.Response) -> Any:
    try:
        return reply.json()
    except json.JSONDecodeError:
        return {}
