"""The clock of an emulation of Azure ML, from inside its variables: what time it is there, and winding it forward."""

import re
import ssl
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from core.cli.command import Command, Context, arg
from core.domain.errors import ServiceUnavailable, SpecInvalid

ADDRESS = "https://emulation.slipway.internal/clock"
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
TIMEOUT_S = 20.0
HINT = "Run it inside: python -m core azure emulate -- ..., or after its shell lines"


def duration_s(text: str) -> float:
    """`1d`, `90m` or `1h30m` in seconds. Raises SpecInvalid."""
    parts = PART.findall(text.lower())
    if not parts or PART.sub("", text.lower()).strip():
        raise SpecInvalid(f"'{text}' is no duration", hint="For example 1d, 90m, or 1h30m")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def _clock(context: Context, options: Namespace) -> Any:
    if options.action == "show":
        return _asked(context.environ, ADDRESS, None)
    if not options.duration:
        raise SpecInvalid("Say how far to wind it forward", hint="For example 1d")
    return _asked(context.environ, f"{ADDRESS}/forward", {"seconds": duration_s(options.duration)})


def _asked(environ: Mapping[str, str], address: str, body: Mapping[str, float] | None) -> Any:
    proxy, bundle = environ.get("HTTPS_PROXY", ""), environ.get("SSL_CERT_FILE", "")
    if not proxy or not bundle:
        raise ServiceUnavailable("There is no emulation in this environment", hint=HINT)
    import httpx

    try:
        with httpx.Client(proxy=proxy, verify=ssl.create_default_context(cafile=bundle), timeout=TIMEOUT_S) as client:
            answer = client.get(address) if body is None else client.post(address, json=dict(body))
    except (httpx.HTTPError, OSError) as e:
        raise ServiceUnavailable(f"The emulation does not answer: {e}", hint=HINT) from e
    if answer.is_error:
        raise SpecInvalid(answer.json()["error"]["message"])
    return answer.json()


COMMANDS = (
    Command(
        "azure clock",
        "show the emulation's clock, or wind it forward so that schedules become due",
        _clock,
        (
            arg("action", choices=("show", "forward"), help="what to do"),
            arg("duration", nargs="?", help="forward: how far, such as 1d, 90m or 1h30m"),
        ),
    ),
)
