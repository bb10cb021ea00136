"""How the probabilities of several models become one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from core.domain.errors import ModelUnreadable
from core.predict.arrays import Array


class Combination(Protocol):
    """From what each model of an ensemble says to what the ensemble says."""

    kind: ClassVar[str]

    def combined(self, said: Sequence[Array]) -> Array:
        """Rows x outputs from as many of them as there are models."""

    def meta(self) -> dict[str, Any]:
        """For `model.json`."""


class CombinationKind(Protocol):
    """A class of combinations, as a model folder is read."""

    def from_meta(self, meta: Mapping[str, Any]) -> Combination:
        """The combination that `meta` described. Raises ModelUnreadable."""


@dataclass(frozen=True, slots=True)
class Vote:
    """The weighted mean; of a single model with weight 1 the very numbers that it gives."""

    kind: ClassVar[str] = "vote"

    weights: tuple[float, ...] = (1.0,)

    def combined(self, said: Sequence[Array]) -> Array:
        """See `Combination.combined`."""
        total = self.weights[0] * said[0]
        for weight, one in zip(self.weights[1:], said[1:], strict=True):
            total += weight * one
        return np.asarray(total)

    def meta(self) -> dict[str, Any]:
        """See `Combination.meta`."""
        return {"weights": list(self.weights)}

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> "Vote":
        """The vote that `meta` described. Raises ModelUnreadable."""
        try:
            return cls(tuple(float(weight) for weight in meta["weights"]))
        except (KeyError, TypeError, ValueError) as e:
            raise ModelUnreadable("The weights of the model's vote are damaged", hint="Register the model again") from e


COMBINATIONS: Mapping[str, CombinationKind] = {Vote.kind: Vote}
"""Every kind there is, by the name in `model.json`."""
