"""Who may score: nobody without the key, with a part of it, or with another."""

import base64

from core.checks.asking.refusals import unauthorized
from core.checks.document.security import Credential
from core.checks.probe.probe import Probe
from core.checks.registry import check


@check("wire", "A request without a key gets 401, and the answer says how to authenticate.")
def no_key_is_refused(probe: Probe) -> str:
    return unauthorized(probe, None)


@check("wire", "A key sent with another scheme than the document's is rejected.")
def other_schemes_are_refused(probe: Probe) -> str:
    key = probe.target.key
    scheme = probe.described.scheme
    if not scheme.bearer:
        words = [word for word in ("Bearer ", "Basic ", "Token ") if word != scheme.word]
        return unauthorized(probe, *(Credential(word + key, f"{word}$SLIPWAY_KEY", scheme.header) for word in words))
    basic = base64.b64encode(f"user:{key}".encode()).decode()
    return unauthorized(
        probe,
        Credential(f"Basic {basic}", "Basic $(printf 'user:%s' \"$SLIPWAY_KEY\" | base64 -w0)"),
        Credential(f"Basic {key}", "Basic $SLIPWAY_KEY"),
        Credential(f"Token {key}", "Token $SLIPWAY_KEY"),
        Credential(key, "$SLIPWAY_KEY"),
    )


@check("wire", "A wrong key is rejected.")
def wrong_keys_are_refused(probe: Probe) -> str:
    key, scheme = probe.target.key, probe.described.scheme
    return unauthorized(
        probe,
        scheme.wrong("wrong", "wrong"),
        Credential(scheme.word.strip(), scheme.word.strip(), scheme.header),
        scheme.wrong(key[::-1], "$(rev <<<$SLIPWAY_KEY)"),
        scheme.wrong(f"{key}x", "${SLIPWAY_KEY}x"),
        scheme.wrong(f"x{key}", "x$SLIPWAY_KEY"),
    )


@check("wire", "A part of the key is not the key.")
def prefixes_of_the_key_are_refused(probe: Probe) -> str:
    key, scheme = probe.target.key, probe.described.scheme
    lengths = sorted({len(key) - 1, len(key) // 2, min(8, len(key) - 1)})
    return unauthorized(probe, *(scheme.wrong(key[:n], f"${{SLIPWAY_KEY:0:{n}}}") for n in lengths if n > 0))
