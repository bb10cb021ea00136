"""A request handed on to the server that answers it: the client's own bytes and headers, with another key."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from core.emulator.messages import Request

HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "trailers",
        "transfer-encoding", "upgrade", "content-length", "expect",
    }
)  # fmt: skip
"""RFC 9110, 7.6.1: these are about one connection, and not about what is carried."""
DEPLOYMENT = "azureml-model-deployment"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server has said."""

    status: int
    reason: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class NoAnswer(Exception):
    """The server is not there, or has hung up."""


class TooSlow(Exception):
    """It has not answered in the time that its deployment allows."""


def forward(request: Request, root: str, timeout_s: float, *, key: str = "", deployment: str = "") -> Answer:
    """What the server at `root` answers; `deployment` chooses one of its own. Raises NoAnswer, TooSlow."""
    headers = {
        name: value
        for name, value in request.headers.items()
        if name not in HOP_BY_HOP and name not in ("authorization", DEPLOYMENT)
    }
    if key:
        headers["authorization"] = f"Bearer {key}"
    if deployment:
        headers[DEPLOYMENT] = deployment
    target = request.path + (f"?{request.raw_query}" if request.raw_query else "")
    parts = urlsplit(root)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request(request.method, target, body=request.body or None, headers=headers)
        response = connection.getresponse()
        body = response.read()
    except TimeoutError as e:
        raise TooSlow from e
    except (OSError, http.client.HTTPException) as e:
        raise NoAnswer(str(e)) from e
    finally:
        connection.close()
    kept = {name.lower(): value for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP}
    return Answer(response.status, response.reason, body, kept)
