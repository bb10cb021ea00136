"""Ports on the loopback address, and on another one where the service is told so."""

import errno
import socket
from urllib.parse import urlsplit

from core.domain.errors import PortInUse, SpecInvalid

HOST = "127.0.0.1"


def listen(port: int, owner: str, host: str = HOST) -> socket.socket:
    """A socket bound to `port` (0: any free one) of an address of this machine.

    Raises PortInUse, in which `owner` names who wanted it, and SpecInvalid for an address that is not this machine's.
    """
    # Named as TCP: asyncio switches Nagle's algorithm off for no other socket, and an answer's body would then wait for
    # the client's delayed acknowledgement of its head, 40 ms on every request of a kept connection.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # Without this a port is unusable for a minute after its server died with open connections.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as e:
        listener.close()
        if e.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortInUse(
                f"Port {port}, which belongs to {owner}, is used by another process",
                hint="Stop that process; Slipway never switches to another port silently",
            ) from e
        if e.errno == errno.EADDRNOTAVAIL:
            raise SpecInvalid(f"{host} is not an address of this machine", hint="`ip address` lists them") from e
        raise
    return listener


def port_of(address: str) -> int:
    """The port of a `HOST:PORT` or an address of ours; 0 for an empty one. Raises SpecInvalid for another host's."""
    parts = urlsplit(address if "//" in address else f"//{address}")
    try:
        port = parts.port
    except ValueError as e:
        raise SpecInvalid(f"'{address[:60]}' has no port: {e}", hint=f"Give {HOST}:PORT") from e
    if address and (parts.hostname != HOST or not port):
        raise SpecInvalid(f"'{address[:60]}' is not an address this machine can listen on", hint=f"Give {HOST}:PORT")
    return port or 0


def check_free(port: int, owner: str) -> None:
    """Raises PortInUse."""
    listen(port, owner).close()
