"""Why the row that was just scored got its answer: below the answer, which does not wait for it."""

import streamlit as st

from core.domain.errors import SlipwayError
from core.domain.explanation import Explanation
from core.domain.model import Model
from core.ui.kit import reasons
from core.ui.kit.row_form import Row
from core.ui.shell import failures
from core.workspace import Workspace

KEPT = "deploy.why"


def show(workspace: Workspace, model: Model, row: Row | None) -> None:
    """What each column contributed; nothing where a whole body was sent, or the backend cannot explain."""
    if row is None or not workspace.can("models.explain"):
        return

    @st.fragment
    def part() -> None:
        with st.expander("Why this answer", expanded=True, icon=":material/balance:"):
            asked = (model.ref, tuple(row.items()))
            kept = st.session_state.get(KEPT)
            if kept is None or kept[0] != asked:
                with st.spinner("Adding up what each column contributes …"):
                    kept = (asked, _explained(workspace, model, row))
                st.session_state[KEPT] = kept
            found = kept[1]
            if isinstance(found, SlipwayError):
                failures.show(found)
                return
            reasons.show(found, key="deploy.reasons")
            reasons.caption(found)

    part()


def _explained(workspace: Workspace, model: Model, row: Row) -> Explanation | SlipwayError:
    try:
        return workspace.models.explain(model.name, model.version, row)
    except SlipwayError as e:
        return e
