"""What a step depends on, part by part: what each is called for people, and the SHA-256 of what it holds."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core.domain.data import DataRef
from core.domain.errors import SlipwayError
from core.domain.names import reference
from core.domain.pipeline import PipelineStep, StepKind, ValueType
from core.domain.run import StepRun
from core.domain.steps import STEP_TYPES
from core.local.own_code import lock_file, step_code
from core.local.store import Nouns

LIVE = "live model"
"""The part of a step that compares with what an endpoint serves."""
PARAMETER, SETTING, INPUT = "parameter ", "setting ", "input "
ARGUMENTS = "arguments"
"""The setting of a command or a function that holds its parameters, by name."""
NAMED_TABLES: Mapping[StepKind, str] = {StepKind.EVALUATE: "data", StepKind.AUTOML: "validation_data"}
"""The setting that names a registered table, by the kind of step."""
CHANGES = ("code", "lock file", LIVE)
"""The parts that may have become others while a step was at work."""


def parts_of(
    store: Nouns, plan: Sequence[PipelineStep], known: Mapping[str, StepRun], step: PipelineStep
) -> dict[str, str]:
    """Everything that a step's outputs can depend on, as far as the service may read it.

    Parameters of the run are in the settings; what the definition alone says of a command is a setting of its own.
    """
    settings, named = dict(step.settings), PARAMETER
    parts = {}
    if STEP_TYPES[step.kind].own_code:
        parts = {f"{PARAMETER}{key}": _digest(value) for key, value in (settings.pop(ARGUMENTS, None) or {}).items()}
        parts["declared outputs"] = _digest(dict(step.outputs))
        named = SETTING
    parts |= {f"{named}{key}": _digest(value) for key, value in settings.items()}
    if table := named_table(step):
        parts[f"{INPUT}{NAMED_TABLES[step.kind]}"] = _digest(_table(store, table))
    for name, source in step.inputs.items():
        parts[f"{INPUT}{name}"] = _digest(_content(store, plan, known, source))
    return parts | surroundings(store, step)


def surroundings(store: Nouns, step: PipelineStep) -> dict[str, str]:
    """The parts that nobody gives to a step: its code, the packages, the model that is live."""
    parts = {"code": step.code or step_code(step.kind), "lock file": lock_file()}
    if step.kind is StepKind.EVALUATE:
        parts[LIVE] = _digest([[name, percent, *_model(store, model)] for name, percent, model in _live(store, step)])
    return parts


def named_table(step: PipelineStep) -> str:
    """The registered table that a step's settings name, where it reads one besides its inputs."""
    return str(step.settings.get(NAMED_TABLES[step.kind]) or "") if step.kind in NAMED_TABLES else ""


def live_models(store: Nouns, step: PipelineStep) -> tuple[str, ...]:
    """The models, as `name:version`, that answer at the endpoint that an `evaluate` step names."""
    return tuple(model for _, _, model in _live(store, step))


def _live(store: Nouns, step: PipelineStep) -> tuple[tuple[str, int, str], ...]:
    """Deployment, its share of the traffic, and its model."""
    name = str(step.settings.get("endpoint") or "")
    if step.kind is not StepKind.EVALUATE or not store.endpoints.exists(name):
        return ()
    endpoint = store.endpoints.get(name)
    return tuple(
        (each.name, endpoint.traffic[each.name], f"{each.model}:{each.model_version}") for each in endpoint.live
    )


def type_of(plan: Sequence[PipelineStep], source: str) -> ValueType:
    """The type of `step.output`."""
    name, _, output = source.partition(".")
    return outputs_of(next(step for step in plan if step.name == name)).get(output, ValueType.JSON)


def outputs_of(step: PipelineStep) -> Mapping[str, ValueType]:
    """The types of what a step gives."""
    return {**STEP_TYPES[step.kind].outputs, **step.outputs}


def key_of(step: PipelineStep, parts: Mapping[str, str]) -> str:
    """The hash under which a step's outputs are kept: its kind, and all that it depends on."""
    return _digest([step.kind, *sorted(parts.items())])


def _content(store: Nouns, plan: Sequence[PipelineStep], known: Mapping[str, StepRun], source: str) -> Any:
    """What an input is, by its content and not by its name; None where its source has given none."""
    name, _, output = source.partition(".")
    given = known[name]
    if output not in given.outputs:
        return None
    value = given.outputs[output]
    match type_of(plan, source):
        case ValueType.DATA:
            return _table(store, str(value))
        case ValueType.MODEL:
            return _model(store, str(value))
        case ValueType.DEPLOYMENT:
            return _deployment(store, str(value))
        case ValueType.FILE:
            return given.files.get(output, value)
        case _:  # a plain value, a report's id; a training never changes once it has ended, so its id is its model's
            return value


def _table(store: Nouns, value: str) -> list[Any]:
    try:
        return ["table", store.data.get(DataRef(*reference(value))).content_id]
    except SlipwayError:
        return ["missing", value]


def _model(store: Nouns, value: str) -> list[Any]:
    try:
        model = store.models.get(*reference(value))
    except SlipwayError:
        return ["missing", value]
    return ["model", model.job_id, model.trial]


def _deployment(store: Nouns, value: str) -> list[Any]:
    endpoint, _, name = value.partition("/")
    try:
        found = store.deployments.get(endpoint, name)
    except SlipwayError:
        return ["missing", value]
    return ["deployment", value, *_model(store, f"{found.model}:{found.model_version}")]


def _digest(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()
