"""What a check can say besides that all is well, and the causes that several checks may meet."""

from typing import Protocol

from core.domain.proof import Target

SILENCE, BROKEN, GONE = "no answer", "a broken connection", "nobody who listens"
"""Causes by which a request gets no answer."""
NOWHERE, ELSEWHERE, TWICE = "answers nowhere", "answers elsewhere", "encoded twice"
FAULT, MOVED, OPEN = "a fault of the server", "a redirect", "no key is needed"
LABELS, HEADERS, KIND, ERRORS = "type of labels", "required headers", "content type of answers", "shape of errors"


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
