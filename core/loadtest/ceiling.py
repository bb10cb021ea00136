"""What this load client can do at all, against a server that does no work: how to know who the bottleneck was.

That server prints its port and answers every request with the same 200. It is a process of its own, since in this one
it would take the client's time.
"""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import httptools

from core.domain.errors import NoVerdict
from core.domain.proof import LoadSpec
from core.loadtest.drive import run

MEASURE_S = 1.0
WARMUP_S = 0.2
REPLY = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 18\r\n\r\n" + b'{"result": ["no"]}'


def ceiling(spec: LoadSpec, bodies: Sequence[bytes]) -> float:
    """Requests/s that the client reaches with as many connections and these bodies against a server that does no work.

    Takes about two seconds. Raises NoVerdict when that server does not come up.
    """
    checkout = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", "from core.loadtest.ceiling import serve; serve()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=checkout) as server:
        assert server.stdout is not None
        try:
            port = server.stdout.readline().strip()
            if not port:
                raise NoVerdict("The load client's own server did not start", hint="Measure without it: --no-ceiling")
            still = replace(
                spec,
                target=replace(spec.target, url=f"http://127.0.0.1:{int(port)}"),
                duration_s=MEASURE_S,
                warmup_s=WARMUP_S,
                rate_per_s=0.0,
                max_requests=0,
            )
            return run(still, bodies).requests_per_s
        finally:
            server.kill()


class _Still(asyncio.Protocol):
    """Answers without looking."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._transport.write(REPLY)
        if not self._parser.should_keep_alive():
            self._transport.close()


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Still, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    # Standard input is the tether: it closes when the load client dies.
    await asyncio.to_thread(sys.stdin.read)


def serve() -> None:
    """Be that server, until standard input ends."""
    asyncio.run(_serve())
