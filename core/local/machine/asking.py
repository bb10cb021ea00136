"""Asking a server of ours whether it is well, over HTTP or over HTTPS under a certificate of its own."""

import http.client
import re
import ssl
from urllib.parse import urlsplit

NUMBER = re.compile(r"\d+(\.\d+)?")


def answers(url: str, path: str, timeout_s: float, certificate: str = "") -> bool:
    """Whether a server says 200 there. Over HTTPS it must have the key of this very `certificate` (PEM)."""
    address = urlsplit(url)
    if not address.hostname:
        return False
    try:
        connection = _connection(address.scheme, address.hostname, address.port, timeout_s, certificate)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError):  # an SSLError is an OSError; no certificate a ValueError
        return False


def counts(url: str, timeout_s: float) -> dict[str, float]:
    """What a server counts, by the names of its metrics without labels; nothing where it does not answer."""
    address = urlsplit(url)
    try:
        connection = _connection(address.scheme, address.hostname or "", address.port, timeout_s, "")
        try:
            connection.request("GET", address.path)
            lines = connection.getresponse().read().decode("utf-8", "replace").splitlines()
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    told = (line.partition(" ") for line in lines if not line.startswith("#") and "{" not in line)
    return {name: float(value) for name, _, value in told if NUMBER.fullmatch(value)}


def leaf(chain: str) -> str:
    """The first certificate of a chain in PEM: the server's own."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return f"{begin}{chain.split(begin, 1)[1].split(end, 1)[0]}{end}\n"


def _connection(
    scheme: str, host: str, port: int | None, timeout_s: float, certificate: str
) -> http.client.HTTPConnection:
    if scheme != "https":
        return http.client.HTTPConnection(host, port, timeout=timeout_s)
    # The one certificate that is trusted is the server's own, whoever has signed it. It may be for a name under which
    # others reach this machine, so that the name is not compared: the key behind that certificate is proof enough.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=certificate)
    return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)
