"""Records what goes between a client and Azure, as a proxy between them, in the form of Microsoft's own recordings.

What opens anything never reaches the file: headers that sign in, keys, tokens, signatures, and whatever the login says.
The ids of the subscription, its resource group and its workspace are written as zeros, as in the recordings.
"""

import json
import re
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from core.emulator.listening import listening, new_secret
from core.emulator.names import LOGIN_HOST, Names, host_kind
from core.emulator.variables import variables

SANITIZED = "Sanitized"
SECRET = re.compile(
    r"key$|keys$|secret|token|password|signature|sas(uri|url)?$|connectionstring|credential", re.IGNORECASE
)
"""Names whose texts are left out, wherever they stand in a body."""
HARMLESS = frozenset({"instrumentationkey", "primarykeyvaultkeyidentifier", "nexttoken", "credentialstype"})
SIGNED = frozenset({"sig", "se", "sp", "sv", "sr", "st", "skoid", "sktid", "skt", "ske", "sks", "skv", "code"})
"""Parameters of a signed address (https://learn.microsoft.com/rest/api/storageservices/create-service-sas)."""
KEPT_HEADERS = frozenset(
    {"content-type", "accept", "user-agent", "location", "azure-asyncoperation", "retry-after", "date", "etag"}
)
HOP = frozenset({"host", "connection", "content-length", "transfer-encoding", "proxy-authorization", "keep-alive"})
BODY_MAX_BYTES = 200_000
TIMEOUT_S = 120.0


class Recorder:
    """An ASGI application that sends every request on to where it was meant for, and keeps both sides of it."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """`names`: a text that tells whose workspace it is -> what stands for it in the recording."""
        self._names = {name: instead for name, instead in names.items() if name}
        self._lock = threading.Lock()
        self.entries: list[dict[str, Any]] = []

    async def __call__(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Mapping[str, Any]]],
        send: Callable[[Mapping[str, Any]], Awaitable[None]],
    ) -> None:
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = bool(message.get("more_body"))
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        url = f"https://{headers['host']}{scope['raw_path'].decode('latin-1')}{query}"
        onward = {name: value for name, value in headers.items() if name.lower() not in HOP}
        # A client for each request: `trust_env` reads the proxy of this process, which is not the client's.
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client:
            reply = await client.request(scope["method"], url, headers=onward, content=bytes(body))
        self._keep(scope["method"], url, headers, bytes(body), reply)
        answered = [
            (name, value)
            for name, value in reply.headers.raw
            if name.decode().lower() not in HOP | {"content-encoding"}
        ]
        length = reply.headers.get("content-length") if scope["method"] == "HEAD" else str(len(reply.content))
        answered.append((b"content-length", (length or "0").encode()))
        await send({"type": "http.response.start", "status": reply.status_code, "headers": answered})
        await send({"type": "http.response.body", "body": reply.content})

    def _keep(self, method: str, url: str, headers: Mapping[str, str], body: bytes, reply: httpx.Response) -> None:
        host = urlsplit(url).netloc.lower()
        if host_kind(host) in ("login", "") or host == LOGIN_HOST:
            return
        entry = {
            "RequestUri": self._named(address(url)),
            "RequestMethod": method,
            "RequestHeaders": self._headers(headers),
            "RequestBody": self._body(body, headers.get("content-type", "")),
            "StatusCode": reply.status_code,
            "ResponseHeaders": self._headers(reply.headers),
            "ResponseBody": self._body(reply.content, reply.headers.get("content-type", "")),
        }
        with self._lock:
            self.entries.append(entry)

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        kept = {name.lower(): value for name, value in headers.items() if name.lower() in KEPT_HEADERS}
        return {name: self._named(address(value) if "://" in value else value) for name, value in kept.items()}

    def _body(self, body: bytes, kind: str) -> Any:
        """JSON as JSON without its secrets; other bodies, such as tables and models, are left out."""
        if not body or "json" not in kind or len(body) > BODY_MAX_BYTES:
            return None
        try:
            found = json.loads(body)
        except ValueError:
            return None
        return json.loads(self._named(json.dumps(without_secrets(found))))

    def _named(self, text: str) -> str:
        for name, instead in self._names.items():
            text = re.sub(re.escape(name), instead, text, flags=re.IGNORECASE)
        return text

    def write(self, path: Path) -> int:
        """Write the recording, its owner's alone; gives how many exchanges it has."""
        with self._lock:
            path.touch(mode=0o600)
            path.write_text(json.dumps({"Entries": self.entries, "Variables": {}}, indent=1) + "\n")
            return len(self.entries)


def address(url: str) -> str:
    """An address without what signs it."""
    parts = urlsplit(url)
    query = [(name, SANITIZED if name.lower() in SIGNED else value) for name, value in parse_qsl(parts.query, True)]
    return parts._replace(query=urlencode(query, safe=":/$,")).geturl()


def without_secrets(found: Any, name: str = "") -> Any:
    """A JSON value without the texts that open anything."""
    if isinstance(found, dict):
        return {key: without_secrets(value, key) for key, value in found.items()}
    if isinstance(found, list):
        return [without_secrets(value, name) for value in found]
    if not isinstance(found, str):
        return found
    if SECRET.search(name) and name.lower() not in HARMLESS:
        return SANITIZED
    return address(found) if found.startswith("https://") and "sig=" in found else found


@contextmanager
def recording(path: Path, names: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The variables with which a client's traffic is recorded into `path` while the block lasts."""
    recorder, secret = Recorder(names), new_secret()
    with listening(recorder, secret) as served:
        given = variables(Names(), served.port, secret, served.bundle)
        try:
            yield {name: value for name, value in given.items() if not name.startswith(("AZURE_", "AZUREML_"))}
        finally:
            recorder.write(path)
