"""Register a table: an uploaded file, a table of the data folders, or a path on this machine."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.domain.data import AvailableTable, DataAsset, DataSource
from core.domain.errors import SpecInvalid
from core.domain.names import table_name
from core.settings import Settings
from core.ui.kit import tables, words
from core.ui.shell import abilities, actions, choices, panels
from core.ui.shell.abilities import able
from core.ui.shell.markup import code, literal
from core.ui.shell.state import state
from core.workspace import Workspace

FORMATS = ("csv", "tsv", "txt", "data", "json", "jsonl", "ndjson", "parquet", "gz", "xz", "bz2")
ONE_CLICK_MAX = 6
"""More tables than these are picked from a list."""
PART = "explore.register_part"


def register_part(workspace: Workspace, known: Sequence[DataAsset]) -> None:
    """Ask for a table and register it; then this part closes, and the page opens the table."""
    part = panels.panel("Register a table", key=PART, opened_by="register", first=not known)
    if not part.open:
        return
    with part:
        upload, folders, path = st.tabs(["Upload a file", "Data folders", "Path on this machine"])
        with upload:
            _upload(workspace)
        with folders:
            _folders(workspace)
        with path:
            _path(workspace)


def samples(workspace: Workspace, key: str) -> None:
    """The tables that one click registers."""
    found = workspace.data.available() if workspace.can("data.available") else ()
    with st.container(horizontal=True, horizontal_alignment="left"):
        for table in found[:ONE_CLICK_MAX]:
            if st.button(
                literal(table.name),
                icon=":material/add:",
                key=f"explore.{key}.{table.name}",
                **able("data.register", help=_about(table)),
            ):
                _register(workspace.data.register, "", table.name)


def _upload(workspace: Workspace) -> None:
    if reason := abilities.lacking("data.upload"):
        abilities.say("Upload a file", reason)
        return
    file = st.file_uploader(
        "A table: CSV, TSV, JSON or Parquet, also compressed with gzip, xz or bzip2",
        type=list(FORMATS),
        key=f"explore.upload.{state.uploads}",
        max_upload_size=workspace.settings.upload_max_mb,
    )
    name = _name("explore.upload_name")
    if st.button(
        "Register the file",
        type="primary",
        icon=":material/add:",
        key="explore.register_upload",
        **able("data.upload", unless=file is None),
    ):
        assert file is not None
        _register(workspace.data.upload, name, file.name, file)


def _folders(workspace: Workspace) -> None:
    if reason := abilities.lacking("data.available"):
        abilities.say("Data folders", reason)
        return
    found = workspace.data.available()
    samples(workspace, "sample")
    if len(found) <= ONE_CLICK_MAX:
        st.caption(f"One click registers a table of the data folders ({_listed(workspace.settings.data_dir)}).")
        return
    by_name = {table.name: table for table in found}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.selectbox(
            "All tables of the data folders",
            list(by_name),
            key="explore.available",
            format_func=lambda name: f"{name} ({_about(by_name[name])})",
        )
        go = st.button(
            "Register this table", icon=":material/add:", key="explore.register_available", **able("data.register")
        )
    if go:
        _register(workspace.data.register, "", picked)


def _path(workspace: Workspace) -> None:
    with st.form("explore.register", border=False):
        left, right = st.columns([3, 2])
        source = left.text_input("Table", key="explore.source", placeholder="/path/to/table.csv").strip()
        with right:
            name = _name("explore.name")
        go = st.form_submit_button("Register", type="primary", icon=":material/add:", **able("data.register"))
    st.caption(_allowed(workspace.settings))
    if go:
        _register(_read_path, workspace, name, source)


def _allowed(settings: Settings) -> str:
    """Which paths may be typed here, and what decides it."""
    folders = (*settings.data_dir, *settings.read_dir)
    return (
        f"The app reads files below {_listed(folders)}. `SLIPWAY_READ_DIR` allows more folders; "
        "the command line (`data register`) reads any."
    )


def _listed(folders: Sequence[object]) -> str:
    return ", ".join(code(str(folder)) for folder in folders)


def _name(key: str) -> str:
    asked = st.text_input("Name", key=key, placeholder="the file's own name", help="Empty: made from the file's name.")
    return asked.strip()


def _about(table: AvailableTable) -> str:
    kind = words.SOURCES[table.kind].lower()
    if table.kind in (DataSource.TWIN, DataSource.DOWNLOAD):
        return kind
    return f"{kind}, {words.size(table.size_bytes)}" if table.size_bytes else kind


def _read_path(workspace: Workspace, name: str, source: str) -> DataAsset:
    if not source:
        raise SpecInvalid("No table was named", hint="Give a path, or a name such as bankmarketing_train")
    return workspace.data.register(name or table_name(source), source)


def _register(verb: Callable[..., DataAsset], *args: object) -> None:
    """Register, and have the page drawn anew with the table opened and this part closed."""
    asset = actions.run("Reading the table", verb, *args)
    if asset is None:
        return
    choices.put("data", tables.key_of(asset))
    panels.close(PART, opened_by="register")
    state.uploads += 1
    st.toast(
        f"Registered {literal(words.asset(asset.ref))}: {words.plural(asset.rows, 'row')}",
        icon=":material/check_circle:",
    )
    st.rerun()
