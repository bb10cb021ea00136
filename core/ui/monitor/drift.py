"""The Drift tab: which columns are not as they were in training, what matters first."""

import time
from collections.abc import Mapping

import streamlit as st

from core.domain.drift import ColumnDrift, DriftReport, DriftVerdict
from core.domain.errors import Conflict
from core.ui.kit import charts, words
from core.ui.kit.charts import plain
from core.ui.monitor import cached, data_charts
from core.ui.monitor.asked import choose_span, lately
from core.ui.monitor.collected import not_kept
from core.ui.monitor.opened import Opened
from core.ui.shell import actions, choices
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal

VERDICTS: Mapping[DriftVerdict, str] = {
    DriftVerdict.MATTERS: "Drifted, and matters",
    DriftVerdict.DRIFTED: "Drifted",
    DriftVerdict.SAME: "As in training",
    DriftVerdict.TOO_FEW: "Too few rows",
}
COLORS = ("red", "orange", "green", "gray")
SCORE, SCORE_ID = "(score)", ":score"
"""What the model's own score is called among columns, and in an address."""


def show(opened: Opened) -> None:
    """The verdicts, and one column in full."""
    window_s = choose_span("drift_window", "24h")
    look = cached.drift(opened.name, window_s)
    try:
        report = look.told()
    except Conflict as error:
        not_kept(opened, error)
        return
    _summary(report, window_s)
    if not report.enough:
        return
    columns = (*report.columns, report.score) if report.score else report.columns
    above = st.container()
    by_id = {c.column or SCORE_ID: c for c in columns}
    names = {column: column if column != SCORE_ID else "Score, which the model gave" for column in by_id}
    chosen = choices.choose("Column", names, key="drifted", scope=opened.name)
    with above:
        _table(opened, list(by_id.values()), chosen)
    _column(opened, report, by_id[chosen])


def _summary(report: DriftReport, window_s: float) -> None:
    """The verdict over all columns, and what it stands on."""
    drifted = report.drifted()
    matter = [c.column for c in drifted if c.verdict is DriftVerdict.MATTERS]
    if not report.enough:
        st.info(
            f"**Too few rows to say anything:** {words.plural(report.rows, 'row')} in {lately(window_s)}, "
            f"{words.count(report.rows_needed)} are needed.",
            icon=":material/hourglass_empty:",
        )
    elif matter:
        names = ", ".join(f"**{literal(name)}**" for name in matter)
        st.warning(
            f"{words.plural(len(drifted), 'column has', 'columns have')} drifted; the model leans on {names}.",
            icon=":material/warning:",
        )
    elif drifted:
        unknown = [c.column for c in drifted if c.importance is None]
        told = "how much the model leans on them is not known" if unknown else "none that matters to the model"
        st.info(f"{words.plural(len(drifted), 'column has', 'columns have')} drifted, {told}.", icon=":material/info:")
    else:
        st.success(
            f"All {words.plural(len(report.columns), 'column')} are as in training.", icon=":material/check_circle:"
        )
    now = time.time()
    trained = f"{words.count(report.training_rows)} rows of training" if report.training_rows else "its training data"
    names = ", ".join(literal(name) for name in report.masked)
    masked = f" Not kept, so nothing is known of them: {names}." if names else ""
    kept = f", {report.sampled_pct:g} % of requests kept" if report.sampled_pct < 100 else ""
    st.caption(
        f"{words.plural(report.rows, 'row')} of {words.plural(report.requests, 'request')} to {report.deployment} "
        f"(model {literal(report.model)}:{report.model_version}), {words.moment(report.since, now)} to "
        f"{words.moment(report.until, now)}{kept}, against {trained}. Looked at once a minute.{masked}"
    )


def _table(opened: Opened, columns: list[ColumnDrift], chosen: str) -> None:
    """One verdict a column; a click opens its picture."""
    key = f"monitor.drift.{opened.name}"
    row = next(i for i, c in enumerate(columns) if (c.column or SCORE_ID) == chosen)
    st.session_state[key] = {"selection": {"rows": [row]}}

    def clicked() -> None:
        if rows := st.session_state[key]["selection"].get("rows", []):
            choices.put("drifted", columns[rows[0]].column or SCORE_ID, scope=opened.name)

    st.dataframe(
        cells(columns, time.time()),
        key=key,
        hide_index=True,
        height=min(38 + 35 * len(columns), 390),
        on_select=clicked,
        selection_mode="single-row-required",
        column_config={
            "Verdict": st.column_config.MultiselectColumn(options=list(VERDICTS.values()), color=list(COLORS)),
            "PSI": st.column_config.NumberColumn(
                format="%.3f", help="Population stability index: 0 is no difference in the shares of the bins."
            ),
            "Limit": st.column_config.NumberColumn(format="%.3f", help="The PSI above which the column has drifted."),
            "p-value": st.column_config.TextColumn(help="Corrected for the number of columns (Holm)."),
            "Effect": st.column_config.NumberColumn(
                format="%.2f",
                help="Numbers: the shift of the mean, in training standard deviations. Categories: the total "
                "variation, 0 to 1.",
            ),
            "Importance": st.column_config.ProgressColumn(
                format="percent", min_value=0.0, max_value=1.0, help="Share of the model's importance."
            ),
            "Unseen": st.column_config.NumberColumn(help="Rows with a category that training never saw."),
        },
    )


def cells(columns: list[ColumnDrift], now: float) -> dict[str, list[object]]:
    """By heading."""
    told: dict[str, list[object]] = {
        "Column": [c.column or SCORE for c in columns],
        "Verdict": [[VERDICTS[c.verdict]] for c in columns],
        "PSI": [c.psi for c in columns],
        "Limit": [c.limit for c in columns],
        "Importance": [c.importance for c in columns],
        "Effect": [c.effect for c in columns],
        "Test": [c.test or words.DASH for c in columns],
        "p-value": [_p_value(c.p_value) for c in columns],
        "Began": [words.moment(c.began, now) for c in columns],
    }
    if any(c.unseen for c in columns):
        told["Unseen"] = [sum((c.unseen or {}).values()) for c in columns]
    return told


def _p_value(p: float | None) -> str:
    if p is None:
        return words.DASH
    return "< 0.0001" if p < 1e-4 else f"{p:.4f}"


def _column(opened: Opened, report: DriftReport, column: ColumnDrift) -> None:
    """Its picture, when it began, what training never saw, and the limit."""
    now, name = time.time(), column.column or "The score"
    began = f" It began about {words.moment(column.began, now)}." if column.began else ""
    st.markdown(f"**{literal(name)}: {VERDICTS[column.verdict].lower()}.**{began}")
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if column.bins:
            figure = data_charts.bins(column.bins, f"{plain(name)} (value)")
            charts.show(figure, key=f"monitor.drift.bins.{column.column}", alt=f"{name} in training and lately")
            st.caption(f"{words.plural(column.rows, 'recent row')} against the training data, in the same bins.")
    with right:
        _unseen(column)
        _limit(opened, column)


def _unseen(column: ColumnDrift) -> None:
    if not column.unseen:
        return
    st.markdown("**Categories that training never saw**")
    most = sorted(column.unseen.items(), key=lambda item: -item[1])[:10]
    st.dataframe(
        {"Category": [name for name, _ in most], "Rows": [n for _, n in most]},
        hide_index=True,
        key=f"monitor.unseen.{column.column}",
    )


def _limit(opened: Opened, column: ColumnDrift) -> None:
    """From which PSI on this column counts as drifted."""
    key = f"monitor.limit.{opened.name}.{column.column}"
    verb = "records.set_drift_limit"
    with st.form(key, border=True):
        limit = st.number_input(
            "PSI limit of this column",
            min_value=0.0,
            value=column.limit,
            step=0.01,
            format="%.3f",
            key=f"{key}.{column.limit}",
            help="Lower finds smaller shifts. It counts for the page and for alerts.",
        )
        with st.container(horizontal=True):
            saved = st.form_submit_button("Save", type="primary", **able(verb))
            usual = st.form_submit_button("Use the common limit", **able(verb))
    if saved or usual:
        actions.apply("Saving", _set_limit, opened, column.column, None if usual else limit)


def _set_limit(opened: Opened, column: str, limit: float | None) -> bool:
    opened.workspace.records.set_drift_limit(opened.name, column, limit)
    cached.forget()
    return True
