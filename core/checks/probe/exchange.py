"""One request and its answer: a value that a check judges and that a reader can send again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.checks.document.security import Credential
from core.checks.outcome import Violation
from core.checks.probe import curl
from core.domain.proof import Target

LIMITED = (413, 414, 431)
"""Statuses that say that a body, an address or a head is larger than the server takes."""
REFUSED = (400, 422, *LIMITED)
"""Statuses that are right for what is wrong: they say so, or that a limit was met before anybody looked."""
SHOWN_CHARS = 200


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with its answer; status 0 where none came."""

    method: str
    path: str
    headers: Mapping[str, str]
    """All but Authorization."""
    credential: Credential | None
    body: bytes | None
    status: int = 0
    reply_headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    reply: bytes = b""
    decoded: bool = False
    """`reply` is what the JSON string held that came."""

    @property
    def shown(self) -> str:
        """The answer in a few words."""
        return shown(self.status, self.reply)

    def json(self) -> Any:
        """The answer as strict JSON. Raises Violation."""
        try:
            return json.loads(self.reply, parse_constant=_no_constant)
        except (ValueError, RecursionError) as e:
            raise Violation(f"The answer is not JSON: {self.shown}", self) from e

    def curl(self, target: Target) -> str:
        """A shell command that sends this request again, the key taken from SLIPWAY_KEY."""
        return curl.command(self.method, target.url + self.path, self.headers, self.credential, self.body)


def shown(status: int, reply: bytes) -> str:
    """An answer in a few words."""
    text = reply.decode("utf-8", "replace")
    return f"{status} {text[:SHOWN_CHARS]}{'...' if len(text) > SHOWN_CHARS else ''}".strip()


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")
