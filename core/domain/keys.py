"""What a key and a header's value may be. No sentence from here shows a key."""

import codecs

from core.domain.errors import SpecInvalid

KEY_BYTES = 32
"""Random bytes in a key of ours."""
HINT = "A key is one line of printable ASCII characters"


def key_in(text: str | bytes, where: str) -> str:
    """The key that a file or a variable holds: a byte order mark, and line ends around the key, are no part of it.

    Raises SpecInvalid that says what is wrong, and `where`, and not the key.
    """
    key = (text if isinstance(text, str) else _decoded(text, where)).removeprefix("\ufeff").strip()
    check_key(key, where)
    return key


def check_key(key: str, where: str) -> None:
    """Raises SpecInvalid for what no header can carry; "" is no key, and fine."""
    if wrong := _wrong(key):
        raise SpecInvalid(f"The key {where} holds {wrong}", hint=HINT)


def check_header(value: str, name: str) -> None:
    """Raises SpecInvalid for what no header can carry: a line break in it would begin another header."""
    if wrong := _wrong(value):
        raise SpecInvalid(f"{name} holds {wrong}: {value[:40]!r}", hint="A header's value is one line of ASCII text")


def _wrong(value: str) -> str:
    """What in it no header can carry; empty for a sound value."""
    at = next((at for at, letter in enumerate(value) if not " " <= letter <= "~"), None)
    if at is None:
        return ""
    what = "a line break" if value[at] in "\r\n" else "a character that a header cannot contain"
    return f"{what}, at position {at + 1} of {len(value)}"


def _decoded(raw: bytes, where: str) -> str:
    """Text in UTF-8, or in UTF-16 with its mark, as PowerShell's `>` writes it."""
    encoding = "utf-16" if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        # Without its cause, which holds the bytes.
        raise SpecInvalid(f"The key {where} is not text", hint=HINT) from None
