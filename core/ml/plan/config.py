"""One configuration to try, and what of its parameters is the plan's own."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.algorithms import Algorithm
from core.ml.task import PLANNED, ROUNDS, Param, Params


@dataclass(frozen=True, slots=True)
class Config:
    """One configuration to try."""

    algorithm: Algorithm
    params: Params

    @property
    def key(self) -> tuple[str, tuple[tuple[str, Param], ...]]:
        """Equal for the same configuration."""
        return key(self.algorithm, self.params)


def key(algorithm: str, params: Mapping[str, Param]) -> tuple[str, tuple[tuple[str, Param], ...]]:
    """Comparable, without what the training found out itself."""
    return str(algorithm), tuple(sorted((name, value) for name, value in params.items() if name != ROUNDS))


def own(params: Params) -> Params:
    """Only what the algorithm and its features are set to."""
    return {name: value for name, value in params.items() if name != ROUNDS and name not in PLANNED}
