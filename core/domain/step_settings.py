"""The settings of each kind of step but the training, after a run's parameters are in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.domain.endpoint import DeploymentSpec, EndpointSpec
from core.domain.errors import SpecInvalid
from core.domain.metrics import PRIMARY_METRICS, REGRESSION_METRICS
from core.domain.names import check_name
from core.domain.pipeline import ParameterType
from core.domain.proof import DEPTHS
from core.domain.rules import check_number, check_text, shown

TABLE: Mapping[str, Any] = {"type": ParameterType.DATA}
"""Metadata of a setting that names a table."""
FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
HOLDOUT_PCT_MAX = 50.0


@dataclass(frozen=True, slots=True)
class PrepareSettings:
    """Register a table as it is now; the same bytes give the version that exists."""

    data: str = field(metadata=TABLE)
    """A path, the name of a table that is known, or `NAME:VERSION` of a data asset."""
    target: str = ""
    name: str = ""
    """The data asset's name; empty: the table's."""
    holdout_pct: float = 0.0
    """So many percent of the rows, chosen by what stands in them, are kept from every training."""

    def __post_init__(self) -> None:
        check_text("data", self.data)
        if self.name:
            check_name("a data asset", self.name)
        check_number("holdout_pct", self.holdout_pct, 0, HOLDOUT_PCT_MAX)


@dataclass(frozen=True, slots=True)
class GuardrailsSettings:
    """Look at a table as a training would, and fail where it cannot be learned."""

    target: str
    exclude: tuple[str, ...] = ()
    stop_on_alert: bool = False
    """An alert fails the step too."""

    def __post_init__(self) -> None:
        check_text("target", self.target)


@dataclass(frozen=True, slots=True)
class EvaluateSettings:
    """Compare a training's best model with the one that is live, on rows that neither was trained on."""

    endpoint: str
    metric: str = ""
    """Empty: the training's primary metric."""
    confidence: float = 0.95
    """Of the interval of the gain; a model that is only as good is promoted in at most 1 - `confidence` of all runs."""
    data: str = ""
    """A data asset to compare on (`NAME` or `NAME:VERSION`); empty: the `holdout` input."""

    def __post_init__(self) -> None:
        EndpointSpec(self.endpoint)
        if self.metric and self.metric not in (known := (*PRIMARY_METRICS, *REGRESSION_METRICS)):
            raise SpecInvalid(f"Unknown metric '{self.metric}'", hint=f"One of: {', '.join(known)}")
        check_number("confidence", self.confidence, 0.5, 0.9999)


@dataclass(frozen=True, slots=True)
class RegisterSettings:
    """Register a training's best model under a name."""

    model: str

    def __post_init__(self) -> None:
        check_name("a model", self.model)


@dataclass(frozen=True, slots=True)
class DeploySettings:
    """Deploy a model to an endpoint with 0 % traffic, and wait until it is ready."""

    endpoint: str
    deployment: str = ""
    """Empty: `v` and the model's version."""

    def __post_init__(self) -> None:
        EndpointSpec(self.endpoint)
        DeploymentSpec(self.endpoint, "model", name=self.deployment)


@dataclass(frozen=True, slots=True)
class GateSettings:
    """Wait for the deployment's gate, which must pass."""

    depth: str = "default"

    def __post_init__(self) -> None:
        if self.depth not in DEPTHS:
            raise SpecInvalid(f"depth is {shown(self.depth)}, expected one of {', '.join(DEPTHS)}")


@dataclass(frozen=True, slots=True)
class PromoteSettings:
    """Give a deployment whose gate has passed all traffic."""


@dataclass(frozen=True, slots=True)
class CommandSettings:
    """Run a program; parameters are words of their own, never read by a shell, or stand in a file as `arguments`."""

    command: tuple[str, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """For its JSON file."""

    def __post_init__(self) -> None:
        _check_arguments(self.arguments)
        if not self.command or not self.command[0].strip():
            raise SpecInvalid("command is empty, expected a program and its arguments", hint='["python", "score.py"]')


@dataclass(frozen=True, slots=True)
class PythonSettings:
    """Call a Python function by keywords; it gives a mapping of its outputs."""

    function: str
    """`module:function`."""
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not FUNCTION.fullmatch(self.function):
            raise SpecInvalid(
                f"function is {shown(self.function)}, expected module:function", hint="For example score:main"
            )
        _check_arguments(self.arguments)


def _check_arguments(arguments: Any) -> None:
    if not isinstance(arguments, Mapping):
        raise SpecInvalid(f"arguments is {shown(arguments)}, expected a mapping of names to values")
