"""How a column's values are spread, and how often a target is positive among them. Values in, a plotly figure out."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from core.domain.data import NUMERIC, Bin, ColumnKind, ColumnProfile, Level
from core.ui.kit import words
from core.ui.kit.charts import QUIET, SERIES, laid_out, plain

SHOWN_MAX = 20
"""More categories than these are not told apart at a glance."""
LABEL_CHARS_MAX = 28
"""A longer category would take the room of its bar; a pointer on it tells the whole."""
MISSING = "(missing)"
RATE_ROWS_MIN = 30
"""The rate of fewer rows is mostly chance: one row alone is 0 % or 100 %."""


def distribution(column: ColumnProfile) -> go.Figure:
    """A histogram of numbers, or rows per category with those that have none."""
    return _histogram(column) if column.histogram else _categories(column)


def shown_levels(column: ColumnProfile) -> tuple[Level, ...]:
    """The categories that charts show: the most common ones, in the order of time where they are dates."""
    shown = column.levels[:SHOWN_MAX]
    return tuple(sorted(shown, key=lambda level: level.value)) if column.dates.startswith("ymd") else shown


def _histogram(column: ColumnProfile) -> go.Figure:
    whole = column.kind is ColumnKind.INTEGER
    bars = go.Bar(
        x=[_middle(b, whole) for b in column.histogram],
        y=[b.count for b in column.histogram],
        width=[0.92 * (b.high - b.low) for b in column.histogram],
        customdata=[(_within(b, whole), _share(b.count, column.rows)) for b in column.histogram],
        hovertemplate="%{customdata[0]}<br><b>%{y:,} rows</b>, %{customdata[1]}<extra></extra>",
        marker_color=SERIES[0],
    )
    figure = laid_out([bars], x=f"{plain(column.name)} (value)", y="Rows (count)")
    return figure.update_xaxes(dtick=1) if whole and _single_values(column.histogram) else figure


def _middle(bar: Bin, whole: bool) -> float:
    """Where a bar stands; whole numbers end one below the next bar, and the bar of 0 alone stands on 0."""
    return (bar.low + bar.high - (1 if whole else 0)) / 2


def _within(bar: Bin, whole: bool) -> str:
    last = bar.high - 1 if whole else bar.high
    return words.number(bar.low) if last <= bar.low else f"{words.number(bar.low)} to {words.number(last)}"


def _single_values(bars: Sequence[Bin]) -> bool:
    return len(bars) <= SHOWN_MAX and all(b.high - b.low == 1 for b in bars)


def _categories(column: ColumnProfile) -> go.Figure:
    levels = shown_levels(column)
    names = [level.value for level in levels]
    counts = [level.count for level in levels]
    colors = [SERIES[0]] * len(levels)
    if column.missing:
        names, counts, colors = [*names, MISSING], [*counts, column.missing], [*colors, QUIET]
    shares = [_share(n, column.rows) for n in counts]
    return _across(names, counts, colors, shares, x="Rows (count)", hover="<b>%{x:,} rows</b>, %{customdata[1]}")


def target_rates(column: ColumnProfile, target: str, positive: str, overall: float) -> go.Figure:
    """The percentage of positives in each category or number, against `overall`, the share in the whole table."""
    levels = [level for level in shown_levels(column) if level.target_rate is not None]
    title = f"Rows with {plain(target)} = {plain(positive)} (%)"
    if column.kind in NUMERIC:
        every = [level for level in column.levels if level.target_rate is not None]
        return _overall(_upright(sorted(every, key=lambda level: float(level.value)), column.name, title), overall)
    rates = [100 * (level.target_rate or 0.0) for level in levels]
    colors = [SERIES[1] if rate >= 100 * overall else QUIET for rate in rates]
    rows = [words.plural(level.count, "row") for level in levels]
    names = [level.value for level in levels]
    figure = _across(names, rates, colors, rows, x=title, hover="<b>%{x:.1f} %</b> of %{customdata[1]}")
    return _overall(figure.update_traces(marker_opacity=_opacities(levels)), overall, across=True)


def few_rows(column: ColumnProfile) -> bool:
    """Whether some rate is one of so few rows that chance may have made it."""
    every = column.levels if column.kind in NUMERIC else shown_levels(column)
    return any(level.count < RATE_ROWS_MIN for level in every if level.target_rate is not None)


def _opacities(levels: Sequence[Level]) -> list[float]:
    """Rates of few rows are pale."""
    return [1.0 if level.count >= RATE_ROWS_MIN else 0.35 for level in levels]


def _upright(levels: Sequence[Level], name: str, title: str) -> go.Figure:
    """The rate at each number, in their order."""
    bars = go.Bar(
        x=[level.value for level in levels],
        y=[100 * (level.target_rate or 0.0) for level in levels],
        customdata=[words.plural(level.count, "row") for level in levels],
        hovertemplate="%{x}<br><b>%{y:.1f} %</b> of %{customdata}<extra></extra>",
        marker={"color": SERIES[1], "opacity": _opacities(levels)},
    )
    return laid_out([bars], x=f"{plain(name)} (value)", y=title, xaxis_type="category")


def _overall(figure: go.Figure, overall: float, *, across: bool = False) -> go.Figure:
    """A line at the share in the whole table. Its text stands beside the bars: on them nobody could read it."""
    said = f"All rows: {100 * overall:.1f} %"
    figure.update_layout(margin_t=32)
    if across:
        figure.add_vline(x=100 * overall, line_dash="dot", line_color=QUIET)
    else:
        figure.add_hline(y=100 * overall, line_dash="dot", line_color=QUIET)
    return figure.add_annotation(
        text=said,
        x=100 * overall if across else 1,
        y=1,
        xref="x" if across else "paper",
        yref="paper",
        xanchor="center" if across and 15 < _position(figure, overall) < 85 else "left" if across else "right",
        yanchor="bottom",
        showarrow=False,
    )


def _position(figure: go.Figure, overall: float) -> float:
    """How far to the right a share stands, in percent of the axis."""
    longest = max(max(figure.data[0].x, default=0.0), 100 * overall)
    return 100 * (100 * overall) / longest if longest else 0.0


def _across(
    names: Sequence[str], values: Sequence[float], colors: Sequence[str], beside: Sequence[str], *, x: str, hover: str
) -> go.Figure:
    """Bars to the right, the first at the top; each has a place of its own, whatever its name."""
    bars = go.Bar(
        x=list(values),
        y=list(range(len(names))),
        orientation="h",
        customdata=[(plain(name), text) for name, text in zip(names, beside, strict=True)],
        hovertemplate=f"%{{customdata[0]}}<br>{hover}<extra></extra>",
        marker_color=list(colors),
    )
    ticks: dict[str, Any] = {"tickvals": list(range(len(names))), "ticktext": [plain(_short(n)) for n in names]}
    figure = laid_out([bars], x=x, y="", height=max(220, 70 + 24 * len(names)))
    return figure.update_yaxes(autorange="reversed", **ticks)


def _short(name: str) -> str:
    """A category as its axis names it; one that cannot be seen stands in quotation marks."""
    if not name.strip():
        return f'"{name}"'
    return name if len(name) <= LABEL_CHARS_MAX else f"{name[: LABEL_CHARS_MAX - 1].rstrip()}…"


def _share(count: int, rows: int) -> str:
    return words.percent(count / rows if rows else 0.0)
