"""What each kind of step takes and gives, in types: its settings, inputs and outputs."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any, get_type_hints

from core.domain.automl_settings import AutomlSettings
from core.domain.errors import SpecInvalid
from core.domain.parameters import converted, words
from core.domain.pipeline import ParameterType, StepKind, ValueType
from core.domain.rules import shown
from core.domain.step_settings import (
    CommandSettings,
    DeploySettings,
    EvaluateSettings,
    GateSettings,
    GuardrailsSettings,
    PrepareSettings,
    PromoteSettings,
    PythonSettings,
    RegisterSettings,
)

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
