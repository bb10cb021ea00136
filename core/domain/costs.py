"""What the decisions of a model cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.errors import SpecInvalid
from core.domain.rules import check_number, shown
from core.domain.signature import Scalar

COST_MAX = 1e12
NAMES = ("actual", "predicted", "cost")


@dataclass(frozen=True, slots=True)
class Cost:
    """What it costs (or, below 0, earns) to predict one class where another, or the same, is right."""

    actual: Scalar
    predicted: Scalar
    cost: float

    def __post_init__(self) -> None:
        check_number(f"The cost of predicting {self.predicted!r} for {self.actual!r}", self.cost, -COST_MAX, COST_MAX)


def costs_of(given: Any) -> tuple[Cost, ...]:
    """Costs as JSON and YAML have them, a list of `{actual, predicted, cost}`. Raises SpecInvalid."""
    if isinstance(given, str) or not isinstance(given, list | tuple):
        raise SpecInvalid(f"The cost matrix is {shown(given)}, expected a list of actual, predicted and cost")
    return tuple(_cost(entry) for entry in given)


def _cost(entry: Any) -> Cost:
    if not isinstance(entry, Mapping) or set(entry) != set(NAMES):
        raise SpecInvalid(
            f"The cost matrix has {shown(entry)}, expected actual, predicted and cost",
            hint='Such as {actual: "yes", predicted: "no", cost: 5}',
        )
    if not all(isinstance(entry[name], str | int | float) for name in NAMES[:2]):
        raise SpecInvalid(f"The cost matrix has {shown(entry)}, expected two classes of the target")
    return Cost(**entry)
