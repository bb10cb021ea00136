"""A process that ends when the other end of its standard input closes: kill -9 of the owner leaves no orphan."""

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

READ_BYTES = 4096


def when_closed(stream: BinaryIO, then: Callable[[], None]) -> None:
    """Call `then` in the running event loop once `stream` has ended.

    A thread reads it, because the event loop can wait for pipes only, and the stream may be anything. It reads the
    descriptor: a thread that waits inside `stream` holds its lock, over which Python aborts when the process ends.
    """
    loop, descriptor = asyncio.get_running_loop(), stream.fileno()

    def wait() -> None:
        with suppress(OSError):  # one that cannot be read any more has ended too
            while os.read(descriptor, READ_BYTES):
                pass
        if not loop.is_closed():
            loop.call_soon_threadsafe(then)

    threading.Thread(target=wait, name="tether", daemon=True).start()
