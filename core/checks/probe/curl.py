"""A request as a shell command that sends it again; it reads the key from SLIPWAY_KEY and never holds it."""

import base64
import gzip
import shlex
from collections.abc import Mapping

from core.checks.document.security import Credential

COMMAND_BODY_MAX_BYTES = 64_000
"""Longer bodies travel packed: Linux takes at most 128 KiB in one argument."""


def command(
    method: str, url: str, headers: Mapping[str, str], credential: Credential | None, body: bytes | None
) -> str:
    """The command for one request, with its answer's head shown."""
    parts = [f"curl -i -X {method}"]
    if credential:
        parts.append(f'-H "{credential.header}: {credential.shell}"')
    parts.extend(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items())
    if body is not None and len(body) <= COMMAND_BODY_MAX_BYTES:
        parts.append(f"--data-binary {quoted(body)}")
    elif body is not None:
        packed = base64.b64encode(gzip.compress(body, mtime=0)).decode()
        parts = [f"echo {packed} | base64 -d | gunzip |", *parts, "--data-binary @-"]
    return " ".join([*parts, shlex.quote(url)])


def quoted(body: bytes) -> str:
    """The bytes as one word for a shell."""
    text = body.decode("utf-8", "replace")
    if "\ufffd" not in text and text.isprintable():
        return shlex.quote(text)
    # Bash's own quoting for bytes that are not printable UTF-8.
    return "$'" + "".join(chr(b) if 32 <= b < 127 and b not in b"'\\" else f"\\x{b:02x}" for b in body) + "'"
