"""Parts of a page that a visitor chooses among: a table of them, of which one is drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """One part: what it is called, and how it is drawn from what the page shows."""

    title: str
    draw: Callable[[T], None]


def show(label: str, parts: Sequence[Part[T]], shown: T, *, key: str, first: str) -> None:
    """Let the visitor (or the address, under `key`) choose a part, `first` unless told, and draw it."""
    by_title = {part.title: part for part in parts}
    title = st.segmented_control(
        label,
        list(by_title),
        default=first,
        required=True,
        key=key,
        bind="query-params",
        label_visibility="collapsed",
    )
    by_title[title].draw(shown)
