"""Delete a table, after a second click."""

import streamlit as st

from core.domain.data import DataAsset
from core.ui.kit import words
from core.ui.shell import actions
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal
from core.workspace import Workspace


def draw_delete(workspace: Workspace, asset: DataAsset) -> None:
    """A table that something uses is kept, and who uses it is said."""
    with st.popover("Delete", icon=":material/delete:", key=f"explore.delete.{asset.ref}", **able("data.delete")):
        st.markdown(
            f"Delete **{literal(words.asset(asset.ref))}** and the copy of its rows that the workspace keeps? "
            "A table that jobs, models or deployments use cannot be deleted."
        )
        # A key for each version: the second of two quick clicks must not meet the version that is shown next.
        sure = st.button(
            "Delete this version", type="primary", icon=":material/delete:", key=f"explore.confirm_delete.{asset.ref}"
        )
        if sure and actions.run("Deleting", workspace.data.delete, asset.ref) is not None:
            st.toast(f"Deleted {literal(words.asset(asset.ref))}", icon=":material/delete:")
            st.rerun()
