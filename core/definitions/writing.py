"""A pipeline as a YAML file that reads back as the same."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

import yaml

from core.definitions.document import Scalar
from core.domain.pipeline import Parameter, PipelineSpec, PipelineStep
from core.domain.plain import plain
from core.domain.steps import STEP_TYPES

_LINE_CHARS = 100
_PLAIN = re.compile(r"[^\W\d](?:[\w./-]| (?=\w))*")
_OWN = ("command", "function", "arguments")


def write_pipeline(spec: PipelineSpec, code: Mapping[str, str] | None = None) -> str:
    """The YAML of a definition; `code` is the folder or file of each step that brings its own."""
    said = _said(spec, ("parameters", "steps"))
    document = {"name": spec.name} | {key: said[key] for key in ("description",) if key in said}
    if spec.parameters:
        document["parameters"] = {p.name: _parameter(p) for p in spec.parameters}
    document |= {key: said[key] for key in ("max_concurrent",) if key in said}
    document["steps"] = [_step(step, (code or {}).get(step.name, "")) for step in spec.steps]
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_LINE_CHARS)


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {key: value for key, value in _said(parameter, ("name",)).items() if value is not None}


def _step(step: PipelineStep, code: str) -> dict[str, Any]:
    said = _said(step, ("code", "settings"))
    own = {"code": code} if code else {}
    if STEP_TYPES[step.kind].own_code:
        own |= {key: plain(step.settings[key]) for key in _OWN if key in step.settings}
    elif step.settings:
        own["settings"] = plain(step.settings)
    head = {key: said.pop(key) for key in ("name", "kind", "needs", "inputs") if key in said}
    return head | own | said


def _said(value: Any, besides: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a dataclass that are not what they are by default."""
    found = {}
    for each in fields(value):
        held = getattr(value, each.name)
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        if each.name not in besides and (default is MISSING or held != default):
            found[each.name] = plain(held)
    return found


class _Dumper(yaml.SafeDumper):
    """Quotes every text that could be anything else, and writes short lists in a line."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    word = Scalar(1, 1, text, quoted=False)
    clear = _PLAIN.fullmatch(text) and word.value == text and not word.doubt
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if clear else '"')


def _list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
    flat = all(not isinstance(item, list | dict) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flat)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)
