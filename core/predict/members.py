"""What a trained learner becomes: plain arrays that numpy evaluates, with no learner installed."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from core.predict.arrays import AnyArray, Array
from core.predict.forest import Forest
from core.predict.linear import Linear
from core.predict.neighbors import Neighbors
from core.predict.network import Network

__all__ = ["KINDS", "AnyArray", "Array", "Forest", "Linear", "Member", "Neighbors", "Network"]


class Member(Protocol):
    """One part of a model: probabilities from the encoded matrix; of a regression, numbers."""

    kind: ClassVar[str]

    def probabilities(self, matrix: Array) -> Array:
        """Rows x classes, each row summing to 1; of a regression, rows x 1."""

    def arrays(self) -> dict[str, AnyArray]:
        """Everything large, for `arrays.npz`."""

    def meta(self) -> dict[str, Any]:
        """Everything small, for `model.json`."""


class MemberKind(Protocol):
    """A class of members, as a model folder is read."""

    def from_arrays(self, meta: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> Member:
        """The member that `meta` and `arrays` described. Raises ModelUnreadable."""


KINDS: Mapping[str, MemberKind] = {kind.kind: kind for kind in (Forest, Linear, Network, Neighbors)}
"""Every kind there is, by the name in `model.json`."""
