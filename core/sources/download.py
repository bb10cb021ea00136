"""One file from a public address: a time limit on the whole, a checksum, and a file that is whole or absent."""

import hashlib
import time
import urllib.request
from concurrent.futures import Future
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from threading import Thread

from core.domain.errors import SourceUnreadable
from core.sources.files import storage_errors, unpacked, write_whole

DOWNLOAD_MAX_BYTES = 64_000_000
"""More than this is not the table that was asked for (4,117,471 bytes)."""
CHUNK = 1 << 16


def download(url: str, path: Path, *, sha256: str, timeout_s: float) -> None:
    """Put the unpacked bytes of `url` at `path` if their SHA-256 is `sha256`.

    `timeout_s` is wall-clock seconds for everything, name look-up included. Raises SourceUnreadable with the reason
    (unreachable, refused, too slow, other bytes than expected), StorageFull.
    """
    if not url.startswith(("http://", "https://")):
        raise SourceUnreadable(f"'{url}' is not an http or https address", hint="Correct SLIPWAY_DATA_URL")
    try:
        body = _within(url, timeout_s)
    except (OSError, HTTPException, ValueError) as e:
        raise SourceUnreadable(f"{url} could not be fetched: {e or type(e).__name__}") from e
    with unpacked(BytesIO(body), url) as stream:
        content = stream.read()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SourceUnreadable(f"{url} gave other bytes than expected: SHA-256 {found[:12]}..., not {sha256[:12]}...")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)


def _within(url: str, timeout_s: float) -> bytes:
    """The body, from a thread of its own: a socket's time-out bounds neither the name look-up nor a slow drip."""
    answer: Future[bytes] = Future()
    deadline = time.monotonic() + timeout_s

    def work() -> None:
        try:
            answer.set_result(_body(url, deadline))
        except Exception as e:  # noqa: BLE001  # raised again by `result` below
            answer.set_exception(e)

    Thread(target=work, name="download", daemon=True).start()
    try:
        return answer.result(timeout_s)
    except TimeoutError as e:
        raise TimeoutError(f"it took longer than {timeout_s:g} s") from e


def _body(url: str, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    with urllib.request.urlopen(url, timeout=max(deadline - time.monotonic(), 0.01)) as reply:  # noqa: S310  # http(s)
        while chunk := reply.read1(CHUNK):
            size += len(chunk)
            if size > DOWNLOAD_MAX_BYTES:
                raise ValueError(f"it is larger than {DOWNLOAD_MAX_BYTES} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError
            parts.append(chunk)
    return b"".join(parts)
