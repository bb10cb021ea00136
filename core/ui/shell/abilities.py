"""What the workspace can do, and the reason that stands beside what it cannot."""

from typing import TypedDict

import streamlit as st

from core.ui.shell import cached


class Ability(TypedDict):
    """Two arguments of a widget that asks for something: whether it is greyed, and what a pointer on it is told."""

    disabled: bool
    help: str | None


def lacking(*verbs: str) -> str:
    """Why the workspace cannot do all of these, such as `endpoints.deploy`; empty where it can.

    Raises KeyError for a verb that the interface has not: that is a slip of ours.
    """
    workspace = cached.workspace()
    missing = [f"`{verb}`" for verb in verbs if not workspace.can(verb)]
    if unknown := [verb for verb in verbs if verb not in workspace.verbs]:
        raise KeyError(unknown[0])
    if not missing:
        return ""
    if reasons := dict.fromkeys(workspace.reasons[verb] for verb in verbs if verb in workspace.reasons):
        return " ".join(reasons)
    return f"The {workspace.settings.workspace} workspace cannot do this: it lacks {' and '.join(missing)}."


def able(*verbs: str, unless: bool = False, help: str = "") -> Ability:
    """How a widget that calls these verbs is drawn: greyed with the reason where they are lacking, or `unless`."""
    reason = lacking(*verbs)
    return Ability(disabled=unless or bool(reason), help=reason or help or None)


def say(what: str, reason: str) -> None:
    """Something that this workspace cannot do stands here: greyed, with the reason."""
    st.markdown(f":gray[:material/block: **{what}** · {reason}]")
