"""What errors say, and what they must not."""

from core.checks.asking.refusals import refusals
from core.checks.document.security import KEY_MIN_CHARS
from core.checks.effort import Profile
from core.checks.outcome import ERRORS, NotApplicable, Violation
from core.checks.probe.probe import Probe
from core.checks.registry import check

MESSAGES = ("message", "detail", "error", "title", "reason")
"""What the property of an error that says what is wrong is called."""
TRACES = (b"Traceback (most recent call last)", b'File "/', b'.py", line ', b"\\n    at ", b"site-packages")


@check("wire", "Every error is a JSON object with a message, as the document promises.")
def errors_have_one_shape(probe: Probe) -> str:
    fields = {"message"} if probe.profile is Profile.SLIPWAY else probe.described.error_fields
    name = next((name for name in MESSAGES if name in fields), "")
    if not name:
        raise NotApplicable("the document describes no error with a message")
    seen = set()
    for exchange in refusals(probe):
        if not probe.promised(exchange, name):
            continue
        try:
            reply = exchange.json()
        except Violation as e:
            raise Violation(e.evidence, exchange, cause=ERRORS) from e
        message = reply.get(name) if isinstance(reply, dict) else None
        if not message or (name == "message" and not isinstance(message, str)):
            raise Violation(f"An error without a message: {exchange.shown}", exchange, cause=ERRORS)
        if not exchange.reply_headers.get("content-type", "").startswith("application/json"):
            told = exchange.reply_headers.get("content-type")
            raise Violation(f"An error as {told!r}: {exchange.shown}", exchange, cause=ERRORS)
        seen.add(exchange.status)
    return f"{', '.join(map(str, sorted(seen)))}: JSON with a message"


@check("wire", "No error shows a stack trace, a file path of the server, or the key.")
def errors_leak_nothing(probe: Probe) -> str:
    tried = 0
    for exchange in refusals(probe):
        key = probe.target.key.encode()
        for secret in (*TRACES, *((key,) if len(key) >= KEY_MIN_CHARS else ())):
            if secret in exchange.reply:
                shown = "the key" if secret == key else secret.decode()
                raise Violation(f"A {exchange.status} answer holds {shown!r}", exchange)
        tried += 1
    return f"{tried} errors: no trace, no path, no key"
