"""From what a check tried to a verdict in words."""

from dataclasses import replace

from core.checks import azure
from core.checks.probe import Exchange, Probe
from core.checks.registry import Check, KnownDeviation, NotApplicable, Profile, Violation
from core.domain.errors import NoVerdict, ServiceUnavailable
from core.domain.proof import CheckResult

KEY_MIN_CHARS = 8
"""A shorter key is no secret, and its letters stand in ordinary words."""


def judge(check: Check, probe: Probe) -> CheckResult:
    """Run one check and put its outcome into words, the key nowhere in them; a bug in a check stays a traceback."""
    outcome, key = _judged(check, probe), probe.target.key
    if len(key) < KEY_MIN_CHARS:
        return outcome
    evidence, curl = (text.replace(key, "$SLIPWAY_KEY") for text in (outcome.evidence, outcome.curl))
    return replace(outcome, evidence=evidence, curl=curl)


def _judged(check: Check, probe: Probe) -> CheckResult:
    try:
        return result(check, True, check.run(probe))
    except Violation as e:
        if excuse := _excuse(check, e, probe):
            return result(check, None, f"known deviation ({excuse}): {e.evidence}")
        return result(check, False, e.evidence, "\n".join(request.curl(probe.target) for request in e.requests))
    except KnownDeviation as e:
        return result(check, None, f"known deviation ({e.name}): {e.evidence}")
    except NotApplicable as e:
        return result(check, None, f"not applicable: {e}")
    except (ServiceUnavailable, NoVerdict) as e:
        return result(check, None, f"no verdict: {e.message}", no_verdict=True)


def result(
    check: Check, passed: bool | None, evidence: str, curl: str = "", *, no_verdict: bool = False
) -> CheckResult:
    """The outcome of one check."""
    return CheckResult(check.name, check.part, passed, evidence, curl, no_verdict, check.about)


def _excuse(check: Check, violation: Violation, probe: Probe) -> str:
    """The name of the known deviation that explains a violation; empty where it is one."""
    answered = [request for request in violation.requests if isinstance(request, Exchange)]
    if probe.profile is not Profile.AZURE or not answered:
        return ""
    last = answered[-1]
    seen = azure.Seen(
        check=check.name,
        method=last.method,
        path=last.path,
        status=last.status,
        content_type=last.reply_headers.get("content-type", ""),
        body=last.body or b"",
        reply=last.reply,
        message=violation.evidence,
        keyed=bool(probe.target.key),
    )
    deviation = azure.known(seen)
    return deviation.name if deviation else ""
