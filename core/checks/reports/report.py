"""What one run of the checks is told as, whatever the format."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.domain.proof import CheckResult

KNOWN = "known deviation"


class Verdict(StrEnum):
    """How a check ended, in the words of a report."""

    HOLDS = "holds"
    VIOLATED = "violated"
    KNOWN = "known deviation"
    NOT_APPLICABLE = "not applicable"
    NO_VERDICT = "no verdict"


SEVERAL = {Verdict.HOLDS: "hold", Verdict.KNOWN: "known deviations"}
PARTS = {
    "contract": "What the document allows is answered, what it forbids is rejected, and every answer is as described.",
    "semantic": "The answers make sense for any model: rows, order, probabilities, classes.",
    "wire": "Faulty requests (keys, bodies, headers, paths) are handled properly.",
}
"""Each part in plain words."""
TITLES = {"contract": "Contract", "semantic": "Semantics", "wire": "Protocol"}
"""What people call each part; JSON, JUnit and the command line's lines keep the names that programs know."""


@dataclass(frozen=True, slots=True)
class Report:
    """All results of one run, with what is needed to run it again."""

    url: str
    deployment: str
    profile: str
    depth: str
    seed: int
    created_at: float
    """Unix time at its start."""
    results: Sequence[CheckResult]
    seconds: Sequence[float]
    """How long each result took."""

    @property
    def verdict(self) -> Verdict:
        verdicts = {verdict_of(result) for result in self.results}
        return next((v for v in (Verdict.VIOLATED, Verdict.NO_VERDICT) if v in verdicts), Verdict.HOLDS)

    @property
    def command(self) -> str:
        """The command that runs it again."""
        words = ["python -m core contract", self.url, f"--profile {self.profile}", f"--seed {self.seed}"]
        words += [f"--depth {self.depth}"] if self.depth != "default" else []
        return " ".join(words + ([f"--deployment {self.deployment}"] if self.deployment else []))

    def count(self, verdict: Verdict, part: str = "") -> int:
        """How many checks (of a part) ended so."""
        return sum(verdict_of(result) is verdict for result in self.results if part in ("", result.part))

    @property
    def summary(self) -> str:
        """How many checks ended how, in one line."""
        counts = [(self.count(verdict), SEVERAL.get(verdict, verdict)) for verdict in Verdict]
        return ", ".join(f"{count} {words}" for count, words in counts if count)


def verdict_of(result: CheckResult) -> Verdict:
    """How this check ended."""
    if result.passed is not None:
        return Verdict.HOLDS if result.passed else Verdict.VIOLATED
    if result.no_verdict:
        return Verdict.NO_VERDICT
    return Verdict.KNOWN if result.evidence.startswith(KNOWN) else Verdict.NOT_APPLICABLE
