"""What a trained learner becomes: plain arrays that numpy evaluates, with no learner installed."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from core.predict.arrays import AnyArray, Array
from core.predict.forest import Forest
from core.predict.linear import Linear

__all__ = ["KINDS", "AnyArray", "Array", "Forest", "Linear", "Member"]


class Member(Protocol):
    """One part of a model: probabilities from the encoded matrix."""

    kind: ClassVar[str]

    def probabilities(self, matrix: Array) -> Array:
        """Rows x classes, each row summing to 1."""

    def arrays(self) -> dict[str, AnyArray]:
        """Everything large, for `arrays.npz`."""

    def meta(self) -> dict[str, Any]:
        """Everything small, for `model.json`."""


KINDS: Mapping[str, type[Forest] | type[Linear]] = {Forest.kind: Forest, Linear.kind: Linear}
