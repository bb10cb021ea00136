"""Which steps stand before which, and where a step's inputs come from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.domain.errors import SpecInvalid
from core.domain.pipeline import PipelineStep, ValueType
from core.domain.steps import STEP_TYPES


def ordered(steps: Sequence[PipelineStep]) -> tuple[PipelineStep, ...]:
    """The steps with whatever a step waits for before it, else as they stand; without those that never come."""
    made: dict[str, PipelineStep] = {}
    left = list(steps)
    names = {step.name for step in steps}
    while ready := next((s for s in left if all(n in made or n not in names for n in s.waits_for)), None):
        left.remove(ready)
        made[ready.name] = ready
    return tuple(made.values())


def cycles(steps: Sequence[PipelineStep]) -> list[tuple[str, ...]]:
    """The steps that wait for themselves, each circle once, in the order in which they wait."""
    after = {step.name: step.waits_for for step in steps}
    stuck = set(after) - {step.name for step in ordered(steps)}
    found: list[tuple[str, ...]] = []
    seen: set[str] = set()
    for step in steps:
        name, trail = step.name, list[str]()
        while name in stuck and name not in seen and name not in trail:
            trail.append(name)
            name = next(each for each in after[name] if each in stuck)
        if name in trail:
            found.append(tuple(trail[trail.index(name) :]))
        seen.update(trail)
    return found


def with_inputs(steps: Sequence[PipelineStep]) -> tuple[PipelineStep, ...]:
    """Every input with its source: the nearest earlier step that gives one, among those that it waits for, if any.

    Raises SpecInvalid for a step that none gives what it cannot do without.
    """
    made: list[PipelineStep] = []
    for step in steps:
        made.append(replace(step, inputs=inputs_of(step, made)))
        if lacking := missing(made[-1]):
            raise SpecInvalid(f"Step '{step.name}' needs a step before it that gives '{lacking}'", hint=NAME_IT)
    return tuple(made)


NAME_IT = "Name that step in `needs` or in `inputs`"


def inputs_of(step: PipelineStep, earlier: Sequence[PipelineStep]) -> dict[str, str]:
    """A step's inputs with those that can be found among the steps before it."""
    found = dict(step.inputs)
    for name, kind in STEP_TYPES[step.kind].inputs.items():
        if name not in found and (source := _source(step, name, kind, earlier)):
            found[name] = source
    return found


def missing(step: PipelineStep) -> str:
    """An input that a step has no source for and cannot do without; empty where it has all."""
    wanted = STEP_TYPES[step.kind]
    return next((name for name in wanted.inputs if name not in step.inputs and name not in wanted.optional), "")


def outputs_of(step: PipelineStep) -> Mapping[str, ValueType]:
    """What a step gives."""
    kind = STEP_TYPES[step.kind]
    return step.outputs if kind.own_code else kind.outputs


def _source(step: PipelineStep, name: str, kind: ValueType, earlier: Sequence[PipelineStep]) -> str:
    before = _before(step, earlier)
    for one in reversed(earlier):
        if (not before or one.name in before) and outputs_of(one).get(name) is kind:
            return f"{one.name}.{name}"
    return ""


def _before(step: PipelineStep, earlier: Sequence[PipelineStep]) -> set[str]:
    """All that a step waits for, at any distance; empty for one that says nothing."""
    found = set(step.waits_for)
    for one in reversed(earlier):
        if one.name in found:
            found.update(one.waits_for)
    return found
