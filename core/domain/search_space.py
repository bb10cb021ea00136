"""A user's own search space: which values a hyperparameter may take, in the terms of Azure ML's sweeps."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from math import isfinite
from typing import Any

from core.domain.errors import SpecInvalid
from core.domain.rules import check_number, check_text, shown

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


EXAMPLE = '{"LightGBM": {"learning_rate": {"kind": "loguniform", "low": 0.01, "high": 0.3}}}'


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
            if not all(value is None or isinstance(value, str | int | float) for value in self.values):
                return "takes texts, numbers, true, false and null as values"
            if not all(isfinite(value) for value in self.values if isinstance(value, float)):
                return "takes finite numbers alone"
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


def space_of(given: Any) -> SearchSpace:
    """A search space as JSON and YAML have it: algorithm, hyperparameter, distribution. Raises SpecInvalid."""
    if not isinstance(given, Mapping) or not all(isinstance(params, Mapping) for params in given.values()):
        raise SpecInvalid(f"The search space is {shown(given)}", hint=f"Such as {EXAMPLE}")
    return {name: {param: _distribution(d) for param, d in params.items()} for name, params in given.items()}


def space_from_json(text: str) -> SearchSpace:
    """A search space as it is typed or kept in a file; empty text is none. Raises SpecInvalid."""
    try:
        given = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as e:
        raise SpecInvalid(f"The search space is not JSON: {e}", hint=f"Such as {EXAMPLE}") from e
    return space_of(given)


def _distribution(given: Any) -> Distribution:
    names = [each.name for each in fields(Distribution)]
    if not isinstance(given, Mapping) or "kind" not in given or any(name not in names for name in given):
        raise SpecInvalid(f"A distribution is {shown(given)}, expected {', '.join(names)}", hint=f"Such as {EXAMPLE}")
    if given["kind"] not in tuple(DistributionKind):
        known = ", ".join(DistributionKind)
        raise SpecInvalid(f"There is no distribution '{given['kind']}'", hint=f"One of: {known}")
    values = given.get("values", ())
    if not isinstance(values, list | tuple):
        raise SpecInvalid(f"The values of a distribution are {shown(values)}, expected a list")
    return Distribution(**{**given, "kind": DistributionKind(given["kind"]), "values": tuple(values)})
