"""One row asked for, with a field for each column that a model reads."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.contract.samples import typical_row
from core.domain.data import ColumnKind
from core.domain.signature import Column, Scalar, Signature
from core.ui.shell.markup import literal

FIELDS = "row-fields"
"""Of the container: the style sheet lays them out, as many beside each other as can be read."""
FIELDS_MAX = 120
"""A form of 1,500 fields takes seconds at each click; the others are sent with their median or most common values."""
NAMES_MAX = 20
MISSING = "(missing)"

Row = Mapping[str, Scalar | None]


def row_form(name: str, signature: Signature, *, key: str = "deploy.try", act: str = "Score") -> Row | None:
    """Ask for one row, median and most common values in place; None until it is sent. Kept by the model's `name`."""
    with st.form(key, border=True):
        row = typical_row(signature)
        asked = signature.used[:FIELDS_MAX]
        with st.container(key=FIELDS):
            for column in asked:
                row[column.name] = field(column, key=f"{key}.{name}.{column.name}")
        if others := len(signature.used) - len(asked):
            st.caption(
                f"{others:,} more columns are sent with their median or most common values; use JSON to change them."
            )
        if ignored := [c.name for c in signature.columns if not c.used]:
            more = f" and {len(ignored) - NAMES_MAX:,} more" if len(ignored) > NAMES_MAX else ""
            st.caption(f"Not read by this model: {literal(', '.join(ignored[:NAMES_MAX]))}{more}.")
        return row if st.form_submit_button(act, type="primary", icon=":material/send:") else None


def field(column: Column, *, key: str) -> Scalar | None:
    """The input for one column, its median or most common value in place; None where a nullable one is left empty."""
    if column.kind is ColumnKind.BOOLEAN:
        return _choice(column, [True, False], key)
    if column.kind is ColumnKind.STRING:
        return _text(column, key)
    return _number(column, key)


def _text(column: Column, key: str) -> Scalar | None:
    if column.levels:
        return _choice(column, list(column.levels), key)
    typed = st.text_input(literal(column.name), value=str(column.typical or ""), key=key, persist_state="page")
    return None if typed == "" and column.nullable else typed


def _choice(column: Column, options: Sequence[Scalar], key: str) -> Scalar | None:
    offered = [*options, MISSING] if column.nullable else list(options)
    first = offered.index(column.typical) if column.typical in offered else 0
    open_set = column.kind is ColumnKind.STRING and not column.closed
    picked = st.selectbox(
        literal(column.name),
        offered,
        index=first,
        key=key,
        format_func=_shown,
        accept_new_options=open_set,
        help="Other values are accepted and scored as unseen." if open_set else None,
        persist_state="page",
    )
    return None if picked == MISSING else picked


def _shown(option: object) -> str:
    return {True: "true", False: "false"}[option] if isinstance(option, bool) else str(option)


def _number(column: Column, key: str) -> Scalar | None:
    whole = column.kind is ColumnKind.INTEGER
    cast = int if whole else float
    typical = cast(column.typical) if isinstance(column.typical, int | float) else None if column.nullable else cast(0)
    seen = None
    if column.low is not None and column.high is not None:
        seen = f"Seen in training: {column.low:g} to {column.high:g}." + (" May be left empty." * column.nullable)
    given = st.number_input(
        literal(column.name),
        value=typical,
        step=1 if whole else None,
        format="%d" if whole else "%g",
        key=key,
        help=seen,
        persist_state="page",
    )
    return None if given is None else cast(given)
