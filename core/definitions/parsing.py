"""A pipeline's YAML file -> what it defines, or everything that is wrong with it, each with its line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from importlib.resources import files
from typing import Any, TypeVar

from core.definitions.checks import Fault, faults, meant
from core.definitions.document import Node, read
from core.definitions.graph import ordered
from core.definitions.reading import Reader
from core.definitions.references import whole
from core.domain.errors import DefinitionInvalid, DefinitionProblem
from core.domain.parameters import type_of
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind, ValueType
from core.domain.steps import STEP_TYPES, settings_of

KEYS = ("name", "description", "parameters", "max_concurrent", "steps")
PARAMETER_KEYS = ("type", "default", "description", "minimum", "maximum", "choices")
OWN_SETTINGS = ("command", "function", "arguments")
"""Settings of steps with code of their own, which may stand at the step itself."""
STEP_KEYS = (
    *("name", "kind", "needs", "when", "inputs", "outputs", "settings", "code", *OWN_SETTINGS),
    *("timeout_s", "memory_mb", "retries", "backoff_s", "allow_reuse"),
)


Kind = TypeVar("Kind", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Definition:
    """What a file defines."""

    spec: PipelineSpec
    code: Mapping[str, str] = field(default_factory=dict)
    """Step -> the folder or file of its code, as the file names it."""


@dataclass(slots=True)
class _Draft:
    """What could be read of a file."""

    parameters: list[Parameter] = field(default_factory=list)
    short: set[str] = field(default_factory=set)
    """Parameters whose type nobody has said."""
    steps: list[PipelineStep] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    """Where each of them stands in the file's list."""
    code: dict[str, str] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)


def parse_pipeline(text: str, where: str = "The definition") -> PipelineSpec:
    """The pipeline that a YAML text defines. Raises DefinitionInvalid."""
    return parse_definition(text, where).spec


def parse_definition(text: str, where: str = "The definition") -> Definition:
    """What a YAML text defines; `where` is what the text is called. Raises DefinitionInvalid with all its problems."""
    problems: list[DefinitionProblem] = []
    reader = Reader(problems)
    top = reader.fields(read(text, where, problems), (), "The definition", KEYS)
    draft = _Draft()
    name = reader.text(top.get("name"), "'name'").strip()
    if "name" not in top and not problems:
        problems.append(DefinitionProblem("A pipeline needs a name", "name: ...", 1, 1))
    description = reader.text(top.get("description"), "'description'")
    most = reader.whole(top.get("max_concurrent"), "'max_concurrent'", 4)
    _parameters(reader, top.get("parameters"), draft)
    _steps(reader, top.get("steps"), draft)
    if not draft.steps and not problems:
        problems.append(DefinitionProblem("A pipeline needs at least one step", "steps: ...", 1, 1))
    draft.parameters = list(_typed_by_use(draft))
    for fault in faults(draft.parameters, draft.steps, name=name, max_concurrent=most, unread=draft.unread):
        reader.note(_in_file(fault, draft))
    if problems:
        raise DefinitionInvalid(where, tuple(sorted(problems, key=lambda p: (p.line, p.column))))
    return Definition(PipelineSpec(name, ordered(draft.steps), description, tuple(draft.parameters), most), draft.code)


def shipped() -> tuple[PipelineSpec, ...]:
    """The definitions that come with the product, by file name."""
    folder = files("core.definitions") / "shipped"
    documents = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return tuple(parse_pipeline(document.read_text("utf-8"), document.name) for document in documents)


def _in_file(fault: Fault, draft: _Draft) -> Fault:
    """A fault of the steps that could be read, at its step's place in the file."""
    match fault.path:
        case ("steps", int(i), *rest):
            return replace(fault, path=("steps", draft.places[i], *rest))
    return fault


def _parameters(reader: Reader, node: Node | None, draft: _Draft) -> None:
    if node is None:
        return
    for name, value in _present(reader, node, draft):
        before = len(reader.problems)
        parameter = _parameter(reader, name, value, draft)
        if parameter is None or len(reader.problems) > before:
            draft.unread.add(name)
        else:
            draft.parameters.append(parameter)


def _present(reader: Reader, node: Node, draft: _Draft) -> Iterator[tuple[str, Node]]:
    """The parameters that say something; `name:` alone is a problem, for nobody knows its type."""
    found = reader.fields(node, ("parameters",), "'parameters'", None)
    for key, value in getattr(node, "fields", ()):
        if key.text not in found:
            hint = f"{key.text}: {{type: string}}"
            reader.problem(key, f"Parameter '{key.text}' has neither a default nor a type", hint)
            draft.unread.add(key.text)
        else:
            yield key.text, value


def _parameter(reader: Reader, name: str, node: Node, draft: _Draft) -> Parameter | None:
    what = f"Parameter '{name}'"
    if not hasattr(node, "fields"):
        draft.short.add(name)
        default = reader.value(node, what)
        return Parameter(name, type_of(default), default)
    fields = reader.fields(node, ("parameters", name), what, PARAMETER_KEYS)
    kind = _one_of(reader, fields.get("type"), f"{what}: type", ParameterType)
    default = reader.value(fields["default"], what, kind) if "default" in fields else None
    if kind is None and "type" not in fields:
        if default is None:
            reader.problem(node, f"{what} has neither a default nor a type", "type: string")
            return None
        draft.short.add(name)
        kind = type_of(default)
    if kind is None:
        return None
    one = ParameterType.STRING if kind is ParameterType.LIST else kind
    choices = reader.items(fields.get("choices"), ("parameters", name, "choices"), f"{what}: choices")
    return Parameter(
        name,
        kind,
        default,
        reader.text(fields.get("description"), f"{what}: description"),
        reader.number(fields.get("minimum"), f"{what}: minimum", None),
        reader.number(fields.get("maximum"), f"{what}: maximum", None),
        tuple(reader.value(choice, what, one) for choice in choices),
    )


def _typed_by_use(draft: _Draft) -> Iterator[Parameter]:
    """A parameter whose type nobody has said takes that of the settings that it is, where its default fits: the whole
    number 60 is a number where it is a time, and a text that names a table is data."""
    uses: dict[str, set[ParameterType | None]] = {}
    for step in draft.steps:
        for setting, value in step.settings.items():
            if setting in settings_of(step.kind):
                uses.setdefault(whole(value), set()).add(settings_of(step.kind)[setting].type)
    for p in draft.parameters:
        wanted = uses.get(p.name, set())
        if p.name in draft.short and p.type is ParameterType.INTEGER and wanted == {ParameterType.NUMBER}:
            yield replace(p, type=ParameterType.NUMBER)
        elif p.name in draft.short and p.type is ParameterType.STRING and ParameterType.DATA in wanted:
            yield replace(p, type=ParameterType.DATA)
        else:
            yield p


def _steps(reader: Reader, node: Node | None, draft: _Draft) -> None:
    for i, item in enumerate(reader.items(node, ("steps",), "'steps'")):
        before = len(reader.problems)
        fields = reader.fields(item, ("steps", i), f"Step {i + 1}", STEP_KEYS)
        kind = _one_of(reader, fields.get("kind"), f"Step {i + 1}: the kind", StepKind)
        if kind is None and "kind" not in fields:
            reader.problem(item, f"Step {i + 1} has no kind", f"One of {', '.join(StepKind)}")
        name = reader.text(fields.get("name"), f"Step {i + 1}: 'name'", kind.value if kind else "").strip()
        step = _step(reader, i, name, kind or StepKind.COMMAND, fields, draft) if fields else None
        if step is None or len(reader.problems) > before:
            draft.unread.add(name)
        if step is not None and kind is not None:
            draft.steps.append(step)
            draft.places.append(i)
        elif step is not None:
            draft.unread.update((name, ""))


def _step(reader: Reader, i: int, name: str, kind: StepKind, fields: Mapping[str, Node], draft: _Draft) -> PipelineStep:
    what, path = f"Step '{name}'" if name else f"Step {i + 1}", ("steps", i)
    if "code" in fields:
        draft.code[name] = reader.text(fields["code"], f"{what}: 'code'")
    needs = reader.items(fields.get("needs"), (*path, "needs"), f"{what}: 'needs'")
    return PipelineStep(
        name,
        kind,
        tuple(reader.text(need, f"{what}: 'needs'") for need in needs),
        _settings(reader, i, kind, what, fields),
        {key: reader.text(value, f"{what}: input '{key}'") for key, value in _mapping(reader, i, fields, "inputs")},
        _outputs(reader, i, what, fields),
        reader.text(fields.get("when"), f"{what}: 'when'"),
        reader.number(fields.get("timeout_s"), f"{what}: 'timeout_s'", None),
        reader.whole(fields.get("memory_mb"), f"{what}: 'memory_mb'", None),
        reader.whole(fields.get("retries"), f"{what}: 'retries'", 0),
        reader.number(fields.get("backoff_s"), f"{what}: 'backoff_s'", 10.0),
        reader.flag(fields.get("allow_reuse"), f"{what}: 'allow_reuse'", True),
    )


def _settings(reader: Reader, i: int, kind: StepKind, what: str, fields: Mapping[str, Node]) -> dict[str, Any]:
    known, found = settings_of(kind), {}
    nodes = dict(_mapping(reader, i, fields, "settings"))
    for key in OWN_SETTINGS:
        if key in fields and (key in nodes or not STEP_TYPES[kind].own_code):
            said = "stands in its settings already" if key in nodes else f"is nothing that kind {kind} takes"
            reader.problem(fields[key], f"{what}: '{key}' {said}")
        elif key in fields:
            nodes[key] = fields[key]
    for key, node in nodes.items():
        wanted = known[key].type if key in known else None
        found[key] = reader.value(node, f"{what}: '{key}'", wanted)
    return found


def _outputs(reader: Reader, i: int, what: str, fields: Mapping[str, Node]) -> dict[str, ValueType]:
    found = {}
    for key, node in _mapping(reader, i, fields, "outputs"):
        if (kind := _one_of(reader, node, f"{what}: the type of output '{key}'", ValueType)) is not None:
            found[key] = kind
    return found


def _mapping(reader: Reader, i: int, fields: Mapping[str, Node], key: str) -> Sequence[tuple[str, Node]]:
    if key not in fields:
        return ()
    return tuple(reader.fields(fields[key], ("steps", i, key), f"Step {i + 1}: '{key}'", None).items())


def _one_of(reader: Reader, node: Node | None, what: str, kinds: type[Kind]) -> Kind | None:
    if node is None:
        return None
    before = len(reader.problems)
    said = reader.text(node, what)
    if len(reader.problems) > before:
        return None
    try:
        return kinds(said)
    except ValueError:
        known = [kind.value for kind in kinds]
        reader.problem(node, f"{what} is '{said}', expected one of {', '.join(known)}", meant(said, known, "Known"))
        return None
