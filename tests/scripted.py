"""A server on loopback that answers as a test's script says."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.domain.proof import Target

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
HANG_UP = b""

Answer = Callable[[int], bytes | None]


class ScriptedServer(asyncio.Protocol):
    """Answers the n-th request with `answer(n)`: bytes, `HANG_UP` to close without an answer, None for silence."""

    def __init__(self, answer: Answer, requests: list[bytes]) -> None:
        self.answer, self.requests, self.buffer = answer, requests, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]):
            return
        self.requests.append(self.buffer)
        self.buffer = b""
        reply = self.answer(len(self.requests))
        if reply:
            self.transport.write(reply)
        if reply == HANG_UP or (reply and b"Connection: close" in reply):
            self.transport.close()


@contextmanager
def scripted(answer: Answer) -> Iterator[tuple[Target, list[bytes]]]:
    requests: list[bytes] = []
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: ScriptedServer(answer, requests), "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield Target(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "the-key", {"x-extra": "1"}), requests
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
