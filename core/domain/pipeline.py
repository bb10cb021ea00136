"""Pipelines as they are defined and published: parameters, steps, and the endpoint that starts a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.domain.errors import SpecInvalid


class ParameterType(StrEnum):
    """What a trigger may give for a parameter."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    """A list of texts."""
    DATA = "data"
    """A table: a known name, or a path, which a confined caller may only name below the allowed folders."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that each run may set; `default` None: it must be given."""

    name: str
    type: ParameterType
    default: Any = None
    description: str = ""
    minimum: float | None = None
    """Of a number; of a text or list, its length."""
    maximum: float | None = None
    choices: tuple[Any, ...] = ()

    @property
    def required(self) -> bool:
        """A trigger must give it."""
        return self.default is None


class StepKind(StrEnum):
    """What a step does; `core.domain.steps.STEP_TYPES` says what each takes and gives."""

    PREPARE = "prepare"
    GUARDRAILS = "guardrails"
    AUTOML = "automl"
    EVALUATE = "evaluate"
    REGISTER = "register"
    DEPLOY = "deploy"
    GATE = "gate"
    PROMOTE = "promote"
    COMMAND = "command"
    PYTHON = "python"


class ValueType(StrEnum):
    """What a step gives to another: references to what the workspace holds, plain values, files."""

    DATA = "data"
    """`name:version` of a data asset."""
    JOB = "job"
    """The id of a training job."""
    MODEL = "model"
    """`name:version` of a registered model."""
    DEPLOYMENT = "deployment"
    """`endpoint/deployment`."""
    REPORT = "report"
    """The id of a gate report."""
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "json"
    FILE = "file"
    """A file or folder below the step's outputs, by its relative path."""


@dataclass(frozen=True, slots=True)
class PipelineStep:
    """One step: what it does, what must succeed before it, and how it may fail."""

    name: str
    kind: StepKind
    needs: tuple[str, ...] = ()
    """Steps that must succeed first, besides those that `inputs` and `when` name."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The kind's own; a value may hold `${parameter}`."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Input -> `step.output`."""
    outputs: Mapping[str, ValueType] = field(default_factory=dict)
    """What a command or Python step gives; the built-in kinds' outputs are fixed."""
    when: str = ""
    """`step.output` of type boolean: where that is false, the step is skipped with all that depend on it."""
    timeout_s: float | None = None
    """Longer, and the step is ended and has failed; None: no limit."""
    memory_mb: int | None = None
    """More, over all its processes, and the step is ended and has failed; None: no limit of its own."""
    retries: int = 0
    backoff_s: float = 10.0
    """Before the first retry; twice as long before each further one."""
    allow_reuse: bool = True
    code: str = ""
    """SHA-256 of the folder of code that was copied when it was published; empty for a built-in kind."""

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Every step that must end before it, in the order in which they are named."""
        sources = (reference.partition(".")[0] for reference in (*self.inputs.values(), self.when) if reference)
        return tuple(dict.fromkeys((*self.needs, *sources)))


@dataclass(frozen=True, slots=True)
class PipelineSpec:
    """A definition: steps in an order in which whatever a step waits for comes before it."""

    name: str
    steps: tuple[PipelineStep, ...]
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    max_concurrent: int = 4
    """So many steps of one run go on at once."""

    def __post_init__(self) -> None:
        if not self.name or not self.steps:
            raise SpecInvalid("A pipeline needs a name and at least one step")
        seen: set[str] = set()
        for step in self.steps:
            if step.name in seen:
                raise SpecInvalid(f"Two steps are named '{step.name}'")
            if missing := [name for name in step.waits_for if name not in seen]:
                raise SpecInvalid(f"Step '{step.name}' needs '{missing[0]}', but no earlier step has that name")
            seen.add(step.name)

    @property
    def defaults(self) -> dict[str, Any]:
        """What a run uses where its trigger gives nothing; parameters without a default are absent."""
        return {p.name: p.default for p in self.parameters if not p.required}

    def step(self, name: str) -> PipelineStep:
        """The step of that name, which must be there."""
        return next(step for step in self.steps if step.name == name)


@dataclass(frozen=True, slots=True)
class PipelineEndpoint:
    """A published pipeline, at one of its versions; a POST to `trigger_uri` starts a run of that version."""

    id: str
    """The version's."""
    name: str
    version: int
    spec: PipelineSpec
    trigger_uri: str
    enabled: bool
    created_at: float
    label: str = ""
    """What its publisher calls the version; its number where nothing was said."""
    default: bool = True
    """Whether this is the version that runs where none is named."""

    @property
    def description(self) -> str:
        """What it is for, in its definition's words."""
        return self.spec.description
