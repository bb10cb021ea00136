"""Charts of predictions on rows that a model never saw, each with the place of the threshold that is chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from core.domain.explanation import (
    Curve,
    CurveName,
    Explanation,
    Importance,
    PairedDifference,
    PartialDependence,
    Scale,
    ThresholdTable,
)
from core.ui.kit import words
from core.ui.kit.charts import BAD, GOOD, QUIET, SERIES, laid_out, plain

SCALES: Mapping[Scale, str] = {
    Scale.LOG_ODDS: "log-odds",
    Scale.SCORE: "score",
    Scale.PROBABILITY: "probability",
    Scale.VALUE: "predicted value",
}
SHOWN_MAX = 15
"""So many columns are told apart in one chart."""
NAME_MAX = 24
"""Longer names of values are cut beside an axis; under the pointer they stand whole."""


@dataclass(frozen=True, slots=True)
class Axes:
    """What stands on a curve's axes, and the line of a model that knows nothing or everything."""

    title: str
    x: str
    y: str
    diagonal: bool = False
    level: float | None = None
    area: str = ""
    """What the area below the curve is called."""


AXES: Mapping[str, Axes] = {
    CurveName.ROC: Axes("ROC", "False positive rate", "True positive rate", diagonal=True, area="AUC"),
    CurveName.PRECISION_RECALL: Axes("Precision and recall", "Recall", "Precision", area="average precision"),
    CurveName.CALIBRATION: Axes("Calibration", "Predicted probability", "Share of the class", diagonal=True),
    CurveName.LIFT: Axes("Lift", "Share of the rows, most probable first", "Lift (times)", level=1.0),
    CurveName.GAINS: Axes("Cumulative gains", "Share of the rows, most probable first", "Share found", diagonal=True),
    CurveName.RESIDUALS: Axes("Residuals", "True minus predicted", "Rows (count)"),
    CurveName.PREDICTED_TRUE: Axes("Predicted and true", "Predicted (mean)", "True (mean)"),
}
Point = tuple[float, float]


def curve(found: Curve, at: Point | None = None, *, upright: float | None = None) -> go.Figure:
    """One curve; `at` is where the threshold stands on it, `upright` where it stands on the x axis."""
    axes = AXES[CurveName(found.name)]
    dotted = found.name in (CurveName.CALIBRATION, CurveName.PREDICTED_TRUE)
    line = go.Scatter(
        x=found.x,
        y=found.y,
        mode="lines+markers" if dotted else "lines",
        line={"color": SERIES[0], "width": 2.5},
        marker={"size": 7},
        customdata=found.rows or None,
        hovertemplate="%{x:.3g}: <b>%{y:.3g}</b>"
        + (", %{customdata:,} rows" if found.rows else "")
        + "<extra></extra>",
        showlegend=False,
    )
    bars = go.Bar(x=found.x, y=found.y, marker_color=SERIES[0], hovertemplate="%{x:.3g}: <b>%{y:,}</b><extra></extra>")
    traces: list[Any] = [bars if found.name == CurveName.RESIDUALS else line]
    if axes.diagonal:
        traces.insert(0, _quiet([0, 1], [0, 1]))
    if found.name == CurveName.PREDICTED_TRUE:
        traces.insert(0, _quiet([min(found.x), max(found.x)], [min(found.x), max(found.x)]))
    if axes.level is not None:
        traces.insert(0, _quiet([0, 1], [axes.level, axes.level]))
    if at is not None:
        traces.append(_mark(at))
    figure = laid_out(traces, x=axes.x, y=axes.y, height=240, showlegend=False)
    figure.update_layout(margin_t=12)
    if found.name == CurveName.PREDICTED_TRUE:
        figure.update_yaxes(rangemode="normal")
    if upright is not None:
        figure.add_vline(x=upright, line_dash="dot", line_color=SERIES[1])
    return figure


def points(table: ThresholdTable, at: int) -> Mapping[str, Point]:
    """Where one threshold stands on each curve."""
    rates = table.rates(at)
    recall, precision, share = rates["recall"], rates["precision"], rates["predicted_rate"]
    false = None if rates["specificity"] is None else 1 - rates["specificity"]
    tp, fp, tn, fn = table.counts(at)
    base = (tp + fn) / max(1, tp + fp + tn + fn)
    found: dict[str, Point | None] = {
        CurveName.ROC: None if false is None or recall is None else (false, recall),
        CurveName.PRECISION_RECALL: None if precision is None or recall is None else (recall, precision),
        CurveName.GAINS: None if share is None or recall is None else (share, recall),
        CurveName.LIFT: None if not share or precision is None or not base else (share, precision / base),
    }
    return {name: point for name, point in found.items() if point is not None}


def profit(thresholds: Sequence[float], profits: Sequence[float], at: int, best: int) -> go.Figure:
    """What all decisions are worth at each threshold, with the chosen and the best one."""
    line = go.Scatter(
        x=thresholds,
        y=profits,
        mode="lines",
        line={"color": SERIES[0], "width": 2.5},
        hovertemplate="from %{x:.3f} on: <b>%{y:,.6~g}</b><extra></extra>",
    )
    top = go.Scatter(
        x=[thresholds[best]],
        y=[profits[best]],
        mode="markers",
        marker={"size": 11, "color": GOOD, "symbol": "star"},
        hovertemplate="best: from %{x:.3f} on, <b>%{y:,.6~g}</b><extra></extra>",
    )
    figure = laid_out(
        [line, top, _mark((thresholds[at], profits[at]))], x="Threshold", y="Profit of all decisions", showlegend=False
    )
    return figure.update_yaxes(rangemode="normal")


def confusion(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> go.Figure:
    """Rows by true class, then by predicted class; the shade is the share of the true class."""
    shares = [[count / max(1, sum(row)) for count in row] for row in counts]
    few, labels = len(labels) <= 8, [plain(label) for label in labels]
    texts = [
        [f"{count:,}<br>{100 * share:.0f} %" for count, share in zip(row, parts, strict=True)]
        for row, parts in zip(counts, shares, strict=True)
    ]
    cells = go.Heatmap(
        x=labels,
        y=labels,
        z=shares,
        zmin=0,
        zmax=1,
        colorscale=[[0, "#5f737a"], [1, "#12686c"]],  # white is read on both, in either theme
        textfont={"color": "white", "size": 13},
        showscale=False,
        text=texts,
        texttemplate="%{text}" if few else "",
        hovertemplate="true %{y}, predicted %{x}<br><b>%{text}</b><extra></extra>",
        xgap=2,
        ygap=2,
    )
    height = 120 + 54 * min(len(labels), 8)
    figure = laid_out([cells], x="Predicted", y="True", height=height, xaxis_type="category", yaxis_type="category")
    figure.update_xaxes(showgrid=False)
    return figure.update_yaxes(autorange="reversed", rangemode="normal", showgrid=False)


def importances(found: Importance, *, by_shap: bool) -> go.Figure:
    """How much each of the most important columns matters, the most important one on top."""
    columns = [c for c in found.columns if not by_shap or c.shap is not None]
    columns = sorted(columns, key=lambda c: -(c.shap or 0) if by_shap else -c.permutation)[:SHOWN_MAX][::-1]
    values = [c.shap if by_shap else c.permutation for c in columns]
    bars = go.Bar(
        x=values,
        y=[plain(c.column) for c in columns],
        orientation="h",
        marker_color=SERIES[0],
        error_x=None if by_shap else {"array": [c.deviation for c in columns], "color": QUIET, "thickness": 1.5},
        hovertemplate="%{y}: <b>%{x:.4g}</b><extra></extra>",
    )
    what = f"Mean size ({SCALES[found.scale]})" if by_shap and found.scale else ""
    x = what or f"{words.metric(found.metric)}, loss when shuffled"
    return laid_out([bars], x=x, y="", height=90 + 24 * len(columns), yaxis_type="category")


def dependence(found: PartialDependence, y: str) -> go.Figure:
    """The average answer at each value, and within what four fifths of the rows lie."""
    y = plain(y)
    if not on_scale(found):
        return _by_category(found, y)
    x = list(found.values)
    low, high = _quiet(x, found.low), _quiet(x, found.high)
    high.update(fill="tonexty", fillcolor="rgba(138,160,168,0.18)")
    mean = go.Scatter(
        x=x,
        y=found.averages,
        mode="lines+markers",
        line={"color": SERIES[0], "width": 2.5},
        hovertemplate="%{x}: <b>%{y:.4g}</b><extra></extra>",
    )
    return laid_out([low, high, mean], x=plain(found.column), y=y, showlegend=False)


def on_scale(found: PartialDependence) -> bool:
    """Whether the column's values are numbers, so that a line may join them."""
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in found.values)


def _by_category(found: PartialDependence, x: str) -> go.Figure:
    """A line for each value: names that are long are read from the side, and nothing joins what has no order."""
    names = [plain(words.value(v)) for v in found.values]
    dots = go.Scatter(
        x=found.averages,
        y=names,
        mode="markers",
        marker={"size": 10, "color": SERIES[0]},
        error_x={
            "array": [high - mean for high, mean in zip(found.high, found.averages, strict=True)],
            "arrayminus": [mean - low for low, mean in zip(found.low, found.averages, strict=True)],
            "color": QUIET,
            "thickness": 1.5,
        },
        hovertemplate="%{y}: <b>%{x:.4g}</b><extra></extra>",
    )
    figure = laid_out([dots], x=x, y="", height=90 + 30 * len(names), yaxis_type="category")
    figure.update_xaxes(rangemode="tozero")
    ticks = [plain(_short(words.value(v))) for v in found.values]
    return figure.update_yaxes(autorange="reversed", rangemode="normal", tickvals=names, ticktext=ticks)


def _short(name: str) -> str:
    return name if len(name) <= NAME_MAX else f"{name[: NAME_MAX - 1]}…"


def contributions(found: Explanation) -> go.Figure:
    """What each column adds to one row's score or takes from it, the largest on top; the rest together."""
    ranked = list(found.ranked)
    shown, others = ranked[:SHOWN_MAX], ranked[SHOWN_MAX:]
    if others:
        shown.append((f"{words.plural(len(others), 'other column')}", sum(value for _, value in others)))
    of = "" if found.class_name is None else f" of {plain(str(found.class_name))}"
    names, values = [plain(name) for name, _ in shown][::-1], [value for _, value in shown][::-1]
    bars = go.Bar(
        x=values,
        y=names,
        orientation="h",
        marker_color=[SERIES[0] if value >= 0 else SERIES[1] for value in values],
        text=[words.brief(value, sign="+") for value in values],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: <b>%{x:+.4g}</b><extra></extra>",
    )
    figure = laid_out(
        [bars],
        x=f"{SCALES[found.scale].capitalize()}{of}",
        y="",
        height=90 + 26 * len(shown),
        yaxis_type="category",
    )
    most = max((abs(value) for value in values), default=1.0) or 1.0
    # So much that the figure beside the longest bar is not written over the column's name in a narrow window.
    room = 1.9 * most
    return figure.update_xaxes(range=[-room if min(values) < 0 else 0, room if max(values) > 0 else 0])


def differences(names: Sequence[str], found: Sequence[PairedDifference], metric: str, against: str) -> go.Figure:
    """How much better or worse each trial is, with the interval; one that spans 0 may be luck."""
    colors = [{1: GOOD, -1: BAD, 0: QUIET}[each.verdict] for each in found]
    dots = go.Scatter(
        x=[each.gain for each in found],
        y=list(names),
        mode="markers",
        marker={"size": 11, "color": colors},
        error_x={
            "array": [each.high - each.gain for each in found],
            "arrayminus": [each.gain - each.low for each in found],
            "color": QUIET,
            "thickness": 2,
        },
        hovertemplate="%{y}: <b>%{x:+.5f}</b><extra></extra>",
    )
    figure = laid_out(
        [dots], x=f"{metric}, gain over {against}", y="", height=110 + 34 * len(found), yaxis_type="category"
    )
    return figure.add_vline(x=0, line_color=QUIET, line_dash="dot").update_yaxes(autorange="reversed")


def _quiet(x: Sequence[Any], y: Sequence[float]) -> go.Scatter:
    return go.Scatter(
        x=list(x), y=list(y), mode="lines", line={"color": QUIET, "width": 1, "dash": "dot"}, hoverinfo="skip"
    )


def _mark(at: Point) -> go.Scatter:
    """Where the threshold stands."""
    return go.Scatter(
        x=[at[0]],
        y=[at[1]],
        mode="markers",
        marker={"size": 12, "color": SERIES[1], "line": {"width": 2, "color": "white"}},
        name="Threshold",
        hovertemplate="at the threshold<br>%{x:.3f}, <b>%{y:.4~g}</b><extra></extra>",
    )
