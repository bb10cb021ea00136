"""Ports on the loopback address."""

import errno
import socket

from core.domain.errors import PortInUse

HOST = "127.0.0.1"


def listen(port: int, owner: str) -> socket.socket:
    """A socket bound to `port` (0: any free one). Raises PortInUse, in which `owner` names who wanted it."""
    # Named as TCP: asyncio switches Nagle's algorithm off for no other socket, and an answer's body would then wait for
    # the client's delayed acknowledgement of its head, 40 ms on every request of a kept connection.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # Without this a port is unusable for a minute after its server died with open connections.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as e:
        listener.close()
        if e.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortInUse(
                f"Port {port}, which {owner} keeps, is taken by another process",
                hint="Stop that process; Slipway never moves to another port silently",
            ) from e
        raise
    return listener


def check_free(port: int, owner: str) -> None:
    """Raises PortInUse."""
    listen(port, owner).close()
