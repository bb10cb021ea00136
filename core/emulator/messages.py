"""A request as it arrived, a reply to send, and the one error with Azure's shape."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]
"""A JSON object."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, read to its end. Names of headers and of query parameters are in lower case."""

    method: str
    host: str
    path: str
    """Decoded, as it was sent: Azure keeps the case of names, and compares without it."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    found: Mapping[str, str] = field(default_factory=dict)
    """What stood in the places that the route names."""
    raw_query: str = ""
    raw_path: str = ""
    """As it was sent, with its percent signs: what a storage account's signatures are made of."""

    @property
    def api_version(self) -> str:
        return self.query.get("api-version", "")

    def document(self) -> Document:
        """The body as a JSON object; an empty body is an empty object. Raises AzureError 400."""
        if not self.body:
            return {}
        try:
            found = json.loads(self.body)
        except ValueError as e:
            raise AzureError(400, "InvalidRequestContent", f"The request content was invalid: {e}") from e
        if not isinstance(found, dict):
            raise AzureError(400, "InvalidRequestContent", "The request content is not a JSON object")
        return found


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer: `body` is JSON unless it is bytes; None is an empty body."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body, ensure_ascii=False).encode()


class AzureError(Exception):
    """A refusal in Azure's words; handlers raise it, `app` gives it the shape that its host has."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        details: Sequence[Document] = (),
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers: Mapping[str, str] = headers or {}
        self.details = list(details)
