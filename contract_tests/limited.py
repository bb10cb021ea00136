"""Correct servers that limit how much they take, and one that declares bounds without saying what it has observed."""

import json
from collections import deque
from collections.abc import Callable
from typing import Any

from contract_tests.reference import Reference, Refused, Reply, Request
from contract_tests.reference_document import BODY_MAX_MB, document

KB = 1024
BOUNDS = {"age": (16, 99), "balance": (-5_000.0, 50_000.0)}


class Limited(Reference):
    """Takes bodies of at most so many KB; whether its document says so is up to `documented`."""

    body_max_kb: int
    documented: bool

    def weigh(self, body: bytes) -> None:
        if len(body) > self.body_max_kb * KB:
            raise Refused(413, f"1 problem: the body has more than {self.body_max_kb} KB")

    def document(self, version: str) -> dict[str, Any]:
        told = json.dumps(super().document(version))
        size = f"{self.body_max_kb} KB" if self.documented else "some length"
        return dict(json.loads(told.replace(f"{BODY_MAX_MB} MB", size)))


def limited(body_max_kb: int, *, documented: bool) -> Callable[[], Reference]:
    """Makes a server with this limit."""

    class Some(Limited):
        pass

    Some.body_max_kb, Some.documented = body_max_kb, documented
    return Some


class Bounded(Reference):
    """Declares `minimum` and `maximum`, keeps to them, and says nothing of what it has observed."""

    def document(self, version: str) -> dict[str, Any]:
        return with_bounds(document(version))

    def accepts(self, name: str, kind: str, value: Any) -> bool:
        low, high = BOUNDS.get(name, (None, None))
        return super().accepts(name, kind, value) and (low is None or high is None or low <= value <= high)


def with_bounds(node: Any) -> Any:
    """The document with bounds in place of what was observed."""
    if isinstance(node, list):
        return [with_bounds(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {name: with_bounds(value) for name, value in node.items() if name != "x-observed"}
    for name, (low, high) in BOUNDS.items():
        if isinstance(made.get(name), dict) and "type" in made[name]:
            made[name] |= {"minimum": low, "maximum": high}
    return made


class Paced(Reference):
    """Answers a few requests at once and tells whoever comes then to come again."""

    BURST, PAUSE = 300, "0"

    def __init__(self) -> None:
        self.answered: deque[int] = deque()

    def score(self, request: Request) -> Reply:
        if len(self.answered) >= self.BURST:
            self.answered.clear()
            reply = self.error(429, "Later", [])
            reply.headers["Retry-After"] = self.PAUSE
            return reply
        self.answered.append(1)
        return super().score(request)
