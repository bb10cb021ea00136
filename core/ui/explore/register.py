"""Register a table."""

import streamlit as st

from core.domain.data import (
    DataAsset,
)
from core.domain.errors import SpecInvalid
from core.domain.names import table_name
from core.ui.kit import tables, words
from core.ui.shell import actions, choices
from core.ui.shell.abilities import able
from core.workspace import Workspace


def register_form(workspace: Workspace) -> DataAsset | None:
    """Ask for a table and register it; the new asset, once."""
    with st.form("explore.register", border=False):
        left, right = st.columns([3, 2])
        source = left.text_input(
            "Table",
            key="explore.source",
            placeholder="bankmarketing_train, or /path/to/table.csv",
            help="A path, or a name such as `bankmarketing_train` that is looked up in the data folders. "
            "CSV (also .gz and .xz) and Parquet are read.",
        )
        name = right.text_input(
            "Register as", key="explore.name", placeholder="the table's own name", help="Empty: made from the table."
        )
        if not st.form_submit_button("Register", type="primary", icon=":material/add:", **able("data.register")):
            return None
    asset = actions.run("Reading the table", _register, workspace, source.strip(), name.strip())
    if asset is not None:
        choices.put("data", tables.key_of(asset))
        st.toast(f"{words.asset(asset.ref)}: {words.count(asset.rows)} rows", icon=":material/check_circle:")
    return asset


def _register(workspace: Workspace, source: str, name: str) -> DataAsset:
    if not source:
        raise SpecInvalid("No table was named", hint="Give a path, or a name such as bankmarketing_train")
    return workspace.data.register(name or table_name(source), source)
