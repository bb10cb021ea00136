"""What each kind of step takes and gives, in types: the settings after a run's parameters are in, inputs, outputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.domain.pipeline import StepKind, ValueType


@dataclass(frozen=True, slots=True)
class PrepareSettings:
    """Register a table as it is now; the same bytes give the version that exists."""

    data: str
    target: str = ""
    name: str = ""
    """The data asset's name; empty: the table's."""
    holdout_pct: float = 0.0
    """So many percent of the rows, chosen by what stands in them, are kept from every training."""


@dataclass(frozen=True, slots=True)
class GuardrailsSettings:
    """Look at a table as a training would, and fail where it cannot be learned."""

    target: str
    exclude: tuple[str, ...] = ()
    stop_on_alert: bool = False
    """An alert fails the step too."""


@dataclass(frozen=True, slots=True)
class AutomlSettings:
    """Search for a model; as a `TrainingSpec`."""

    target: str
    timeout_s: float = 60.0
    primary_metric: str = "AUC_weighted"
    exclude: tuple[str, ...] = ()
    max_trials: int | None = None
    folds: int = 0
    seed: int = 0
    compute: str = "local"
    model_name: str = ""


@dataclass(frozen=True, slots=True)
class EvaluateSettings:
    """Compare a training's best model with the one that is live, on rows that neither was trained on."""

    endpoint: str
    metric: str = ""
    """Empty: the training's primary metric."""
    confidence: float = 0.95


@dataclass(frozen=True, slots=True)
class RegisterSettings:
    """Register a training's best model under a name."""

    model: str


@dataclass(frozen=True, slots=True)
class DeploySettings:
    """Deploy a model to an endpoint with 0 % traffic, and wait until it is ready."""

    endpoint: str
    deployment: str = ""
    """Empty: `v` and the model's version."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """Wait for the deployment's gate, which must pass."""

    depth: str = "default"


@dataclass(frozen=True, slots=True)
class PromoteSettings:
    """Give a deployment whose gate has passed all traffic."""


@dataclass(frozen=True, slots=True)
class CommandSettings:
    """Run a program; parameters are words of their own, never read by a shell."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PythonSettings:
    """Call a Python function by keywords; it gives a mapping of its outputs."""

    function: str
    """`module:function`."""
    arguments: Mapping[str, Any] = field(default_factory=dict)


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
        inputs={"deployment": ValueType.DEPLOYMENT, "live": ValueType.STRING},
        optional=frozenset({"live"}),
        outputs={"promoted": ValueType.BOOLEAN, "traffic": ValueType.JSON, "previous": ValueType.JSON},
        acts=True,
    ),
    StepKind.COMMAND: StepType("Run a command", CommandSettings, own_code=True),
    StepKind.PYTHON: StepType("Call a function", PythonSettings, own_code=True),
}
"""Every kind there is. Who does it stands in the backend's own table."""


@dataclass(frozen=True, slots=True)
class BoundStep:
    """A step of a run: parameters are in, its settings have their types, and every input has its source."""

    name: str
    kind: StepKind
    settings: StepSettings
    inputs: Mapping[str, str]
    """Input -> `step.output`; those that were found too."""
