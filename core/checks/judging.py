"""From what a check tried to a verdict in words: one cause is told once, however many checks meet it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from core.checks import azure
from core.checks.asking.answers import same
from core.checks.document.replies import lasting
from core.checks.document.security import KEY_MIN_CHARS
from core.checks.effort import Profile
from core.checks.outcome import GONE, SILENCE, KnownDeviation, NotApplicable, Violation
from core.checks.probe.exchange import Exchange
from core.checks.probe.probe import Probe
from core.checks.registry import Check
from core.domain.errors import NoVerdict, ServiceUnavailable
from core.domain.proof import CheckResult

SILENT_MAX = 3
"""After so many checks in a row without an answer, the others are not tried: each would wait as long."""
OF_REFUSALS = ("errors_leak_nothing",)
"""What can be judged where no valid row is scored."""
UNSTEADY = "unsteady"
TRIES = 2


class Outcome(NamedTuple):
    """What a check came to. Outcomes of one `cause` are one, told by the first that is `telling`, else by the first."""

    check: Check
    told: CheckResult
    cause: str = ""
    telling: bool = False

    @property
    def precedence(self) -> tuple[bool, bool]:
        """The higher tells: what is broken before what could not be judged, and a check that names the fault."""
        return self.told.passed is False, self.telling


def judge(check: Check, probe: Probe) -> CheckResult:
    """Run one check and put its outcome into words, the key nowhere in them; a bug in a check stays a traceback."""
    return _judged(check, probe).told


def judged(checks: Sequence[Check], probe: Probe) -> Iterator[CheckResult]:
    """The outcome of each check as it lands, and at the end those that met a cause which several may meet.

    One of these tells it, with how many met it; the others point at that one.
    """
    held: list[Outcome] = []
    silent: list[str] = []
    for check in checks:
        given_up = len(silent) == SILENT_MAX
        outcome = _unheard(check, silent[-1]) if given_up else _judged(check, probe)
        silent = silent if given_up else [*silent, outcome.cause] if outcome.cause in (SILENCE, GONE) else []
        if outcome.cause:
            held.append(outcome)
        else:
            yield outcome.told
    yield from _told_once(held)


def _told_once(held: Sequence[Outcome]) -> Iterator[CheckResult]:
    met = Counter(outcome.cause for outcome in held)
    by: dict[str, Outcome] = {}
    for outcome in held:
        known = by.setdefault(outcome.cause, outcome)
        by[outcome.cause] = outcome if outcome.precedence > known.precedence else known
    for outcome in held:
        teller = by[outcome.cause]
        if teller is not outcome:
            yield result(outcome.check, None, f"not applicable: see {teller.check.name}, which met the same")
        elif met[outcome.cause] == 1:
            yield outcome.told
        else:
            evidence = f"{outcome.told.evidence} (one cause, met by {met[outcome.cause]} checks)"
            yield replace(outcome.told, evidence=evidence)


def result(
    check: Check, passed: bool | None, evidence: str, curl: str = "", *, no_verdict: bool = False
) -> CheckResult:
    """The outcome of one check."""
    return CheckResult(check.name, check.part, passed, evidence, curl, no_verdict, check.about)


def _unheard(check: Check, cause: str) -> Outcome:
    return Outcome(check, result(check, None, "not applicable: the endpoint no longer answers"), cause)


def _judged(check: Check, probe: Probe) -> Outcome:
    outcome, key = _outcome(check, probe), probe.target.key
    if len(key) < KEY_MIN_CHARS:
        return outcome
    evidence, curl = (text.replace(key, "$SLIPWAY_KEY") for text in (outcome.told.evidence, outcome.told.curl))
    return outcome._replace(told=replace(outcome.told, evidence=evidence, curl=curl))


def _outcome(check: Check, probe: Probe) -> Outcome:
    try:
        if probe.shut is not None and check.part != "contract" and check.name not in OF_REFUSALS:
            raise probe.shut
        return Outcome(check, result(check, True, check.run(probe)))
    except Violation as e:
        return _violated(check, e, probe)
    except KnownDeviation as e:
        return Outcome(check, result(check, None, f"known deviation ({e.name}): {e.evidence}"))
    except NotApplicable as e:
        return Outcome(check, result(check, None, f"not applicable: {e}"))
    except (ServiceUnavailable, NoVerdict) as e:
        cause = GONE if isinstance(e, ServiceUnavailable) else _why(e, probe)
        return Outcome(check, result(check, None, f"no verdict: {e.message}", no_verdict=True), cause)


def _why(undecided: NoVerdict, probe: Probe) -> str:
    """What keeps a check from its verdict: where no valid row is scored, that."""
    shut = probe.shut or undecided
    return shut.cause if isinstance(shut, Violation) else shut.message


def _violated(check: Check, violation: Violation, probe: Probe) -> Outcome:
    evidence, cause = violation.evidence, violation.cause
    if excuse := _excuse(check, violation, probe):
        return Outcome(check, result(check, None, f"known deviation ({excuse}): {evidence}"), cause)
    if not cause and _unsteady(violation, probe):
        evidence, cause = f"The same request got a different answer the second time. {evidence}", UNSTEADY
    curl = "\n".join(request.curl(probe.target) for request in violation.requests)
    return Outcome(check, result(check, False, evidence, curl), cause, violation.telling)


def _unsteady(violation: Violation, probe: Probe) -> bool:
    """Whether the answers that a check compared differ from those to the very same requests a moment later."""
    path = probe.described.score_path
    compared = [each for each in violation.requests if isinstance(each, Exchange)]
    compared = [each for each in compared if (each.method, each.path, each.status) == ("POST", path, 200)]
    if len(compared) < 2:
        return False
    try:
        return any(_changed(each, probe) for each in (compared[0], compared[-1]) for _ in range(TRIES))
    except (Violation, ServiceUnavailable):
        return False


def _changed(before: Exchange, probe: Probe) -> bool:
    after = probe.post(before.body or b"")
    return after.status != before.status or not same(lasting(before.json()), lasting(after.json()))


def _excuse(check: Check, violation: Violation, probe: Probe) -> str:
    """The name of the known deviation that explains a violation; empty where it is one."""
    answered = [request for request in violation.requests if isinstance(request, Exchange)]
    if probe.profile is not Profile.AZURE or not answered:
        return ""
    last = answered[-1]
    seen = azure.Objection(
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
