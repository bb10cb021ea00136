"""What the steps of a definition wait for, and where each of their inputs comes from."""

from collections.abc import Mapping
from typing import Any

from core.definitions import plan
from core.domain.errors import SlipwayError
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind, ValueType
from core.domain.run import PipelineRun
from core.domain.steps import STEP_TYPES

ICONS: Mapping[StepKind, str] = {
    StepKind.PREPARE: "table_chart",
    StepKind.GUARDRAILS: "fact_check",
    StepKind.AUTOML: "model_training",
    StepKind.EVALUATE: "balance",
    StepKind.REGISTER: "inventory_2",
    StepKind.DEPLOY: "rocket_launch",
    StepKind.GATE: "verified",
    StepKind.PROMOTE: "trending_up",
    StepKind.COMMAND: "terminal",
    StepKind.PYTHON: "function",
}

Given = dict[str, tuple[str, ValueType | None, Any]]
"""What a step was given, by the input's name: the `step.output` it comes from, its type, its value."""


def sources(spec: PipelineSpec, parameters: Mapping[str, Any] | None = None) -> dict[str, dict[str, str]]:
    """Each step's inputs by name, and the `step.output` that each comes from, also where the definition names none."""
    try:
        return {step.name: dict(step.inputs) for step in plan(spec, parameters or {}, complete=False)}
    except SlipwayError:
        # Published by an earlier version that allowed more: what it names itself can still be shown.
        return {step.name: dict(step.inputs) for step in spec.steps}


def waits_for(spec: PipelineSpec) -> dict[str, tuple[str, ...]]:
    """Each step with all those that must end before it."""
    found = sources(spec)
    return {
        step.name: tuple(
            dict.fromkeys((*step.waits_for, *(source.partition(".")[0] for source in found[step.name].values())))
        )
        for step in spec.steps
    }


def outputs(step: PipelineStep) -> dict[str, ValueType]:
    """What a step gives, with types: its kind's own outputs, then those that the definition names."""
    return {**STEP_TYPES[step.kind].outputs, **step.outputs}


def given(run: PipelineRun, spec: PipelineSpec, step: PipelineStep) -> Given:
    """What a step of a run was given: input -> the `step.output` it comes from, its type, and its value once there."""
    results = {one.name: one.outputs for one in run.steps}
    found: Given = {}
    for name, source in sources(spec, run.parameters).get(step.name, {}).items():
        maker, _, output = source.partition(".")
        kinds = next((outputs(one) for one in spec.steps if one.name == maker), {})
        found[name] = (source, kinds.get(output), results.get(maker, {}).get(output))
    return found
