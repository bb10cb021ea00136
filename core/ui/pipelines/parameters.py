"""A field for each parameter of a pipeline, made from its definition alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.domain.pipeline import Parameter, ParameterType, PipelineSpec
from core.ui.kit import words
from core.ui.shell import abilities, cached
from core.ui.shell.markup import literal

NEEDED = "Give a value."


def fields(spec: PipelineSpec, given: Mapping[str, Any], *, key: str, told: bool = False) -> dict[str, Any]:
    """The values that stand in the fields, by name; they begin with `given`, else with the defaults.

    What is empty is left out: a run then has the default. `told`: say under each field what is wrong with its value.
    """
    values: dict[str, Any] = {}
    for parameter in spec.parameters:
        value = _field(parameter, start(parameter, given), f"{key}.{parameter.name}")
        if value is not None:
            values[parameter.name] = value
        if told and (wrong := problem(parameter, value)):
            st.markdown(f":red[:material/error: {literal(wrong)}]")
    return values


def problems(spec: PipelineSpec, values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the values, by the parameter's name."""
    found = {p.name: problem(p, values.get(p.name)) for p in spec.parameters}
    return {name: wrong for name, wrong in found.items() if wrong}


def problem(parameter: Parameter, value: Any) -> str:
    """What is wrong with a value, in a sentence; empty for nothing."""
    if value is None or (value in ("", []) and parameter.required):
        return NEEDED if parameter.required else ""
    if parameter.choices and any(one not in parameter.choices for one in _each(value)):
        return f"Choose among {', '.join(map(str, parameter.choices))}."
    size = len(value) if isinstance(value, str | list | tuple) else float(value)
    if parameter.minimum is not None and size < parameter.minimum:
        return f"At least {_counted(parameter, parameter.minimum)}."
    if parameter.maximum is not None and size > parameter.maximum:
        return f"At most {_counted(parameter, parameter.maximum)}."
    return ""


def start(parameter: Parameter, given: Mapping[str, Any]) -> Any:
    """The value that a field begins with: what is given where it makes sense, else the default."""
    value = given.get(parameter.name)
    return value if value is not None and _fits(parameter, value) else parameter.default


def limits(parameter: Parameter) -> str:
    """The limits of a parameter as people read them: `5 to 600`, `at least 1`; empty without any."""
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None:
        return f"{words.number(low)} to {_counted(parameter, high)}"
    if low is not None:
        return f"at least {_counted(parameter, low)}"
    return f"at most {_counted(parameter, high)}" if high is not None else ""


def _counted(parameter: Parameter, limit: float) -> str:
    if parameter.type in (ParameterType.INTEGER, ParameterType.NUMBER):
        return words.number(limit)
    if parameter.type is ParameterType.LIST:
        return words.plural(int(limit), "entry", "entries")
    return words.plural(int(limit), "character")


def _fits(parameter: Parameter, value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    right = {
        ParameterType.INTEGER: number and float(value).is_integer() if number else False,
        ParameterType.NUMBER: number,
        ParameterType.BOOLEAN: isinstance(value, bool),
        ParameterType.LIST: isinstance(value, list | tuple),
    }.get(parameter.type, isinstance(value, str))
    return bool(right) and not problem(parameter, value)


def _each(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _field(parameter: Parameter, value: Any, key: str) -> Any:
    label = f"{literal(parameter.name)} :red[\\*]" if parameter.required else literal(parameter.name)
    about = _about(parameter)
    if parameter.type is ParameterType.BOOLEAN:
        return st.checkbox(label, value=bool(value), key=key, help=about)
    if parameter.type is ParameterType.LIST:
        return _list(parameter, label, value, key, about)
    if parameter.choices:
        options = list(parameter.choices)
        index = options.index(value) if value in options else None
        return st.selectbox(label, options, index=index, key=key, help=about)
    if parameter.type in (ParameterType.INTEGER, ParameterType.NUMBER):
        return _number(parameter, label, value, key, about)
    if parameter.type is ParameterType.DATA:
        return _table(label, value, key, about)
    return st.text_input(label, value="" if value is None else str(value), key=key, help=about)


def _about(parameter: Parameter) -> str | None:
    parts = [literal(parameter.description), limits(parameter)]
    if not parameter.required:
        shown = parameter.default if parameter.default not in ("", [], ()) else "empty"
        parts.append(f"Default: {literal(str(shown))}")
    return " · ".join(part for part in parts if part) or None


def _number(parameter: Parameter, label: str, value: Any, key: str, about: str | None) -> int | float | None:
    low, high = parameter.minimum, parameter.maximum
    if parameter.type is ParameterType.INTEGER:
        whole = None if value is None else int(value)
        least, most = None if low is None else int(low), None if high is None else int(high)
        return st.number_input(label, least, most, whole, step=1, key=key, help=about)
    real = None if value is None else float(value)
    least_real, most_real = None if low is None else float(low), None if high is None else float(high)
    return st.number_input(label, least_real, most_real, real, step=0.1, format="%g", key=key, help=about)


def _list(parameter: Parameter, label: str, value: Any, key: str, about: str | None) -> list[Any]:
    chosen = list(value or ())
    options = list(dict.fromkeys([*parameter.choices, *chosen]))
    return st.multiselect(
        label,
        options,
        default=chosen,
        key=key,
        help=about,
        accept_new_options=not parameter.choices,
        placeholder="Choose" if parameter.choices else "Type one, then press Enter",
    )


def _table(label: str, value: Any, key: str, about: str | None) -> str | None:
    """A table by its name, a registered version of one, or a path that is typed."""
    options = list(dict.fromkeys([*([str(value)] if value else []), *_tables()]))
    index = options.index(str(value)) if value else None
    return st.selectbox(
        label,
        options,
        index=index,
        key=key,
        help=about,
        accept_new_options=True,
        placeholder="Choose a table, or type a path",
    )


def _tables() -> tuple[str, ...]:
    workspace = cached.workspace()
    known = () if abilities.lacking("data.available") else tuple(t.name for t in workspace.data.available())
    registered = () if abilities.lacking("data.list") else tuple(str(a.ref) for a in workspace.data.list())
    return (*known, *registered)
