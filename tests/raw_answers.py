"""What a server answered, as far as two servers can be compared: status, names of headers, shape of the body."""

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

from raw_requests import Sent

WAIT_S = 20.0
EACH_SERVERS_OWN = {"server", "date", "connection", "content-length", "transfer-encoding"}
"""Headers of the transport, not of the contract."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply. `shape` tells JSON by its keys and kinds, text as text."""

    status: int
    headers: frozenset[str]
    media: str
    shape: Any

    def differs(self, other: "Answer") -> frozenset[str]:
        """What is not the same: status, media, body, and each header that only one has, with a sign."""
        parts = {"status": self.status != other.status, "media": self.media != other.media}
        parts["body"] = self.shape != other.shape
        ours, theirs = self.headers - other.headers, other.headers - self.headers
        return frozenset(
            [name for name, differ in parts.items() if differ]
            + [f"+{name}" for name in ours]
            + [f"-{name}" for name in theirs]
        )


def ask(port: int, sent: Sent) -> Answer:
    """Send one request on a connection of its own and read the whole reply."""
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as connection:
        connection.sendall(sent.raw(f"127.0.0.1:{port}"))
        reply = http.client.HTTPResponse(connection, method=sent.method)
        reply.begin()
        body = reply.read()
    names = frozenset(name.lower() for name, _ in reply.getheaders()) - EACH_SERVERS_OWN
    media = (reply.getheader("content-type") or "").partition(";")[0]
    return Answer(reply.status, names, media, _shape(body))


def _shape(body: bytes) -> Any:
    try:
        return _kinds(json.loads(body))
    except ValueError:
        return "text" if body else "nothing"


def _kinds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _kinds(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_kinds(each) for each in value]
    return type(value).__name__
