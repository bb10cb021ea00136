"""Questions to Azure Resource Manager that the SDK has no words for."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from core.azure.context import ARM_SCOPE, Context

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


def _json(reply: httpx.Response) -> Any:
    try:
        return reply.json()
    except json.JSONDecodeError:
        return {}
