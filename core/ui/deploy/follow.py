"""Forms that follow the state they were made from: what was changed elsewhere shows up, and is not overwritten."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.ui.kit.words import DASH
from core.ui.shell import actions
from core.ui.shell.markup import literal


@dataclass(frozen=True, slots=True)
class Draft:
    """A form over some stored facts as they are now."""

    name: str
    version: str
    changed: str
    """What has become another since the visitor saw the form last."""

    def key(self, field: str) -> str:
        """The key of a field's widget: another one when the facts are others, so that the field begins anew.

        Buttons keep a key without it: else the click on a form that is out of date would be lost without a word.
        """
        return f"{self.name}.{self.version}.{field}"

    def save(self, doing: str, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Run a verb and draw the page anew; where the facts were changed since they were seen, only say how."""
        if self.changed:
            st.warning(
                f"**Nothing was applied.** This was changed elsewhere while the form was open: {self.changed}. "
                "The form now shows the new state.",
                icon=":material/sync_problem:",
            )
        elif actions.run(doing, verb, *args, **kwargs) is not None:
            st.session_state.pop(_seen(self.name), None)
            st.rerun()


def draft(form: str, facts: Mapping[str, str]) -> Draft:
    """Begin a form, drawn from these facts as people read them."""
    before: Mapping[str, str] = st.session_state.get(_seen(form), facts)
    st.session_state[_seen(form)] = dict(facts)
    names = [*facts, *(name for name in before if name not in facts)]
    changed = "; ".join(
        f"{literal(name)} {literal(before.get(name, DASH))} → {literal(facts.get(name, DASH))}"
        for name in names
        if before.get(name) != facts.get(name)
    )
    return Draft(form, f"{zlib.crc32(repr(sorted(facts.items())).encode()):08x}", changed)


def _seen(form: str) -> str:
    return f"slipway.seen.{form}"
