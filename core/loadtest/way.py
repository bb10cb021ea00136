"""The way to a server behind HTTPS, where this machine reaches the net through a proxy.

Only the tunnel is asked of the proxy (CONNECT): what is sent, and the key with it, it cannot read. Plain HTTP goes
straight, since a proxy would read all of it; so does whatever is on this machine.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that makes tunnels."""

    host: str
    port: int
    url: str = field(repr=False)
    """Its address, with who we are to it."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Who we are to it, where its address says that."""

    def asking(self, host: str, port: int) -> bytes:
        """What is sent to it first."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{lines}\r\n".encode("latin-1")


def proxy_to(url: str) -> Proxy | None:
    """The proxy on the way to an address, by HTTPS_PROXY and NO_PROXY; None where one goes straight."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    given = getproxies().get("https", "")
    if parts.scheme != "https" or not given or _here(host) or proxy_bypass(host):
        return None
    way = urlsplit(given if "://" in given else f"http://{given}")
    if not way.hostname:
        return None
    headers = {}
    if way.username:
        words = f"{unquote(way.username)}:{unquote(way.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(words.encode()).decode()}"
    return Proxy(way.hostname, way.port or 8080, way.geturl(), headers)


BEHIND = "ms-azureml-model-error-statuscode"
"""What the model's own server said, in what Azure's front door makes of it: 424 for whatever it refuses."""
FRONT_DOOR = 424


def meant_status(status: int, said: str | None) -> int:
    """The status of the server that scores; `said` is the header `BEHIND` of the answer."""
    return int(said) if status == FRONT_DOOR and said and said.isdecimal() else status


def _here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
