"""Which backend the visitor looks at: the settings' own, or another that is chosen on Home for this session.

What differs stands in the address of every page, so that a link or F5 shows the same workspace.
"""

from collections.abc import Mapping

import streamlit as st

from core.ui.shell import address, cached
from core.ui.shell.markup import literal
from core.ui.shell.state import state
from core.workspace import BACKENDS

NAMES: Mapping[str, str] = {"local": "This machine", "azure": "Azure Machine Learning"}
"""What people call a backend; another keeps its own name."""
KEY = "workspace"


def settle() -> None:
    """Take the backend from an address that the visitor came by, and say in the address which one is shown."""
    named = address.take(KEY, "frame")
    if named and named in BACKENDS:
        state.backend = named
    elif named:
        known = " and ".join(sorted(BACKENDS))
        st.warning(f"There is no workspace **{literal(named)}** here. There are {known}.", icon=":material/link_off:")
    _tell()


def switch() -> None:
    """Choose where to work; all pages follow."""
    now = cached.workspace().settings.workspace
    options = [name for name in BACKENDS if name in (*NAMES, now, cached.default_backend())]
    picked = st.segmented_control(
        "Workspace",
        options,
        default=now,
        format_func=lambda name: NAMES.get(name, name),
        key=f"home.backend.{now}",
        required=True,
        label_visibility="collapsed",
    )
    if picked and picked != now:
        state.backend = picked
        _tell()
        st.rerun()


def _tell() -> None:
    default = cached.default_backend()
    address.write({KEY: state.backend if state.backend != default else ""})
