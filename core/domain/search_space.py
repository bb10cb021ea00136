"""A user's own search space: which values a hyperparameter may take, in the terms of Azure ML's sweeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.domain.errors import SpecInvalid
from core.domain.rules import check_number, check_text

ParamValue = str | int | float | bool | None


class DistributionKind(StrEnum):
    """How values are drawn; the Q forms round to a multiple of `step`."""

    CHOICE = "choice"
    UNIFORM = "uniform"
    LOG_UNIFORM = "loguniform"
    NORMAL = "normal"
    RANDINT = "randint"
    Q_UNIFORM = "quniform"
    Q_LOG_UNIFORM = "qloguniform"
    Q_NORMAL = "qnormal"


RANGED = (
    DistributionKind.UNIFORM,
    DistributionKind.LOG_UNIFORM,
    DistributionKind.Q_UNIFORM,
    DistributionKind.Q_LOG_UNIFORM,
)
NORMALS = (DistributionKind.NORMAL, DistributionKind.Q_NORMAL)
ROUNDED = (DistributionKind.Q_UNIFORM, DistributionKind.Q_LOG_UNIFORM, DistributionKind.Q_NORMAL)


@dataclass(frozen=True, slots=True)
class Distribution:
    """The values of one hyperparameter. `low` and `high` are the values themselves, also of the logarithmic forms."""

    kind: DistributionKind
    values: tuple[ParamValue, ...] = ()
    """Of a choice."""
    low: float = 0.0
    high: float = 0.0
    """Both ends of a range; of randint, whole numbers from 0 to below `high`."""
    mean: float = 0.0
    deviation: float = 0.0
    step: float = 0.0
    """Of the Q forms: what values are multiples of."""

    def __post_init__(self) -> None:
        if self.kind not in tuple(DistributionKind):
            known = ", ".join(DistributionKind)
            raise SpecInvalid(f"There is no distribution '{self.kind}'", hint=f"One of: {known}")
        for name in ("low", "high", "mean", "deviation", "step"):
            check_number(f"{name} of a distribution", getattr(self, name), -1e300, 1e300)
        if problem := self._problem():
            raise SpecInvalid(f"A {self.kind} distribution {problem}")

    def _problem(self) -> str:
        if self.kind is DistributionKind.CHOICE:
            return "" if self.values else "needs at least one value"
        if self.kind is DistributionKind.RANDINT:
            return (
                "" if self.high >= 1 and self.high == int(self.high) else "needs a whole number of at least 1 as high"
            )
        if self.kind in NORMALS and self.deviation <= 0:
            return f"needs a deviation above 0, got {self.deviation:g}"
        if self.kind in RANGED and self.low >= self.high:
            return f"needs a low below its high, got {self.low:g} and {self.high:g}"
        if self.kind in (DistributionKind.LOG_UNIFORM, DistributionKind.Q_LOG_UNIFORM) and self.low <= 0:
            return f"needs a low above 0, got {self.low:g}"
        if self.kind in ROUNDED and self.step <= 0:
            return f"needs a step above 0, got {self.step:g}"
        return ""


SearchSpace = Mapping[str, Mapping[str, Distribution]]
"""By algorithm, then by its hyperparameter."""


def check_space(space: SearchSpace, algorithms: tuple[str, ...]) -> None:
    """Raises SpecInvalid for an algorithm that is none, and for one without hyperparameters."""
    for algorithm, params in space.items():
        if algorithm not in algorithms:
            raise SpecInvalid(
                f"The search space names the algorithm '{algorithm}'", hint=f"One of: {', '.join(algorithms)}"
            )
        if not params:
            raise SpecInvalid(f"The search space of {algorithm} has no hyperparameter")
        for name in params:
            check_text(f"A hyperparameter of {algorithm}", name)
