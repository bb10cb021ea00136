"""Whether a client takes what it was sent: slowly is welcome, not at all is not."""

import asyncio
import termios
from contextlib import suppress
from fcntl import ioctl

STEP_BYTES = 64 * 1024
"""What a client must take within each time of waiting: two kilobytes a second, where that is half a minute."""


class Progress:
    """How much of what was written is left, watched from time to time."""

    __slots__ = ("_left", "_patience_s", "_until")

    def __init__(self, left: int, now: float, patience_s: float) -> None:
        self._left, self._until, self._patience_s = left, now + patience_s, patience_s

    def stuck(self, left: int, now: float) -> bool:
        """Whether too little was taken for too long; `left` is what there is at `now`."""
        if left <= self._left - STEP_BYTES:
            self._left, self._until = left, now + self._patience_s
        return now >= self._until


def unsent(transport: asyncio.Transport) -> int:
    """Bytes that the client's system has not taken yet: those that wait here, and those that wait in ours.

    Ours takes megabytes off our hands at once, and then for minutes nothing from whoever reads slowly.
    """
    waiting = transport.get_write_buffer_size()
    connection = transport.get_extra_info("socket")
    with suppress(OSError):  # a system that does not tell: what waits here must do
        waiting += int.from_bytes(ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)), "little", signed=True)
    return waiting
