"""Parts of a page: a table of them, all drawn one below the other, or one that the visitor chooses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from core.ui.shell import abilities

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """One part: what it is called, how it is drawn from what the page shows, and the verbs without which it cannot."""

    title: str
    draw: Callable[[T], None]
    needs: tuple[str, ...] = ()


def stack(parts: Sequence[Part[T]], shown: T) -> None:
    """Every part, from above."""
    for part in parts:
        _draw(part, shown)


def choose(label: str, parts: Sequence[Part[T]], shown: T, *, key: str, first: str) -> None:
    """Let the visitor (or the address, under `key`) choose a part, `first` unless told, and draw it."""
    by_title = {part.title: part for part in parts}
    labels = {part.title: _label(part) for part in parts}
    asked = st.query_params.get(key)
    if asked in labels and labels[asked] != asked and key not in st.session_state:
        # Links name the title, and Streamlit looks for the label.
        st.session_state[key] = asked
    title = st.segmented_control(
        label,
        list(by_title),
        default=first,
        required=True,
        key=key,
        bind="query-params",
        format_func=labels.__getitem__,
        label_visibility="collapsed",
    )
    _draw(by_title[title], shown)


def _label(part: Part[T]) -> str:
    return f":gray[{part.title}]" if abilities.lacking(*part.needs) else part.title


def _draw(part: Part[T], shown: T) -> None:
    if reason := abilities.lacking(*part.needs):
        abilities.say(part.title, reason)
    else:
        part.draw(shown)
