"""How a table was read, and a click to read it the other way."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from core.domain.data import (
    DataAsset,
    DataSource,
    Note,
    NoteKind,
    Reading,
)
from core.ui.kit import tables
from core.ui.shell import actions, choices
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal
from core.workspace import Workspace

NOTE_ICONS: Mapping[NoteKind, str] = {
    NoteKind.SPELLINGS: "help",
    NoteKind.MIXED: "help",
    NoteKind.STRAYS: "warning",
    NoteKind.RAGGED: "warning",
    NoteKind.HEADER: "help",
}

READABLE = (DataSource.FILE, DataSource.CACHE, DataSource.UPLOAD)
"""What is still there to be read in another way."""


def draw_notes(workspace: Workspace, asset: DataAsset) -> None:
    """What was done to the table when it was read; a click reads it the other way where somebody may want that."""
    if not asset.notes:
        return
    with st.container(border=True, gap="xsmall"):
        st.markdown("**How it was read**")
        for number, note in enumerate(asset.notes):
            left, right = st.columns([4, 1], vertical_alignment="center")
            left.markdown(f":material/{NOTE_ICONS.get(note.kind, 'info')}: {literal(note.text)}")
            other = _otherwise(note, asset.reading)
            if other is None or asset.source not in READABLE:
                continue
            label, reading = other
            # Before the page is drawn again: the list of tables then opens on what was read.
            right.button(
                label,
                key=f"explore.note.{asset.ref}.{number}",
                width="stretch",
                on_click=_read_again,
                args=(workspace, asset, reading),
                **able("data.read_again"),
            )


def _otherwise(note: Note, reading: Reading) -> tuple[str, Reading] | None:
    """What a click on a note does: its label, and the reading that the table then gets."""
    match note.kind:
        case NoteKind.SPELLINGS:
            return "Merge them", replace(reading, merge_spellings=True)
        case NoteKind.MERGED:
            return "Keep them apart", replace(reading, merge_spellings=False)
        case NoteKind.HEADER:
            named = "the names" in note.text
            return (
                ("It is a row", replace(reading, header=False))
                if named
                else ("It is the header", replace(reading, header=True))
            )
        case NoteKind.NUMBERS if note.option == "decimal":
            comma = "decimal comma" in note.text or "1.234 is" in note.text
            return (
                ("Decimal point", replace(reading, decimal="."))
                if comma
                else ("Decimal comma", replace(reading, decimal=","))
            )
    return None


def _read_again(workspace: Workspace, asset: DataAsset, reading: Reading) -> None:
    again = actions.run("Reading the table", workspace.data.read_again, asset.ref, reading)
    if again is not None:
        choices.put("data", tables.key_of(again))
