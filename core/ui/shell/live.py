"""The live part of a page: it looks again and again, and stops when nothing more will happen."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.domain.errors import SlipwayError
from core.ui.shell import cached, failures

T = TypeVar("T")

FAST_S = 1.0
"""Seconds between looks while something moves."""
CALM_S = 10.0
"""Seconds between looks at what has no final state, and at what has just failed."""


def live(look: Callable[[], T], pace: Callable[[T], float | None], draw: Callable[[T], None]) -> None:
    """Draw what `look` gives, again every `pace(value)` seconds; None from `pace` means that the value is final.

    Only this part of the page is drawn again, so forms beside it keep their focus. When the pace changes, the whole
    page runs once more: what stands beside the live part learns of it, and a final value leaves no timer behind.
    An error of ours is drawn in place and looked at again.
    """
    with _waiting():
        seen = [_attempt(look)]
    every_s = _pace(pace, seen[0])

    @st.fragment(run_every=every_s)
    def part() -> None:
        outcome = seen.pop() if seen else _attempt(look)
        if _pace(pace, outcome) != every_s:
            st.rerun()
        if isinstance(outcome, SlipwayError):
            failures.show(outcome)
            return
        with failures.explained():
            draw(outcome)

    part()


def alone() -> bool:
    """Whether a part of the page is drawn by itself now, and not the page with it."""
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


def _waiting() -> AbstractContextManager[None]:
    """A distant workspace answers in seconds, so it is said that it was asked; one on this machine is quick."""
    distant = cached.workspace().pace.look_s > FAST_S
    return st.spinner("Asking the workspace …") if distant else nullcontext()


def _attempt(look: Callable[[], T]) -> T | SlipwayError:
    try:
        return look()
    except SlipwayError as error:
        return error


def _pace(pace: Callable[[T], float | None], outcome: T | SlipwayError) -> float | None:
    """Never more often than the workspace can tell something new."""
    wanted_s = CALM_S if isinstance(outcome, SlipwayError) else pace(outcome)
    return None if wanted_s is None else max(wanted_s, cached.workspace().pace.look_s)
