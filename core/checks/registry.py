"""What a check is, and the table of all checks in the order in which they run.

A check is one small function: it takes a `Probe`, tries one thing, and returns one sentence of evidence. It raises
`Violation` when the endpoint broke its word and `NotApplicable` when the document gives nothing to judge by.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.checks.effort import EVERYWHERE, Profile
from core.checks.probe.probe import Probe

CheckFunction = Callable[[Probe], str]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is tried. `about` tells a reader in plain words what holds when it passes."""

    name: str
    part: str
    about: str
    run: CheckFunction
    profiles: frozenset[Profile] = EVERYWHERE
    """The profiles in which it judges; in the others it is not run at all."""
    module: str = ""
    """Where it stands."""


PARTS = ("contract", "semantic", "wire")

_TABLE: dict[str, Check] = {}


def check(
    part: str, about: str, *, name: str = "", profiles: frozenset[Profile] = EVERYWHERE
) -> Callable[[CheckFunction], CheckFunction]:
    """Enter a function into the table under its own name, or `name`. Two checks of one name are a mistake."""

    def enter(function: CheckFunction) -> CheckFunction:
        run = _where_something_is_accepted(function) if part == "wire" else function
        entry = Check(name or function.__name__, part, about, run, profiles, function.__module__)
        if entry.name in _TABLE:
            raise ValueError(f"There are two checks named {entry.name}")
        _TABLE[entry.name] = entry
        return function

    return enter


def _where_something_is_accepted(function: CheckFunction) -> CheckFunction:
    """The check, with no verdict where nothing at all is accepted: that bad requests are refused then says nothing."""

    def run(probe: Probe) -> str:
        evidence = function(probe)
        probe.needs_acceptance()
        return evidence

    return run


def entered(modules: Sequence[str], profile: Profile | None = None) -> tuple[Check, ...]:
    """The checks of these modules that judge in this profile (None: in any): by part, then as the modules come."""
    judging = [entry for entry in _TABLE.values() if profile is None or profile in entry.profiles]
    return tuple(sorted(judging, key=lambda entry: (PARTS.index(entry.part), modules.index(entry.module))))
