"""Data assets for people: register one, choose one, see each of its columns."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from core.domain.data import (
    ColumnKind,
    ColumnProfile,
    DataAsset,
    DataRef,
    DataSource,
    Note,
    NoteKind,
    Reading,
    TableProfile,
    TableSample,
)
from core.domain.endpoint import endpoint_name
from core.domain.errors import SpecInvalid
from core.ui.kit import charts, words
from core.ui.shell import actions, choices
from core.workspace import Workspace

NO_TARGET = "none"
NOTE_ICONS: Mapping[NoteKind, str] = {
    NoteKind.SPELLINGS: "help",
    NoteKind.MIXED: "help",
    NoteKind.STRAYS: "warning",
    NoteKind.RAGGED: "warning",
    NoteKind.HEADER: "help",
}


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
        if not st.form_submit_button("Register", type="primary", icon=":material/add:"):
            return None
    asset = actions.run("Reading the table", _register, workspace, source.strip(), name.strip())
    if asset is not None:
        choices.put("data", key_of(asset))
        st.toast(f"{words.asset(asset.ref)}: {words.count(asset.rows)} rows", icon=":material/check_circle:")
    return asset


def _register(workspace: Workspace, source: str, name: str) -> DataAsset:
    if not source:
        raise SpecInvalid("No table was named", hint="Give a path, or a name such as bankmarketing_train")
    return workspace.register_data(name or endpoint_name(Path(source).name.partition(".")[0]), source)


def key_of(asset: DataAsset) -> str:
    """How an address names a data version: `bankmarketing-train:1`."""
    return f"{asset.name}:{asset.version}"


def choose(assets: Sequence[DataAsset], *, key: str = "data", label: str = "Table") -> DataAsset:
    """The data version that the visitor (or the address, under `key`) chooses."""
    by_key = {key_of(asset): asset for asset in assets}
    return by_key[choices.choose(label, {k: words.asset(a.ref) for k, a in by_key.items()}, key=key)]


def choose_target(profile: TableProfile) -> str:
    """The column whose rate is shown per level, or nothing: only columns with two values have a rate."""
    binary = [c.name for c in profile.columns if c.distinct == 2]
    picked = st.selectbox(
        "Target",
        [NO_TARGET, *binary],
        key="target",
        bind="query-params",
        format_func=lambda name: "No target" if name == NO_TARGET else name,
        help="Columns with two values. Each category then shows how often the target is positive in it.",
    )
    return "" if picked == NO_TARGET else picked


def facts(asset: DataAsset, profile: TableProfile, now: float) -> None:
    """The table in five figures."""
    cells = profile.rows * len(profile.columns)
    missing = sum(c.missing for c in profile.columns)
    figures = (
        ("Rows", words.count(asset.rows)),
        ("Columns", words.count(len(asset.columns))),
        ("Missing cells", words.percent(missing / cells if cells else 0.0)),
        ("Source", words.SOURCES[asset.source]),
        ("Stored", words.size(asset.size_bytes)),
    )
    for column, (label, value) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(label, value)
    st.caption(
        f"Read from `{asset.origin}`, registered {words.ago(asset.created_at, now)} · SHA-256 `{asset.sha256[:12]}…`"
    )


def notes(workspace: Workspace, asset: DataAsset) -> None:
    """What was done to the table when it was read; a click reads it the other way where somebody may want that."""
    if not asset.notes:
        return
    with st.container(border=True, gap="xsmall"):
        st.markdown("**How it was read**")
        for number, note in enumerate(asset.notes):
            left, right = st.columns([4, 1], vertical_alignment="center")
            left.markdown(f":material/{NOTE_ICONS.get(note.kind, 'info')}: {words.literal(note.text)}")
            other = _otherwise(note, asset.reading)
            if other is None or asset.source not in (DataSource.FILE, DataSource.CACHE):
                continue
            label, reading = other
            # Before the page is drawn again: the list of tables then opens on what was read.
            right.button(
                label,
                key=f"explore.note.{number}",
                width="stretch",
                on_click=_read_again,
                args=(workspace, asset, reading),
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
    again = actions.run("Reading the table", workspace.register_data, asset.name, asset.origin, reading)
    if again is not None:
        choices.put("data", key_of(again))


def columns_table(profile: TableProfile) -> None:
    """Every column in a row; a click opens it below."""
    rows = {
        "Column": [c.name for c in profile.columns],
        "Kind": ["Date" if c.dates else words.KINDS[c.kind] for c in profile.columns],
        "Shape": [shape(c) for c in profile.columns],
        "Missing": [100 * c.missing / c.rows if c.rows else 0.0 for c in profile.columns],
        "Distinct": [c.distinct for c in profile.columns],
        "Typical": [str(c.typical) if c.typical is not None else words.DASH for c in profile.columns],
        "Range": [_range(c) for c in profile.columns],
    }
    if any(words.ROLES[c.role] for c in profile.columns):
        rows["Remark"] = [words.ROLES[c.role] for c in profile.columns]
    st.dataframe(
        rows,
        key="explore.columns",
        hide_index=True,
        height=min(38 + 35 * len(profile.columns), 390),
        on_select=lambda: _open_column(profile),
        selection_mode="single-row",
        column_config={
            "Kind": st.column_config.TextColumn(width=80),
            "Shape": st.column_config.BarChartColumn(help="Rows per bar: a histogram, or the commonest categories"),
            "Missing": st.column_config.NumberColumn(format="%.1f %%", width=80),
            "Distinct": st.column_config.NumberColumn(format="localized", width=80),
            "Typical": st.column_config.TextColumn(help="The median, or the commonest value"),
        },
    )


def _open_column(profile: TableProfile) -> None:
    rows = st.session_state["explore.columns"].selection.rows
    if rows:
        st.session_state["column"] = profile.columns[rows[0]].name


def shape(column: ColumnProfile) -> list[int]:
    """The counts of a column's histogram, or of its ten commonest categories."""
    return [b.count for b in column.histogram] or [level.count for level in column.levels[:10]]


def _range(column: ColumnProfile) -> str:
    if column.low is None or column.high is None:
        return words.DASH
    return f"{_number(column.low)} to {_number(column.high)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.6g}"


def column_detail(ref: DataRef, profile: TableProfile, target: str) -> None:
    """One column in full: its facts, its distribution, and the target's rate in each of its categories."""
    name = st.selectbox("Column", [c.name for c in profile.columns], key="column", bind="query-params")
    column = profile.column(name)
    st.markdown(_described(column))
    rated = target != "" and target != name and any(level.target_rate is not None for level in column.levels)
    left, right = st.columns(2, gap="medium") if rated else (st.container(), st.container())
    with left:
        st.markdown("**How its values are spread**")
        alt = f"Distribution of {name}"
        charts.show(charts.distribution(column), key=f"explore.{ref}.{name}", alt=alt)
    if rated:
        positive = _positive(profile.column(target))
        with right:
            st.markdown(f"**How often {target} is {positive} in each category**")
            rates = charts.target_rates(column, target, positive)
            charts.show(rates, key=f"explore.{ref}.{name}.{target}", alt=f"Rate of {target} by {name}")
    elif target and target != name:
        st.caption(f"Rates of {target} are shown for columns with categories.")


def _described(column: ColumnProfile) -> str:
    facts = [words.KINDS[column.kind], f"{words.plural(column.distinct, 'distinct value')}"]
    facts.append(f"{words.count(column.missing)} missing" if column.missing else "nothing missing")
    if column.kind in (ColumnKind.INTEGER, ColumnKind.NUMBER) and column.mean is not None:
        facts.append(f"{_range(column)}, mean {_number(round(column.mean, 4))}")
        if len(column.quantiles) == 5:
            facts.append(f"half of it between {_number(column.quantiles[1])} and {_number(column.quantiles[3])}")
    elif column.typical is not None:
        facts.append(f"most often {column.typical}")
    if words.ROLES[column.role]:
        facts.append(f":orange[{words.ROLES[column.role].lower()}]")
    return " · ".join(facts)


def _positive(target: ColumnProfile) -> str:
    """The value whose rate is shown: the one that the profile rates with 1 in the target's own levels."""
    rated = {level.value: level.target_rate for level in target.levels}
    return next((value for value, rate in rated.items() if rate == 1.0), min(rated, default="positive"))


def preview(sample: TableSample) -> None:
    """The first rows as they are."""
    st.dataframe(
        {name: [row[i] for row in sample.rows] for i, name in enumerate(sample.columns)},
        key="explore.preview",
        hide_index=True,
    )
    st.caption(f"The first {words.plural(len(sample.rows), 'row')} of the table.")
