"""A run's parameters put into its pipeline's steps, and every input given its source."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.definitions.checks import faults, meant
from core.definitions.graph import with_inputs
from core.definitions.references import filled, filled_words
from core.domain.automl_settings import AutomlSettings
from core.domain.data import DataRef
from core.domain.errors import DefinitionInvalid, DefinitionProblem, SpecInvalid
from core.domain.parameters import EXPECTED, checked
from core.domain.pipeline import ParameterType, PipelineSpec, PipelineStep
from core.domain.steps import settings_of, typed
from core.domain.training import TrainingSpec


def check_pipeline(spec: PipelineSpec) -> None:
    """Raise DefinitionInvalid for a definition that no run could do, with all that is wrong with it."""
    found = tuple(
        DefinitionProblem(fault.message, fault.hint)
        for fault in faults(spec.parameters, spec.steps, name=spec.name, max_concurrent=spec.max_concurrent)
    )
    if found:
        raise DefinitionInvalid(f"Pipeline '{spec.name}'", found)


def plan(spec: PipelineSpec, assignments: Mapping[str, Any], *, complete: bool = True) -> tuple[PipelineStep, ...]:
    """The steps of a run: parameters are in (`assignments` first, else the default), every input has its source.

    Unless it need not be `complete`, every parameter has a value and all values make sense, as far as that is known
    before; where it need not, the definition itself is checked. Raises SpecInvalid that names the parameter or the
    step, what was found and what was expected.
    """
    if not complete:
        check_pipeline(spec)
    steps = with_inputs(bind(spec, assignments, complete=complete))
    if complete:
        _refuse([problem for step in steps if (problem := _problem(step))])
    return steps


def bind(spec: PipelineSpec, assignments: Mapping[str, Any], *, complete: bool = True) -> tuple[PipelineStep, ...]:
    """The steps with every `${parameter}` replaced: `assignments` first, else the definition's default.

    Raises SpecInvalid for a parameter that the definition does not have, for values of the wrong type or beyond the
    limits, and for one that has none, unless it need not be `complete`: then its reference stays.
    """
    values = values_of(spec, assignments, complete=complete)
    return tuple(replace(step, settings=_settings(step, values)) for step in spec.steps)


def values_of(spec: PipelineSpec, assignments: Mapping[str, Any], *, complete: bool = True) -> dict[str, Any]:
    """Every parameter's value, as its type has it. Raises SpecInvalid that says all that is wrong with them."""
    known = {p.name: p for p in spec.parameters}
    problems, values = [], dict(spec.defaults)
    for name in sorted(set(assignments) - set(known)):
        hint = meant(name, known, "It has")
        problems.append(SpecInvalid(f"Pipeline '{spec.name}' has no parameter '{name}'", hint=hint))
    for parameter in spec.parameters:
        if parameter.name in assignments:
            try:
                values[parameter.name] = checked(parameter, assignments[parameter.name])
            except SpecInvalid as e:
                problems.append(e)
        elif parameter.required and complete:
            expected = EXPECTED[parameter.type]
            problems.append(SpecInvalid(f"Parameter '{parameter.name}' has no value, expected {expected}"))
    _refuse(problems)
    return values


def training_spec(step: PipelineStep, data: DataRef) -> TrainingSpec:
    """What an `automl` step asks for on a table. Raises SpecInvalid."""
    settings = typed(step.kind, step.settings)
    assert isinstance(settings, AutomlSettings)
    return settings.training(data)


def _settings(step: PipelineStep, values: Mapping[str, Any]) -> dict[str, Any]:
    lists = {name for name, setting in settings_of(step.kind).items() if setting.type is ParameterType.LIST}
    return {
        name: filled_words(value, values) if name in lists else filled(value, values)
        for name, value in step.settings.items()
    }


def _problem(step: PipelineStep) -> SpecInvalid | None:
    try:
        typed(step.kind, step.settings)
    except SpecInvalid as e:
        return SpecInvalid(f"Step '{step.name}': {e.message}", hint=e.hint)
    return None


def _refuse(problems: Sequence[SpecInvalid]) -> None:
    """All at once: whoever mends the first should not meet the second then."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise SpecInvalid(". ".join(e.message for e in problems), hint=". ".join(e.hint for e in problems if e.hint))
