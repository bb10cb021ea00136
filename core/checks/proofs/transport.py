"""How requests travel: sizes, nesting, methods, credentials beside the usual ones, the type of what comes back."""

import re

from core.checks.asking.refusals import denials, lives_on, needs_key, refused, unauthorized, valid_body
from core.checks.document.security import KEY_MIN_CHARS, Credential
from core.checks.document.sizes import told_bytes
from core.checks.outcome import KIND, NotApplicable, Violation
from core.checks.probe.exchange import REFUSED, Exchange
from core.checks.probe.probe import Probe
from core.checks.registry import check

DEEP = 50_000
METHODS = ("HEAD", "TRACE", "BREW")
UNKNOWN_METHOD = (400, 405, 501)
"""RFC 9110, 15.6.2: 501 for a method that a server does not know at all."""


@check("wire", "50,000 nested lists or objects are rejected, and the server keeps running.")
def deep_nesting_is_refused(probe: Probe) -> str:
    shapes = {
        "open lists": b"[" * DEEP,
        "nested lists": b"[" * DEEP + b"]" * DEEP,
        "lists among the rows": b'{"data": ' + b"[" * DEEP + b"]" * DEEP + b"}",
        "nested objects": b'{"data": ' * DEEP + b"1" + b"}" * DEEP,
    }
    for what, body in shapes.items():
        refused(probe, body, what)
    lives_on(probe)
    return f"{', '.join(shapes)}, {DEEP:,} deep: rejected"


@check("wire", "A body that is too large is rejected quickly, and the next request is answered.")
def oversized_bodies_are_refused(probe: Probe) -> str:
    told = told_bytes(probe.described)
    tried = []
    for size in (told + 1,) if told else UNTOLD_BYTES:
        if size > SENT_MAX_BYTES:
            raise NotApplicable(f"the document allows {told:,} bytes, more than are sent here")
        body = valid_body(probe).ljust(size)
        exchange = _sent_or_cut_off(probe, body)
        if exchange and (exchange.status >= 500 or (told and exchange.status not in REFUSED)):
            raise Violation(f"{size:,} bytes got {exchange.shown}, expected 413", exchange)
        lives_on(probe)
        tried.append(f"{size:,} bytes: {exchange.status if exchange else 'cut off'}")
    return f"{', '.join(tried)}; the next request: 200"


SENT_MAX_BYTES = 65 * 2**20
UNTOLD_BYTES = (2**20 + 1, 17 * 2**20)
"""Where the document names no size, any may be taken or refused, and is answered one way or the other."""


def _sent_or_cut_off(probe: Probe, body: bytes) -> Exchange | None:
    """The answer; None where the server ends the connection, as it may (RFC 9110, 15.5.14). Raises Violation."""
    try:
        return probe.post(body)
    except Violation as e:
        if isinstance(e.__cause__, ConnectionError):
            return None
        raise


@check("wire", "HEAD, TRACE and unknown methods do not score, and nothing is echoed.")
def rare_methods_are_refused(probe: Probe) -> str:
    path = probe.described.score_path
    for method in (method for method in METHODS if method not in probe.described.operations):
        exchange = probe.send(method, path, None, probe.credential)
        if exchange.status not in UNKNOWN_METHOD:
            raise Violation(f"{method} {path} got {exchange.shown}, expected 405", exchange)
        if len(probe.target.key) >= KEY_MIN_CHARS and probe.target.key.encode() in exchange.reply:
            raise Violation(f"{method} {path} sends the key back", exchange)
    return f"{', '.join(METHODS)}: rejected"


@check("wire", "The key must match exactly, as one word, and only in the header.")
def only_the_key_itself_is_taken(probe: Probe) -> str:
    needs_key(probe)
    key = probe.target.key
    scheme = probe.described.scheme
    lookalikes = [
        scheme.wrong(key.lower(), "${SLIPWAY_KEY,,}"),
        scheme.wrong(key.upper(), "${SLIPWAY_KEY^^}"),
        scheme.wrong(f"{key} x", "$SLIPWAY_KEY x"),
        scheme.wrong(f"x, {scheme.word}{key}", f"x, {scheme.word}$SLIPWAY_KEY"),
        scheme.wrong(f"{scheme.word}{key}", f"{scheme.word}$SLIPWAY_KEY"),
    ]
    places = sorted({0, len(key) // 2, len(key) - 1})
    lookalikes += [scheme.wrong(*_one_letter_else(key, at)) for at in places]
    lookalikes += [Credential(f"Bearer{key}", "Bearer$SLIPWAY_KEY")] if scheme.bearer else []
    told = unauthorized(probe, *lookalikes)
    body, expected = valid_body(probe), denials(probe)
    for name in ("key", "api_key", "code", "access_token"):
        # The key itself in an address would be logged on its way; that of nobody shows as well who reads it there.
        exchange = probe.send("POST", f"{probe.described.score_path}?{name}=anything", body)
        if exchange.status not in expected:
            raise Violation(f"Without a header but with ?{name}=anything: {exchange.shown}, expected 401", exchange)
    return told


def _one_letter_else(key: str, at: int) -> tuple[str, str]:
    """The key with another letter there, and how a shell makes it."""
    other = "x" if key[at] != "x" else "y"
    return f"{key[:at]}{other}{key[at + 1 :]}", f"${{SLIPWAY_KEY:0:{at}}}{other}${{SLIPWAY_KEY:{at + 1}}}"


@check("wire", "An answer is declared as JSON, and is JSON.")
def answers_are_json(probe: Probe) -> str:
    exchange = probe.post(valid_body(probe))
    exchange.json()
    told = exchange.reply_headers.get("content-type", "")
    if exchange.status == 200 and not re.match(r"application/(\w+\+)?json\b", told):
        raise Violation(f"A JSON answer is sent as '{told}'", exchange, cause=KIND)
    return f"sent as {told}"


@check("wire", "An address with an extra slash gets 404; it is neither scored nor redirected.")
def other_spellings_of_the_path_do_not_score(probe: Probe) -> str:
    body = valid_body(probe)
    spellings = (f"{probe.described.score_path}/extra", f"{probe.described.score_path}.json")
    for path in spellings:
        exchange = probe.send("POST", path, body, probe.credential)
        if exchange.status not in (404, 405):
            raise Violation(f"POST {path} got {exchange.shown}, expected 404", exchange)
    return f"{', '.join(spellings)}: not found"
