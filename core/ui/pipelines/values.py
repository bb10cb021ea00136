"""What steps give and take, as people read it: with a link to where it is shown."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import streamlit as st

from core.domain.pipeline import ValueType
from core.ui.kit import words
from core.ui.shell import navigation
from core.ui.shell.markup import literal


class Target(NamedTuple):
    """A page and what it is to show."""

    page: str
    query: Mapping[str, str]


_PAGES: Mapping[ValueType, Callable[[str], Target]] = {
    ValueType.DATA: lambda value: Target("Explore", {"data": value}),
    ValueType.JOB: lambda value: Target("Leaderboard", {"job": value}),
    ValueType.MODEL: lambda value: Target("Deploy", {"model": value}),
    ValueType.DEPLOYMENT: lambda value: Target("Deploy", {"endpoint": value.partition("/")[0], "use": "Traffic"}),
    ValueType.REPORT: lambda value: Target("Quality", {"report": value}),
}
_NOUNS: Mapping[ValueType, str] = {
    ValueType.DATA: "Data",
    ValueType.JOB: "Training",
    ValueType.MODEL: "Model",
    ValueType.DEPLOYMENT: "Deployment",
    ValueType.REPORT: "Gate report",
}
LETTERS_MAX = 300


def target(kind: ValueType | None, value: Any, endpoint: str = "") -> Target | None:
    """Where a value is shown; None for one that stands for itself. A report stands with those of its endpoint."""
    made = _PAGES.get(kind) if kind is not None else None
    if made is None or not isinstance(value, str) or not value:
        return None
    there = made(value)
    return Target(there.page, {"endpoint": endpoint, **there.query}) if there.page == "Quality" and endpoint else there


def show(name: str, kind: ValueType | None, value: Any, *, source: str = "", endpoint: str = "") -> None:
    """One value on a line: its name, where it comes from, and a link where it is shown on a page of its own."""
    maker, _, output = source.partition(".")
    origin = f" :gray[from {literal(maker if output == name else f'{maker}, {output}')}]" if source else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{literal(words.identifier(name))}**{origin}", width="content")
        if value is None or value == "":
            st.markdown(":gray[not there yet]" if value is None else ":gray[none]", width="content")
        elif (there := target(kind, value, endpoint)) is not None and kind is not None:
            navigation.link(there.page, label(kind, value), **there.query)
        else:
            st.markdown(literal(text(value)), width="content")


def label(kind: ValueType, value: str) -> str:
    """What a link to a value says: `Data bank:3`; ids say nothing to people."""
    named = value if kind in (ValueType.DATA, ValueType.MODEL, ValueType.DEPLOYMENT) else ""
    return f"{_NOUNS[kind]} {named}".strip()


def text(value: Any) -> str:
    """A plain value in one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return words.number(value)
    if isinstance(value, Mapping):
        return _cut(", ".join(f"{key}: {text(each)}" for key, each in value.items()))
    if isinstance(value, list | tuple):
        return _cut(", ".join(map(text, value))) or "empty"
    return _cut(str(value)) or "empty"


def metrics(value: Any) -> dict[str, float]:
    """The numbers of a mapping: what a training has measured."""
    if not isinstance(value, Mapping):
        return {}
    return {
        str(key): float(each)
        for key, each in value.items()
        if isinstance(each, int | float) and not isinstance(each, bool)
    }


def _cut(shown: str) -> str:
    return shown if len(shown) <= LETTERS_MAX else f"{shown[:LETTERS_MAX]} …"
