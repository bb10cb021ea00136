"""What each kind of step takes and gives, in types: the settings after a run's parameters are in, inputs, outputs."""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, get_type_hints

from core.domain.algorithms import ENSEMBLES
from core.domain.data import DataRef
from core.domain.endpoint import DeploymentSpec, EndpointSpec
from core.domain.errors import SpecInvalid
from core.domain.metrics import PRIMARY_METRICS, REGRESSION_METRICS
from core.domain.names import check_name
from core.domain.parameters import converted, words
from core.domain.pipeline import ParameterType, StepKind, ValueType
from core.domain.proof import DEPTHS
from core.domain.rules import check_number, check_text, shown
from core.domain.training import Algorithm, Sampling, Task, TrainingSpec

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
class AutomlSettings:
    """Search for a model; as a `TrainingSpec`, whose defaults these are."""

    target: str
    timeout_s: float = 60.0
    primary_metric: str = ""
    task: str = "classification"
    exclude: tuple[str, ...] = ()
    allowed_training_algorithms: tuple[str, ...] = ()
    blocked_training_algorithms: tuple[str, ...] = ()
    max_trials: int = 1000
    max_concurrent_trials: int = 0
    trial_timeout_s: float = 0.0
    enable_early_termination: bool = True
    enable_vote_ensemble: bool = True
    enable_stack_ensemble: bool = True
    sampling_algorithm: str = ""
    n_cross_validations: int = 0
    validation_share: float = 0.0
    max_predict_ms: float = 0.0
    seed: int = 7
    compute: str = "local"
    model_name: str = ""
    engine: str = "portfolio"
    algorithms: tuple[str, ...] = ()
    """The name of `allowed_training_algorithms` before 0.7.0, when it named the vote too."""
    folds: int = 0
    """The name of `n_cross_validations` before 0.7.0."""

    def __post_init__(self) -> None:
        self.training(DataRef("the prepared table"))

    def training(self, data: DataRef) -> TrainingSpec:
        """What to train on a table. Raises SpecInvalid."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        older, folds = given.pop("algorithms"), given.pop("folds")
        allowed = self.allowed_training_algorithms or tuple(a for a in older if a not in ENSEMBLES)
        return TrainingSpec(
            data=data,
            **given
            | {
                "allowed_training_algorithms": _algorithms(allowed),
                "blocked_training_algorithms": _algorithms(self.blocked_training_algorithms),
                "enable_vote_ensemble": self.enable_vote_ensemble and (not older or Algorithm.VOTING_ENSEMBLE in older),
                "n_cross_validations": self.n_cross_validations or folds,
                "task": _member(Task, "task", self.task),
                "sampling_algorithm": _member(Sampling, "sampling algorithm", self.sampling_algorithm),
            },
        )


E = TypeVar("E", bound=StrEnum)


def _member(kind: type[E], noun: str, name: str) -> E:
    if name not in tuple(kind):
        raise SpecInvalid(f"There is no {noun} '{name}'", hint=f"One of: {', '.join(filter(None, kind))}")
    return kind(name)


def _algorithms(names: tuple[str, ...]) -> tuple[Algorithm, ...]:
    return tuple(_member(Algorithm, "algorithm", name) for name in names)


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


StepSettings = (
    PrepareSettings
    | GuardrailsSettings
    | AutomlSettings
    | EvaluateSettings
    | RegisterSettings
    | DeploySettings
    | GateSettings
    | PromoteSettings
    | CommandSettings
    | PythonSettings
)


@dataclass(frozen=True, slots=True)
class StepType:
    """One kind of step. An input that a definition does not name comes from the nearest earlier step that gives one."""

    label: str
    """What people call it."""
    settings: type[StepSettings]
    inputs: Mapping[str, ValueType] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    """Inputs that a step can do without."""
    outputs: Mapping[str, ValueType] = field(default_factory=dict)
    acts: bool = False
    """Whether it changes what others see: it is never reused."""
    own_code: bool = False
    """Whether it runs what the definition brings along."""


STEP_TYPES: Mapping[StepKind, StepType] = {
    StepKind.PREPARE: StepType(
        "Prepare the data",
        PrepareSettings,
        outputs={
            "data": ValueType.DATA,
            "holdout": ValueType.DATA,
            "rows": ValueType.INTEGER,
            "source": ValueType.STRING,
            "new": ValueType.BOOLEAN,
        },
    ),
    StepKind.GUARDRAILS: StepType(
        "Check the data",
        GuardrailsSettings,
        inputs={"data": ValueType.DATA},
        outputs={"alerts": ValueType.INTEGER, "checks": ValueType.JSON},
    ),
    StepKind.AUTOML: StepType(
        "Train",
        AutomlSettings,
        inputs={"data": ValueType.DATA},
        outputs={
            "job": ValueType.JOB,
            "algorithm": ValueType.STRING,
            "metrics": ValueType.JSON,
            "score": ValueType.NUMBER,
            "trials": ValueType.INTEGER,
        },
    ),
    StepKind.EVALUATE: StepType(
        "Compare with the live model",
        EvaluateSettings,
        inputs={"job": ValueType.JOB, "holdout": ValueType.DATA},
        optional=frozenset({"holdout"}),
        outputs={
            "better": ValueType.BOOLEAN,
            "reason": ValueType.STRING,
            "rows": ValueType.INTEGER,
            "difference": ValueType.NUMBER,
            "comparison": ValueType.JSON,
            "live": ValueType.STRING,
        },
    ),
    StepKind.REGISTER: StepType(
        "Register the best model",
        RegisterSettings,
        inputs={"job": ValueType.JOB},
        outputs={"model": ValueType.MODEL},
        acts=True,
    ),
    StepKind.DEPLOY: StepType(
        "Deploy",
        DeploySettings,
        inputs={"model": ValueType.MODEL},
        outputs={"deployment": ValueType.DEPLOYMENT},
        acts=True,
    ),
    StepKind.GATE: StepType(
        "Pass the gate",
        GateSettings,
        inputs={"deployment": ValueType.DEPLOYMENT},
        outputs={"report": ValueType.REPORT, "passed": ValueType.BOOLEAN},
        acts=True,
    ),
    StepKind.PROMOTE: StepType(
        "Promote",
        PromoteSettings,
        # The report of a gate before it is not read: a promotion waits for it.
        inputs={"deployment": ValueType.DEPLOYMENT, "report": ValueType.REPORT, "live": ValueType.STRING},
        optional=frozenset({"report", "live"}),
        outputs={"promoted": ValueType.BOOLEAN, "traffic": ValueType.JSON, "previous": ValueType.JSON},
        acts=True,
    ),
    StepKind.COMMAND: StepType("Run a command", CommandSettings, own_code=True),
    StepKind.PYTHON: StepType("Call a function", PythonSettings, own_code=True),
}
"""Every kind there is. Who does it stands in the backend's own table."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a kind of step."""

    type: ParameterType | None
    """None: any value of JSON."""
    required: bool

    def read(self, value: Any) -> Any:
        """The value as its type has it. Raises ValueError that says what was expected."""
        if self.type is None:
            return value
        return converted(self.type, words(value) if self.type is ParameterType.LIST else value)


@cache
def settings_of(kind: StepKind) -> Mapping[str, Setting]:
    """What a kind of step understands, by name."""
    of = STEP_TYPES[kind].settings
    hints = get_type_hints(of)
    return {
        f.name: Setting(
            f.metadata.get("type", _TYPES.get(hints[f.name])), f.default is MISSING and f.default_factory is MISSING
        )
        for f in fields(of)
    }


_TYPES: Mapping[Any, ParameterType] = {
    str: ParameterType.STRING,
    int: ParameterType.INTEGER,
    float: ParameterType.NUMBER,
    bool: ParameterType.BOOLEAN,
    tuple[str, ...]: ParameterType.LIST,
    tuple[Algorithm, ...]: ParameterType.LIST,
}


def typed(kind: StepKind, settings: Mapping[str, Any]) -> StepSettings:
    """A step's settings, with every parameter in, as what its kind takes. Raises SpecInvalid."""
    known, found = settings_of(kind), dict[str, Any]()
    if lacking := [name for name, setting in known.items() if setting.required and name not in settings]:
        raise SpecInvalid(f"Kind {kind} needs the setting '{lacking[0]}'")
    for name, value in settings.items():
        if name not in known:
            raise SpecInvalid(f"Kind {kind} has no setting '{name}'", hint=f"It has: {', '.join(known)}")
        try:
            made = known[name].read(value)
        except ValueError as e:
            raise SpecInvalid(f"'{name}' is {shown(value)}, expected {e}") from e
        found[name] = tuple(made) if known[name].type is ParameterType.LIST else made
    make: Callable[..., StepSettings] = STEP_TYPES[kind].settings
    return make(**found)
