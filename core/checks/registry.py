"""What a check is, and the table of all checks in the order in which they run.

A check is one small function: it takes a `Probe`, tries one thing, and returns one sentence of evidence. It raises
`Violation` when the endpoint broke its word and `NotApplicable` when the document gives nothing to judge by.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from core.domain.proof import Target

if TYPE_CHECKING:
    from core.checks.probe.probe import Probe

CheckFunction = Callable[["Probe"], str]


class Profile(StrEnum):
    """What an endpoint is held to."""

    STRICT = "strict"
    """Its own document, HTTP and what scoring means: nothing that is only ours or only Azure's."""
    SLIPWAY = "slipway"
    """All of that, and docs/scoring-contract.md: headers, the shape of errors, operation ids."""
    AZURE = "azure"
    """As strict, less what Azure's own services are known to do otherwise, each deviation by name."""


LIMITED = (413, 414, 431)
"""Statuses that say that a body, an address or a head is larger than the server takes."""
REFUSED = (400, 422, *LIMITED)
"""Statuses that are right for what is wrong: they say so, or that a limit was met before anybody looked."""
SILENCE, BROKEN, GONE = "no answer", "a broken connection", "nobody who listens"
"""Causes by which a request gets no answer."""
EVERYWHERE = frozenset(Profile)
OURS = frozenset({Profile.SLIPWAY})


class Reproducible(Protocol):
    """Something that a reader can do again."""

    def curl(self, target: Target) -> str:
        """A shell command that sends the request again, the key taken from SLIPWAY_KEY."""


class Violation(Exception):
    """The endpoint broke its word: what was seen, what was expected, and the requests that show it.

    Several checks may meet one `cause`: it is told once, with how many met it. Empty: the check's own. A check
    that is `telling` knows what is at fault, and tells it rather than the first.
    """

    def __init__(self, evidence: str, *requests: Reproducible, cause: str = "", telling: bool = False) -> None:
        super().__init__(evidence)
        self.evidence, self.requests, self.cause, self.telling = evidence, requests, cause, telling


class NotApplicable(Exception):
    """The document does not say enough for this check to judge."""


class KnownDeviation(Exception):
    """The endpoint broke its word, in a way that the profile's baseline names."""

    def __init__(self, name: str, evidence: str) -> None:
        super().__init__(evidence)
        self.name, self.evidence = name, evidence


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is tried. `about` tells a reader in plain words what holds when it passes."""

    name: str
    part: str
    about: str
    run: CheckFunction
    profiles: frozenset[Profile] = EVERYWHERE
    """The profiles in which it judges; in the others it is not run at all."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How much is tried: rows in the largest batch, examples and seconds for generated requests, seconds for tries."""

    rows: int
    examples: int
    generated_s: float
    tries_s: float = 6.0
    """For what is tried column by column, all checks together. Some dozens a check are made however long they take."""
    cells: int = 40_000
    """Of the rows that are drawn from everywhere: wide ones are fewer."""
    everywhere_s: float = 1.5
    """One check takes so long for these rows at most; a slow endpoint gets fewer."""

    def for_columns(self, columns: int) -> "Depth":
        """Less time for each of these where a table is wide: what cannot be cut takes longer then."""
        part = max(LEAST_PART, min(1.0, WIDE / max(1, columns)))
        return replace(
            self,
            generated_s=self.generated_s * part,
            tries_s=self.tries_s * part,
            everywhere_s=self.everywhere_s * part,
        )


WIDE = 150
"""Tables of more columns are tried for a shorter time, down to this part of it."""
LEAST_PART = 0.4

DEPTHS = {"default": Depth(40, 15, 12.0), "full": Depth(200, 200, 120.0, 60.0, 400_000, 20.0)}
PARTS = ("contract", "semantic", "wire")

_TABLE: dict[str, Check] = {}


def check(
    part: str, about: str, *, name: str = "", profiles: frozenset[Profile] = EVERYWHERE
) -> Callable[[CheckFunction], CheckFunction]:
    """Enter a function into the table under its own name, or `name`. Two checks of one name are a mistake."""

    def enter(function: CheckFunction) -> CheckFunction:
        run = _where_something_is_accepted(function) if part == "wire" else function
        entry = Check(name or function.__name__, part, about, run, profiles)
        if entry.name in _TABLE:
            raise ValueError(f"There are two checks named {entry.name}")
        _TABLE[entry.name] = entry
        return function

    return enter


def _where_something_is_accepted(function: CheckFunction) -> CheckFunction:
    """The check, with no verdict where nothing at all is accepted: that bad requests are refused then says nothing."""

    def run(probe: "Probe") -> str:
        evidence = function(probe)
        probe.needs_acceptance()
        return evidence

    return run


def entered(profile: Profile | None = None) -> tuple[Check, ...]:
    """All checks that were entered so far and judge in this profile (None: in any), by part."""
    judging = [entry for entry in _TABLE.values() if profile is None or profile in entry.profiles]
    return tuple(sorted(judging, key=lambda entry: PARTS.index(entry.part)))
