"""What is wrong with a definition before anything of it runs: all of it, each problem at its place in the document."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from core.definitions.graph import NAME_IT, cycles, inputs_of, missing, ordered, outputs_of
from core.definitions.references import referred, whole
from core.domain.errors import SpecInvalid
from core.domain.names import check_name
from core.domain.parameters import TEXTS, checked, fits
from core.domain.pipeline import Parameter, ParameterType, PipelineStep, ValueType
from core.domain.rules import check_number, check_whole, shown
from core.domain.steps import STEP_TYPES, Setting, settings_of, typed

NAME = re.compile(r"[^\W\d]\w*")
STEP_NAME = re.compile(r"\w(?:[\w -]{0,58}\w)?")
STEPS_MAX = 500
RETRIES_MAX = 100
SECONDS_MAX = 10_000_000

Path = tuple[str | int, ...]
"""A place in the document: `("steps", 2, "settings", "target")`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where."""

    path: Path
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a step can refer to."""

    parameters: Mapping[str, Parameter]
    steps: Mapping[str, PipelineStep]
    unread: Collection[str]
    """Steps and parameters of which something else is wrong already."""


def faults(
    parameters: Sequence[Parameter],
    steps: Sequence[PipelineStep],
    *,
    name: str = "",
    max_concurrent: int = 4,
    unread: Collection[str] = (),
) -> Iterator[Fault]:
    """All that is wrong; steps may stand in any order. What names one of `unread` is not judged."""
    if name:
        yield from _tried(("name",), lambda: check_name("a pipeline", name))
    yield from _tried(("max_concurrent",), lambda: check_whole("max_concurrent", max_concurrent, 1, 64))
    if len(steps) > STEPS_MAX:
        yield Fault(("steps",), f"There are {len(steps)} steps, expected at most {STEPS_MAX}")
    for parameter in parameters:
        yield from _parameter(parameter)
    yield from _twice("parameter", [p.name for p in parameters], "parameters")
    yield from _twice("step", [s.name for s in steps], "steps")
    known = _Known({p.name: p for p in parameters}, {s.name: s for s in steps}, unread)
    for i, step in enumerate(steps):
        yield from (replace(fault, path=("steps", i, *fault.path)) for fault in _step(step, known))
    yield from _order(steps, known)


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant; empty where none is near."""
    return next(iter(get_close_matches(name, list(known), 1, 0.6)), "")


def meant(name: str, known: Iterable[str], listed: str) -> str:
    """A hint for a name that is not known."""
    names = list(known)
    if close := nearest(name, names):
        return f"Did you mean '{close}'?"
    return f"{listed}: {', '.join(names)}" if names else f"{listed}: none"


def _tried(path: Path, check: Any, prefix: str = "") -> Iterator[Fault]:
    try:
        check()
    except SpecInvalid as e:
        yield Fault(path, f"{prefix}{e.message}", e.hint)


def _twice(what: str, names: Sequence[str], where: str) -> Iterator[Fault]:
    for i, name in enumerate(names):
        if name in names[:i]:
            yield Fault((where, i if where == "steps" else name, "name"), f"Two {what}s are named '{name}'")


def _parameter(parameter: Parameter) -> Iterator[Fault]:
    path, what = ("parameters", parameter.name), f"Parameter '{parameter.name}'"
    if not NAME.fullmatch(parameter.name):
        yield Fault(path, f"{shown(parameter.name)} is not a parameter's name", "Letters, digits and _, a letter first")
    low, high = parameter.minimum, parameter.maximum
    if parameter.type is ParameterType.BOOLEAN and (low is not None or high is not None):
        yield Fault(path, f"{what} is true or false, and has no minimum or maximum")
    for name, value in (("minimum", low), ("maximum", high)):
        if value is not None:
            yield from _tried((*path, name), lambda n=name, v=value: check_number(f"{n} of {what}", v, -1e300, 1e300))
    if low is not None and high is not None and low > high:
        yield Fault((*path, "minimum"), f"{what} has a minimum of {low:,g}, above its maximum of {high:,g}")
    one = ParameterType.STRING if parameter.type is ParameterType.LIST else parameter.type
    for choice in parameter.choices:
        yield from _tried((*path, "choices"), lambda c=choice: checked(Parameter(parameter.name, one), c))
    if not parameter.required:
        for fault in _tried((*path, "default"), lambda: checked(parameter, parameter.default)):
            yield replace(fault, message=f"The default of p{fault.message[1:]}")


def _step(step: PipelineStep, known: _Known) -> Iterator[Fault]:
    what, kind = f"Step '{step.name}'", STEP_TYPES[step.kind]
    if not STEP_NAME.fullmatch(step.name):
        yield Fault(("name",), f"{shown(step.name)} is not a step's name", "Up to 60 letters, digits, blanks, _ and -")
    if step.timeout_s is not None:
        limit = step.timeout_s
        yield from _tried(("timeout_s",), lambda: check_number(f"{what}: timeout_s", limit, 0, SECONDS_MAX, above=True))
    if step.memory_mb is not None:
        yield from _tried(("memory_mb",), lambda: check_whole(f"{what}: memory_mb", step.memory_mb, 16, 100_000_000))
    yield from _tried(("retries",), lambda: check_whole(f"{what}: retries", step.retries, 0, RETRIES_MAX))
    yield from _tried(("backoff_s",), lambda: check_number(f"{what}: backoff_s", step.backoff_s, 0, SECONDS_MAX))
    if step.outputs and not kind.own_code:
        yield Fault(("outputs",), f"{what}: the outputs of kind {step.kind} are fixed", f"{', '.join(kind.outputs)}")
    if step.code and not kind.own_code:
        yield Fault(("code",), f"{what}: kind {step.kind} has no code of its own")
    for name in step.outputs:
        if not NAME.fullmatch(name):
            yield Fault(("outputs", name), f"{what}: {shown(name)} is not an output's name")
    yield from _settings(step, what, known)
    yield from _references(step, what, known)


def _settings(step: PipelineStep, what: str, known: _Known) -> Iterator[Fault]:
    settings, unknown = settings_of(step.kind), set()
    for name, value in step.settings.items():
        path: Path = ("settings", name)
        if name not in settings:
            unknown.add(name)
            hint = meant(name, settings, "It has")
            yield Fault(path, f"{what}: kind {step.kind} has no setting '{name}'", hint)
            continue
        yield from _setting(path, f"{what}: '{name}'", value, settings[name], known)
    if lacking := [name for name, setting in settings.items() if setting.required and name not in step.settings]:
        for name in lacking:
            yield Fault(("settings",), f"{what}: kind {step.kind} needs the setting '{name}'")
    elif not unknown:
        yield from _literals(step, what)
    arguments = step.settings.get("arguments")
    for name in sorted(set(arguments) & set(step.inputs)) if isinstance(arguments, Mapping) else ():
        yield Fault(("inputs", name), f"{what} has an input and an argument named '{name}'")


def _setting(path: Path, what: str, value: Any, setting: Setting, known: _Known) -> Iterator[Fault]:
    names = set(referred(value))
    for name in sorted(names - set(known.parameters) - set(known.unread)):
        hint = meant(name, known.parameters, "The definition has")
        yield Fault(path, f"{what} refers to parameter '{name}', which is not in the definition", hint)
    if setting.type is None or not names <= set(known.parameters):
        return
    if given := known.parameters.get(whole(value)):
        if not fits(given.type, setting.type):
            message = f"{what} is parameter '{given.name}' of type {given.type}, expected type {setting.type}"
            yield Fault(path, message)
        return
    if names and setting.type not in (*TEXTS, ParameterType.LIST):
        yield Fault(path, f"{what} is {shown(value)}, expected {setting.type} or a parameter alone")
        return
    try:
        setting.read(value)
    except ValueError as e:
        quotes = "Write it in quotes" if setting.type in TEXTS and isinstance(value, bool | int | float) else ""
        yield Fault(path, f"{what} is {shown(value)}, expected {e}", quotes)


def _literals(step: PipelineStep, what: str) -> Iterator[Fault]:
    """What the values say that hang on no parameter."""
    settings = {name: value for name, value in step.settings.items() if not any(referred(value))}
    stand_ins = {"target": "target", "data": "data", "model": "model", "endpoint": "endpoint", "function": "a:b"}
    for name, setting in settings_of(step.kind).items():
        if setting.required and name not in settings:
            settings[name] = stand_ins.get(name, ["word"])
    with_types = settings_of(step.kind)
    try:
        for name, value in settings.items():
            with_types[name].read(value)
    except ValueError:
        return  # told already
    yield from _tried(("settings",), lambda: typed(step.kind, settings), f"{what}: ")


def _references(step: PipelineStep, what: str, known: _Known) -> Iterator[Fault]:
    kind = STEP_TYPES[step.kind]
    for i, name in enumerate(step.needs):
        yield from _other(("needs", i), what, step, name, known)
    for name, reference in step.inputs.items():
        path: Path = ("inputs", name)
        wanted = kind.inputs.get(name)
        if kind.own_code and not NAME.fullmatch(name):
            yield Fault(path, f"{what}: {shown(name)} is not an input's name", "Letters, digits and _, a letter first")
        elif wanted is None and not kind.own_code:
            hint = meant(name, kind.inputs, "It has")
            yield Fault(path, f"{what}: kind {step.kind} has no input '{name}'", hint)
        yield from _output(path, f"{what}: input '{name}'", what, step, reference, wanted, known)
    if step.when:
        yield from _output(("when",), f"{what}: when", what, step, step.when, ValueType.BOOLEAN, known)


def _output(
    path: Path, what: str, whose: str, step: PipelineStep, reference: str, wanted: ValueType | None, known: _Known
) -> Iterator[Fault]:
    source, dot, output = reference.partition(".")
    if not (source and dot and output):
        yield Fault(path, f"{what} is {shown(reference)}, expected STEP.OUTPUT")
        return
    yield from _other(path, whose, step, source, known)
    if source not in known.steps or source in known.unread:
        return
    outputs = outputs_of(known.steps[source])
    if output not in outputs:
        hint = meant(output, outputs, "It gives")
        yield Fault(path, f"{what} is '{reference}', but step '{source}' gives no '{output}'", hint)
    elif wanted is not None and outputs[output] is not wanted:
        yield Fault(path, f"{what} is '{reference}' of type {outputs[output]}, expected type {wanted}")


def _other(path: Path, what: str, step: PipelineStep, name: str, known: _Known) -> Iterator[Fault]:
    if name == step.name:
        yield Fault(path, f"{what} waits for itself")
    elif name not in known.steps and name not in known.unread:
        hint = meant(name, (n for n in known.steps if n != step.name), "The steps are")
        yield Fault(path, f"{what} needs '{name}', but no step has that name", hint)


def _order(steps: Sequence[PipelineStep], known: _Known) -> Iterator[Fault]:
    places = {step.name: i for i, step in reversed(list(enumerate(steps)))}
    if len(places) < len(steps):
        return  # two of one name: told already
    for circle in cycles(steps):
        if len(circle) > 1:
            shown_names = ", ".join(f"'{name}'" for name in circle)
            yield Fault(("steps", places[circle[0]], "name"), f"Steps {shown_names} wait for each other in a circle")
    earlier: list[PipelineStep] = []
    for step in ordered(steps):
        made = replace(step, inputs=inputs_of(step, earlier))
        if (lacking := missing(made)) and not known.unread:
            message = f"Step '{step.name}' needs a step before it that gives '{lacking}'"
            yield Fault(("steps", places[step.name], "name"), message, NAME_IT)
        earlier.append(made)
