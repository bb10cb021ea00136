"""Forms over stored state: they follow it, and never overwrite what somebody else has changed.

The widgets are keyed by the state that they were made from, so that a change from elsewhere shows in the form. A save
that was made from an older state is refused, with what has changed meanwhile.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, ParamSpec, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.domain.errors import SlipwayError, StateChanged
from core.ui.shell import address, failures
from core.ui.shell.markup import literal
from core.ui.shell.state import Visit

P = ParamSpec("P")
T = TypeVar("T")
Say = Callable[[str, Any], str]


@dataclass(slots=True)
class _Seen:
    """What a visitor's form was last drawn from, and what is to be said above it."""

    stay: Visit
    stored: Mapping[str, Any]
    told: str = ""
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A form over `stored`, under a name of its own; `changed` says how its state differs from what was drawn."""

    name: str
    stored: Mapping[str, Any]
    changed: str

    def key(self, field: str) -> str:
        """The key of a field's widget: another one when the stored state is another. Give the widget its value too."""
        return f"{self.name}.{_revision(self.stored)}.{field}"

    def save(self, doing: str, verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> None:
        """Run the verb that saves the form and draw the page anew; not where the state has changed meanwhile.

        Call it where the button, whose key is without a revision, was pressed. Give the verb `expected=` where it takes
        it: then nothing can come between this look and the save.
        """
        if self.changed:
            _tell(self, f"**Nothing was saved**, since this was changed meanwhile: {self.changed}.", refused=True)
            st.rerun()
        try:
            with st.spinner(f"{doing} …"):
                verb(*args, **kwargs)
        except StateChanged as error:
            _tell(self, f"**Nothing was saved.** {literal(error.message)}", refused=True)
            st.rerun()
        except SlipwayError as error:
            failures.show(error)
            return
        st.session_state.pop(_kept(self.name), None)
        st.rerun()

    def follow(self) -> None:
        """Call it after the form: where its state has changed, what stands around a tab is drawn anew, too."""
        context = get_script_run_ctx()
        if self.changed and context is not None and context.fragment_ids_this_run:
            st.rerun()


def draft(name: str, stored: Mapping[str, Any], say: Say | None = None) -> Draft:
    """Begin a form over `stored`, saying above it what has changed since it was drawn.

    `say(field, value)` gives a field with its value in words, such as "v1 gets 90 %".
    """
    stay, seen = address.current(), st.session_state.get(_kept(name))
    if seen is None or seen.stay is not stay:
        seen = _Seen(stay, dict(stored))
    changed = _difference(seen.stored, stored, say or _plainly)
    if changed and not seen.refused:
        seen = _Seen(stay, seen.stored, f"Changed meanwhile, and shown below: {changed}.")
    begun = Draft(name, stored, changed)
    st.session_state[_kept(name)] = _Seen(stay, dict(stored), seen.told, seen.refused and not changed)
    if seen.told:
        (st.error if seen.refused else st.info)(seen.told, icon=":material/sync_problem:")
    return begun


def _tell(draft: Draft, told: str, *, refused: bool) -> None:
    st.session_state[_kept(draft.name)] = _Seen(address.current(), dict(draft.stored), told, refused)


def _difference(was: Mapping[str, Any], now: Mapping[str, Any], say: Say) -> str:
    fields = [field for field in {**was, **now} if was.get(field) != now.get(field)]
    return "; ".join(f"{say(field, now.get(field))} (was {_value(was.get(field))})" for field in fields)


def _plainly(field: str, value: Any) -> str:
    return f"{field} is {_value(value)}"


def _value(value: Any) -> str:
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "empty"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _revision(stored: Mapping[str, Any]) -> str:
    return blake2b(repr(sorted(stored.items())).encode(), digest_size=6).hexdigest()


def _kept(name: str) -> str:
    return f"slipway.draft.{name}"
