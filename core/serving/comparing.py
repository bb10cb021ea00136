"""Two models' answers to the same rows, one against the other."""

from typing import NamedTuple

import numpy as np

from core.contract.decision import decide
from core.domain.signature import Signature

ALIKE = 1e-6
"""Numbers that differ by less of their size are the same number."""


class Compared(NamedTuple):
    """How many rows are answered differently, and by how much: a row's largest difference of probabilities, or of its
    number.
    """

    different_rows: int
    difference_sum: float
    difference_max: float


def compared(
    signature: Signature, answered: np.ndarray, other_signature: Signature, other: np.ndarray
) -> Compared | None:
    """None where one model gives a number and the other a class, where the classes are others, or of other rows."""
    theirs = [(type(name), name) for name in other_signature.classes]
    ours = [(type(name), name) for name in signature.classes]
    if len(answered) != len(other) or sorted(map(repr, ours)) != sorted(map(repr, theirs)):
        return None
    if not len(answered):
        return Compared(0, 0.0, 0.0)
    if signature.regression:
        apart = np.abs(answered[:, 0] - other[:, 0])
        different = apart > ALIKE * np.maximum(1.0, np.abs(answered[:, 0]))
        return Compared(int(different.sum()), float(apart.sum()), float(apart.max()))
    apart = np.abs(answered - other[:, [theirs.index(name) for name in ours]]).max(axis=1)
    answers, others = decide(signature, answered), decide(other_signature, other)
    return Compared(sum(a != b for a, b in zip(answers, others, strict=True)), float(apart.sum()), float(apart.max()))
