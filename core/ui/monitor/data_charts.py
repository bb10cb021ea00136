"""Charts of what came in and went out: columns against training, scores, outcomes."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from core.domain.drift import Bins, PredictionBucket, Predictions
from core.domain.outcomes import CalibrationBin, Measured
from core.ui.kit import words
from core.ui.kit.charts import QUIET, SERIES, laid_out, plain

TRAINING, RECENT = QUIET, SERIES[1]


def bins(found: Bins, title: str) -> go.Figure:
    """A column's values in training and lately."""
    names = [plain(label) for label in found.labels]
    return _against(names, found.training, found.recent, x=title)


def _against(names: Sequence[str], training: Sequence[float], recent: Sequence[float], *, x: str) -> go.Figure:
    """Shares side by side; the pattern tells them apart where colours do not."""
    bars = [
        go.Bar(
            x=list(range(len(names))),
            y=[100 * share for share in shares],
            name=name,
            customdata=list(names),
            marker={"color": color, "pattern": {"shape": shape, "size": 5, "solidity": 0.25}},
            hovertemplate="%{customdata}<br><b>%{y:.1f} %</b>",
        )
        for name, shares, color, shape in (("Training", training, TRAINING, ""), ("Recent", recent, RECENT, "/"))
        if shares
    ]
    figure = laid_out(bars, x=x, y="Share of rows (%)", barmode="group")
    return figure.update_xaxes(tickvals=list(range(len(names))), ticktext=list(names))


def positive_share(found: Predictions) -> go.Figure:
    """The share of rows for which the positive class was predicted, or the mean of the predicted number."""
    buckets = found.buckets
    if found.positive:
        values, y, unit = [_share(b, found.positive) for b in buckets], f"Predicted {plain(found.positive)} (%)", " %"
    else:
        values, y, unit = [b.mean for b in buckets], "Mean prediction (value)", ""
    line = go.Scatter(
        x=[words.local(b.at) for b in buckets],
        y=values,
        mode="lines+markers",
        connectgaps=False,
        line={"color": SERIES[0], "width": 2},
        marker={"size": 6},
        customdata=[b.rows for b in buckets],
        hovertemplate=f"from %{{x|%d %b %H:%M}}<br><b>%{{y:.4~g}}{unit}</b> of %{{customdata:,}} rows<extra></extra>",
    )
    figure = laid_out([line], x="Time", y=y)
    return figure.update_xaxes(range=[words.local(found.since), words.local(found.until)])


def _share(bucket: PredictionBucket, positive: str) -> float | None:
    return 100 * bucket.by_class.get(positive, 0) / bucket.rows if bucket.rows else None


def scores(found: Predictions) -> go.Figure:
    """Rows by score, against the scores of training rows that the model had not seen."""
    names = [f"{low:.3g} to {high:.3g}" for low, high in zip(found.edges, found.edges[1:], strict=False)]
    every = -(-len(found.edges) // 10)
    edges = list(enumerate(found.edges))[::every]
    total = sum(found.histogram)
    recent = [count / total if total else 0.0 for count in found.histogram]
    title = f"Probability of {plain(found.positive)} (score)" if found.positive else "Prediction (value)"
    figure = _against(names, found.training, recent, x=title)
    return figure.update_xaxes(tickvals=[at - 0.5 for at, _ in edges], ticktext=[f"{edge:.3g}" for _, edge in edges])


def metrics(live: Mapping[str, Measured], trained: Mapping[str, float]) -> go.Figure:
    """Each metric lately with its 95 % interval, and a diamond where training stood."""
    names = [words.metric(name) for name in live]
    dots = go.Scatter(
        x=[m.value for m in live.values()],
        y=names,
        name="Live, with 95 % interval",
        mode="markers",
        marker={"size": 10, "color": SERIES[0]},
        error_x={
            "array": [m.high - m.value for m in live.values()],
            "arrayminus": [m.value - m.low for m in live.values()],
            "color": SERIES[0],
            "thickness": 2,
        },
        hovertemplate="%{y}: <b>%{x:.4f}</b>",
    )
    known = [name for name in live if name in trained]
    diamonds = go.Scatter(
        x=[trained[name] for name in known],
        y=[words.metric(name) for name in known],
        name="Training",
        mode="markers",
        marker={"size": 11, "color": SERIES[1], "symbol": "diamond-open", "line": {"width": 2}},
        hovertemplate="%{y}: <b>%{x:.4f}</b>",
    )
    figure = laid_out([dots, diamonds], x="Metric (value)", y="", height=120 + 30 * len(names), yaxis_type="category")
    return figure.update_yaxes(autorange="reversed")


def calibration(found: Sequence[CalibrationBin], positive: str) -> go.Figure:
    """What was said against what came, with 95 % intervals; on the dotted line both are the same."""
    ideal = go.Scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="As said", hoverinfo="skip",
        line={"color": QUIET, "dash": "dot", "width": 1},
    )  # fmt: skip
    dots = go.Scatter(
        x=[b.predicted for b in found],
        y=[b.actual.value for b in found],
        name="Live",
        mode="lines+markers",
        line={"color": SERIES[0], "width": 2},
        marker={"size": 8},
        error_y={
            "array": [b.actual.high - b.actual.value for b in found],
            "arrayminus": [b.actual.value - b.actual.low for b in found],
            "color": SERIES[0],
        },
        customdata=[b.rows for b in found],
        hovertemplate="said %{x:.3f}, came <b>%{y:.3f}</b> of %{customdata:,} rows",
    )
    of = f" of {plain(positive)}" if positive else ""
    return laid_out([ideal, dots], x="Predicted probability (score)", y=f"Share{of} that came")
