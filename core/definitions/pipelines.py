"""Pipeline definitions: YAML -> `PipelineSpec`, and a trigger's parameters put into the steps.

A step's settings may name parameters as `${name}`. A value that is nothing but such a reference takes the parameter's
value with its type; inside longer text it is written as text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any

import yaml

from core.domain.data import DataRef
from core.domain.errors import SpecInvalid
from core.domain.names import check_name
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind, ValueType
from core.domain.rules import check_text
from core.domain.steps import STEP_TYPES
from core.domain.training import TrainingSpec

REFERENCE = re.compile(r"\$\{([A-Za-z_]\w*)\}")

Rule = tuple[type, ...]

SETTINGS: Mapping[StepKind, Mapping[str, Rule]] = {
    StepKind.PREPARE: {"data": (str,), "target": (str,), "name": (str,), "holdout_pct": (int, float)},
    StepKind.GUARDRAILS: {"target": (str,), "exclude": (list, tuple), "stop_on_alert": (bool,)},
    StepKind.AUTOML: {
        "target": (str,),
        "timeout_s": (int, float),
        "primary_metric": (str,),
        "exclude": (list, tuple),
        "max_trials": (int,),
        "folds": (int,),
        "seed": (int,),
        "compute": (str,),
        "model_name": (str,),
    },
    StepKind.EVALUATE: {"endpoint": (str,), "metric": (str,), "confidence": (float,)},
    StepKind.REGISTER: {"model": (str,)},
    StepKind.DEPLOY: {"endpoint": (str,), "deployment": (str,)},
    StepKind.GATE: {"depth": (str,)},
    StepKind.PROMOTE: {},
}
"""What each kind of step understands, and the types it takes once the parameters are in."""

REQUIRED: Mapping[StepKind, tuple[str, ...]] = {
    StepKind.PREPARE: ("data",),
    StepKind.AUTOML: ("target",),
    StepKind.GUARDRAILS: ("target",),
    StepKind.EVALUATE: ("endpoint",),
    StepKind.REGISTER: ("model",),
    StepKind.DEPLOY: ("endpoint",),
}


def shipped() -> tuple[PipelineSpec, ...]:
    """The definitions that come with the product, by file name."""
    folder = files("core.definitions") / "shipped"
    documents = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return tuple(parse_pipeline(document.read_text("utf-8")) for document in documents)


def parse_pipeline(text: str) -> PipelineSpec:
    """The definition that the YAML `text` describes. Raises SpecInvalid that names the place of what is wrong."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as e:
        raise SpecInvalid(f"The definition is not YAML: {_one_line(e)}") from e
    fields = _fields("The definition", document, {"name": str, "description": str, "parameters": dict, "steps": list})
    spec = PipelineSpec(
        name=fields.get("name", ""),
        description=fields.get("description", ""),
        parameters=tuple(_parameter(str(name), value) for name, value in fields.get("parameters", {}).items()),
        steps=tuple(_step(i, step) for i, step in enumerate(fields.get("steps", []), start=1)),
    )
    plan(spec, {}, complete=False)
    return spec


def _parameter(name: str, default: Any) -> Parameter:
    kinds = {bool: ParameterType.BOOLEAN, int: ParameterType.INTEGER, float: ParameterType.NUMBER}
    kinds |= {list: ParameterType.LIST, str: ParameterType.STRING}
    return Parameter(name, ParameterType.DATA if name == "data" else kinds[type(default)], default)


def plan(spec: PipelineSpec, assignments: Mapping[str, Any], *, complete: bool = True) -> tuple[PipelineStep, ...]:
    """The steps of a run: parameters are in (`assignments` first, else the default), every input has its source.

    Unless it need not be `complete`, every parameter has a value and all values make sense, as far as that is known
    before. Raises SpecInvalid that names the parameter or the step, what was found and what was expected.
    """
    steps = _with_inputs(bind(spec, assignments))
    if complete:
        for step in steps:
            try:
                _check_values(step)
            except SpecInvalid as e:
                raise SpecInvalid(f"Step '{step.name}': {e.message}", hint=e.hint) from e
    return steps


def bind(spec: PipelineSpec, assignments: Mapping[str, Any]) -> tuple[PipelineStep, ...]:
    """The steps with every `${parameter}` replaced: `assignments` first, else the definition's default.

    Raises SpecInvalid for a parameter that the definition does not have, and for a value of the wrong type.
    """
    known = {p.name for p in spec.parameters}
    if unknown := sorted(set(assignments) - known):
        raise SpecInvalid(
            f"Pipeline '{spec.name}' has no parameter '{unknown[0]}'", hint=f"It has: {', '.join(known) or 'none'}"
        )
    values = {**spec.defaults, **assignments}
    return tuple(_bound(step, values) for step in spec.steps)


def _with_inputs(steps: Sequence[PipelineStep]) -> tuple[PipelineStep, ...]:
    """Every input with its source: the nearest earlier step that gives one, among its `needs` where it names some."""
    made: list[PipelineStep] = []
    for step in steps:
        found = dict(step.inputs)
        wanted = STEP_TYPES[step.kind]
        for name, kind in wanted.inputs.items():
            if name not in found and (source := _source(step, name, kind, made)):
                found[name] = source
            elif name not in found and name not in wanted.optional:
                raise SpecInvalid(
                    f"Step '{step.name}' needs a step before it that gives '{name}'",
                    hint="Name it in the step's `needs`",
                )
        made.append(replace(step, inputs=found))
    return tuple(made)


def _source(step: PipelineStep, name: str, kind: ValueType, earlier: Sequence[PipelineStep]) -> str:
    for one in reversed(earlier):
        outputs = STEP_TYPES[one.kind].outputs
        if (not step.needs or one.name in step.needs) and outputs.get(name) is kind:
            return f"{one.name}.{name}"
    return ""


def training_spec(step: PipelineStep, data: DataRef) -> TrainingSpec:
    """What an `automl` step asks for on a table. Raises SpecInvalid."""
    settings = {key: value for key, value in step.settings.items() if value is not None}
    settings["exclude"] = tuple(settings.get("exclude", ()))
    return TrainingSpec(data=data, **settings)


def _check_values(step: PipelineStep) -> None:
    if step.kind is StepKind.AUTOML:
        training_spec(step, DataRef("the prepared table"))
    elif step.kind is StepKind.REGISTER:
        check_name("a model", step.settings["model"])
    elif step.kind is StepKind.PREPARE:
        check_text("data", step.settings["data"])


def _bound(step: PipelineStep, values: Mapping[str, Any]) -> PipelineStep:
    where, known = f"Step '{step.name}'", SETTINGS[step.kind]
    if unknown := sorted(set(step.settings) - set(known)):
        raise SpecInvalid(
            f"{where}: kind {step.kind} has no setting '{unknown[0]}'", hint=f"It has: {', '.join(known)}"
        )
    if missing := [key for key in REQUIRED.get(step.kind, ()) if key not in step.settings]:
        raise SpecInvalid(f"{where}: kind {step.kind} needs the setting '{missing[0]}'")
    settings = {key: _filled(value, values, where) for key, value in step.settings.items()}
    for key, value in settings.items():
        allowed = known[key]
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            raise SpecInvalid(f"{where}: '{key}' is {value!r}, expected {_names(allowed)}")
    return replace(step, settings=settings)


def _filled(value: Any, values: Mapping[str, Any], where: str) -> Any:
    if isinstance(value, list):
        return [_filled(item, values, where) for item in value]
    if not isinstance(value, str):
        return value
    if unknown := [name for name in REFERENCE.findall(value) if name not in values]:
        raise SpecInvalid(f"{where} refers to parameter '{unknown[0]}', which is not in the definition")
    if whole := REFERENCE.fullmatch(value):
        return values[whole[1]]
    return REFERENCE.sub(lambda reference: str(values[reference[1]]), value)


def _step(number: int, document: Any) -> PipelineStep:
    where = f"Step {number}"
    fields = _fields(where, document, {"name": str, "kind": str, "needs": list, "settings": dict})
    kind = _kind(where, fields.get("kind"))
    settings = _named(fields.get("settings", {}))
    needs = tuple(str(need) for need in fields.get("needs", []))
    return PipelineStep(fields.get("name") or kind.value, kind, needs, settings)


def _kind(where: str, text: str | None) -> StepKind:
    try:
        return StepKind(text or "")
    except ValueError as e:
        raise SpecInvalid(f"{where}: the kind is '{text}', expected one of {', '.join(StepKind)}") from e


def _fields(where: str, document: Any, known: Mapping[str, type]) -> dict[str, Any]:
    """`document` as a mapping with known keys of known types; a key without a value counts as absent."""
    if not isinstance(document, dict):
        raise SpecInvalid(f"{where} is {type(document).__name__}, expected a mapping with {', '.join(known)}")
    fields = {str(key): value for key, value in document.items() if value is not None}
    for key, value in fields.items():
        if key not in known:
            raise SpecInvalid(f"{where} has an unknown key '{key}'", hint=f"The keys are: {', '.join(known)}")
        if not isinstance(value, known[key]):
            raise SpecInvalid(f"{where}: '{key}' is {value!r}, expected {_names((known[key],))}")
    return fields


def _named(document: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in document.items()}


def _names(kinds: Sequence[type]) -> str:
    words = {str: "text", int: "an integer", float: "a number", list: "a list", dict: "a mapping"}
    return " or ".join(words[kind] for kind in kinds if kind in words)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
