"""A member with what it reads, and the mean of several."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.predict.arrays import Array
from core.predict.members import Member
from core.predict.steps import Step, widened


@dataclass(frozen=True, slots=True)
class Part:
    """A member with the steps that widen its matrix; one of a bag's folds has a share of it."""

    member: Member
    share: float = 1.0
    steps: tuple[Step, ...] = ()


def bagged(parts: Sequence[Part], matrix: Array) -> Array:
    """The weighted mean of what the parts say of the encoded matrix."""
    total = parts[0].share * parts[0].member.probabilities(widened(matrix, parts[0].steps))
    for part in parts[1:]:
        total += part.share * part.member.probabilities(widened(matrix, part.steps))
    return np.asarray(total)
