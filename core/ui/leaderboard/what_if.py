"""One row, answered by a trial's model and explained; what if a value were another is a change of the form away."""

import streamlit as st

from core.domain.explanation import Explanation
from core.domain.signature import Signature
from core.ui.kit import charts, reasons, words
from core.ui.kit.row_form import row_form
from core.ui.leaderboard import cached
from core.ui.leaderboard.opened import Opened
from core.ui.shell import actions
from core.ui.shell.markup import literal


def show(opened: Opened) -> None:
    """A form with typical values, and what the model says to them and why."""
    signature = cached.signature(opened.board.job.id)
    row = row_form(opened.key, signature, key="trial.row", act="Explain")
    kept = f"trial.explained.{opened.key}"
    if row is not None:
        verb = opened.board.workspace.jobs.explain
        before = st.session_state.get(kept)
        found = actions.run("Explaining", verb, *opened.pick[:2], row)
        if found is not None:
            st.session_state[kept] = (found, before[0] if before else None)
    if kept in st.session_state:
        _answer(opened, signature, *st.session_state[kept])
    else:
        st.caption("Change the values, then see what the model predicts and which columns led to it.")


def _answer(opened: Opened, signature: Signature, found: Explanation, before: Explanation | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if found.probabilities and signature.classes:
            charts.show(
                charts.probabilities(signature.classes, found.probabilities),
                key=f"trial.answer.{opened.key}",
                alt="Probability of each class",
            )
            _moved(signature, found, before)
        else:
            changed = None if before is None else words.brief(found.score - before.score, 4, "+")
            st.metric(f"Predicted {literal(signature.target)}", words.number(found.score), changed, width="content")
    reasons.show(found, key=f"trial.contributions.{opened.key}")
    reasons.caption(found)


def _moved(signature: Signature, found: Explanation, before: Explanation | None) -> None:
    """How the answer differs from the one to the row before."""
    if before is None or len(before.probabilities) != len(found.probabilities):
        return
    largest = max(range(len(found.probabilities)), key=lambda at: found.probabilities[at])
    change = found.probabilities[largest] - before.probabilities[largest]
    said = literal(str(signature.classes[largest]))
    st.caption(f"{said}: {100 * change:+.1f} percentage points compared with the previous row.", width="content")
