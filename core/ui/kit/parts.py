"""Parts of a page: a table of them, all drawn one below the other, or one that the visitor chooses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from core.ui.shell import abilities, choices, failures

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


def choose(label: str, parts: Sequence[Part[T]], look: Callable[[], T], *, key: str, first: str) -> None:
    """Let the visitor (or the address, under `key`) choose a part, `first` unless told, and draw it.

    What is done within the part draws this alone again, from what `look` then gives: not the page around it.
    """
    by_title = {part.title: part for part in parts}
    labels = {part.title: _label(part) for part in parts}

    @st.fragment
    def chosen() -> None:
        with failures.explained():
            title = choices.choose(label, labels, key=key, first=first, noun="tab", draw=choices.tabs)
            _draw(by_title[title], look())

    chosen()


def _label(part: Part[T]) -> str:
    return f":gray[{part.title}]" if abilities.lacking(*part.needs) else part.title


def _draw(part: Part[T], shown: T) -> None:
    if reason := abilities.lacking(*part.needs):
        abilities.say(part.title, reason)
    else:
        part.draw(shown)
