"""The only way in: a loopback CONNECT proxy that asks for the run's secret and leads to the emulation, nowhere else."""

import asyncio
import base64
import hmac
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path

from core.emulator.names import host_kind

HEAD_MAX_BYTES = 65_536
HEAD_TIMEOUT_S = 10.0
CHUNK_BYTES = 65_536
USER = "slipway"


class Proxy:
    """Tunnels to the socket at `inside` whatever names one of Azure's hosts; every other host is refused by name."""

    def __init__(self, inside: Path, secret: str) -> None:
        self._inside = inside
        self._expected = b"Basic " + base64.b64encode(f"{USER}:{secret}".encode())
        self._open: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> asyncio.Server:
        """Listen on loopback; port 0 picks a free one."""
        return await asyncio.start_server(self._accept, "127.0.0.1", port, limit=HEAD_MAX_BYTES)

    async def stop(self) -> None:
        """Close every tunnel."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HEAD_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
            refusal = self._refusal(head)
            if refusal:
                await _refuse(writer, *refusal)
                return
            to_reader, to_writer = await asyncio.open_unix_connection(str(self._inside))
            try:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await _both(_pump(reader, to_writer), _pump(to_reader, writer))
            finally:
                to_writer.close()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass  # whoever called has gone, or said nothing that can be answered
        finally:
            writer.close()

    def _refusal(self, head: bytes) -> tuple[int, str] | None:
        lines = head.decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        target = rest.rpartition(" ")[0]
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (x.partition(":") for x in lines[1:]) if value
        }
        if not hmac.compare_digest(headers.get("proxy-authorization", "").encode("latin-1"), self._expected):
            return 407, "The emulation asks for the secret of this run"
        if method != "CONNECT":
            return 403, f"The emulation speaks HTTPS only, and sends nothing to {target[:200]}"
        host, _, port = target.rpartition(":")
        if port != "443" or not host_kind(host):
            return 403, f"{target[:200]} is no host of Azure ML that is emulated here"
        return None


async def _refuse(writer: asyncio.StreamWriter, status: int, reason: str) -> None:
    """The reason stands in the status line too: it is all that most clients show of a refused tunnel."""
    reason = "".join(c if " " <= c <= "~" else "?" for c in reason)
    ask = f'Proxy-Authenticate: Basic realm="{USER}"\r\n' if status == 407 else ""
    body = f"{reason}\n"
    writer.write(
        f"HTTP/1.1 {status} {reason}\r\n{ask}Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
        f"Connection: close\r\n\r\n{body}".encode("latin-1")
    )
    with suppress(ConnectionError):
        await writer.drain()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()


async def _both(*ways: Coroutine[None, None, None]) -> None:
    """Until one way has ended: TLS closes both, and a client that has gone reads no answer."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
