"""Answers to rows as checks compare them: the finest that there are, and whether two are the same."""

import math
from collections.abc import Sequence
from typing import Any

from core.checks.outcome import NotApplicable, Violation
from core.checks.probe.exchange import Exchange
from core.checks.probe.probe import Probe
from core.domain.signature import Scalar

SAME = 1e-9
"""Two numbers for one row may differ by this much, or this part of them: batches may add up in another order."""


def answers(probe: Probe, rows: Sequence[dict[str, Any]]) -> tuple[list[Any], Exchange]:
    """The finest answers there are: probabilities where the endpoint gives them, else labels."""
    return probe.score(rows, method_of(probe, "predict_proba") or method_of(probe, "predict"))


def method_of(probe: Probe, method: str) -> str | None:
    """The method, where the document offers it."""
    return method if method in probe.described.methods else None


def same(one: Any, other: Any) -> bool:
    """Whether two answers are equal, probabilities up to `SAME`."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, float) and isinstance(other, int | float) and not isinstance(other, bool):
        return math.isclose(one, other, rel_tol=SAME, abs_tol=SAME)
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def difference(some: Sequence[Any], others: Sequence[Any]) -> int | None:
    """Where two lists of answers differ first; None where they do not."""
    pairs = enumerate(zip(some, others, strict=True))
    return next((at for at, (one, other) in pairs if not same(one, other)), None)


def published_classes(probe: Probe) -> tuple[Scalar, ...]:
    """Raises NotApplicable where there are none."""
    if not probe.described.signature.classes:
        raise NotApplicable("the document does not list the classes (x-classes)")
    return probe.described.signature.classes


def chances_of(chance: Any, classes: Sequence[Scalar], exchange: Exchange) -> list[float]:
    """An answer as probabilities. Raises Violation where it is none."""
    numbers = isinstance(chance, list) and all(isinstance(value, int | float) for value in chance)
    if not numbers or (classes and len(chance) != len(classes)):
        raise Violation(f"Expected one probability for each of {len(classes)} classes, got {chance}", exchange)
    return list(chance)
