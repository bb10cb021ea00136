"""Every chart of the app: one palette, one layout, units in the axis titles. Values in, a plotly figure out."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.domain.metrics import metric_named
from core.domain.proof import GateReport, LoadReport
from core.domain.signature import Scalar
from core.domain.sweep import Sweep
from core.domain.training import Trial
from core.ui.kit import words
from core.ui.kit.percentiles import P99_MIN

# Mid-tones that hold 3:1 against both the light and the dark background; the theme repeats them for native charts.
SERIES = ("#1b8a8f", "#e08a3c", "#5b7fb8", "#b8597f", "#7a9e4b", "#8d7bc0")
GOOD, BAD, WARN, QUIET = "#2f9d74", "#d0505c", "#d99a2b", "#8aa0a8"


def show(figure: go.Figure, *, key: str, alt: str) -> None:
    """Draw a figure in the page's width, without plotly's toolbar; `alt` says in words what it shows."""
    st.plotly_chart(figure, key=key, alt=alt, config={"displayModeBar": False, "responsive": True})


def laid_out(traces: Sequence[Any], *, x: str, y: str, height: int = 260, **layout: Any) -> go.Figure:
    """Traces in the layout of every chart; `x` and `y` are the axes' titles, with their units."""
    # All at once: each update of a figure costs as much as the figure, and a slider draws seven of them.
    given = {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 36 if len(traces) > 1 else 12, "b": 8},
        "hoverlabel": {"font": {"size": 13}},
        "legend": {
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1.02,
            "x": 0,
            "title": {"text": ""},
            "traceorder": "normal",
        },
        "bargap": 0.12,
        "xaxis": {"title": {"text": x, "standoff": 8}, "automargin": True},
        "yaxis": {"title": {"text": y, "standoff": 8}, "automargin": True, "rangemode": "tozero"},
    }
    return go.Figure(list(traces), {**given, **layout})


def plain(text: str) -> str:
    """Text from a table in a chart, which would read tags in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


FEW = 5
"""An axis of counts up to this many would get ticks of halves."""


def whole(figure: go.Figure, highest: int, *, axis: str = "y") -> go.Figure:
    """Ticks of whole numbers, on an axis of counts up to `highest`."""
    if highest > FEW:
        return figure
    return figure.update_xaxes(dtick=1) if axis == "x" else figure.update_yaxes(dtick=1)


def best_so_far(trials: Sequence[Trial], metric: str, started_at: float) -> go.Figure:
    """Each trial's score when it ended, and the best one up to then."""
    ended = sorted((t for t in trials if metric in t.metrics), key=lambda t: t.started_at + t.duration_s)
    # A training that goes on from another begins with the trials of that one.
    at = [max(0.0, t.started_at + t.duration_s - started_at) for t in ended]
    scores = [t.metrics[metric] for t in ended]
    best = list(accumulate(scores, max if metric_named(metric).higher_is_better else min))
    line = go.Scatter(
        x=at,
        y=best,
        mode="lines",
        line={"shape": "hv", "width": 2.5, "color": SERIES[0]},
        name="Best so far",
        hoverinfo="skip",
    )
    dots = go.Scatter(
        x=at,
        y=scores,
        mode="markers",
        marker={"size": 9, "color": SERIES[1], "line": {"width": 1, "color": "white"}},
        name="Trial",
        # Plotly copies and checks lists of pairs entry by entry, many times.
        customdata=[f"{t.number}, {words.algorithm(t.algorithm)}" for t in ended],
        hovertemplate="Trial %{customdata}<br><b>%{y:.4f}</b> after %{x:.0f} s<extra></extra>",
    )
    figure = laid_out([line, dots], x="Time since the start (s)", y=words.metric(metric))
    # A trial alone, or trials that are all alike, would otherwise get an axis far wider than a metric's differences.
    room = max(0.002, 0.15 * (max(scores) - min(scores)))
    return figure.update_yaxes(range=[min(scores) - room, max(scores) + room], tickformat=".4~f")


def probabilities(classes: Sequence[Scalar], shares: Sequence[float]) -> go.Figure:
    """One row's probability of each class."""
    top = max(shares)
    bars = go.Bar(
        x=[100 * s for s in shares],
        y=[plain(str(c)) for c in classes],
        orientation="h",
        text=[words.percent(s) for s in shares],
        textposition="outside",
        cliponaxis=False,
        marker_color=[SERIES[0] if s == top else QUIET for s in shares],
        hovertemplate="%{y}<br><b>%{x:.2f} %</b><extra></extra>",
    )
    figure = laid_out([bars], x="Probability (%)", y="", height=80 + 34 * len(shares), yaxis_type="category")
    # Beyond 100, or the figure beside a bar that long has no room.
    return figure.update_xaxes(range=[0, 130], tickvals=[0, 50, 100])


def verdicts(reports: Sequence[GateReport]) -> go.Figure:
    """How many checks passed, failed and gave no verdict in each gate, oldest first."""
    oldest_first = list(reports)[::-1]
    at = [f"{words.local(r.created_at):%d %b %H:%M:%S}" for r in oldest_first]
    parts = (
        ("Passed", [sum(c.passed is True for c in r.checks) for r in oldest_first], GOOD),
        ("Failed", [len(r.failed) for r in oldest_first], BAD),
        ("No verdict", [len(r.undecided) for r in oldest_first], WARN),
    )
    bars = [go.Bar(x=at, y=n, name=name, marker_color=color) for name, n, color in parts]
    return laid_out(
        bars, x="Gate run at", y="Checks (count)", barmode="stack", height=240, bargap=0.6, xaxis_type="category"
    )


def load_histogram(reports: Sequence[LoadReport], names: Sequence[str] = ()) -> go.Figure:
    """How many requests were answered within each latency; several loads as outlines over each other."""
    if len(reports) == 1:
        bounds, counts = _bars_of(reports[0])
        bars = go.Bar(
            x=bounds,
            y=counts,
            marker_color=SERIES[0],
            hovertemplate="up to %{x} ms<br><b>%{y:,} requests</b><extra></extra>",
        )
        figure = laid_out([bars], x="Client latency, up to (ms)", y="Requests (count)", xaxis_type="category")
        return whole(figure, max(counts, default=0))
    lines = [
        go.Scatter(
            x=[bound for bound, _ in report.histogram],
            y=_shares(report),
            name=name,
            mode="lines",
            line={"shape": "hv", "width": 2, "color": SERIES[number % len(SERIES)]},
            hovertemplate="%{y:.1f} % within %{x:.2f} ms",
        )
        for number, (report, name) in enumerate(zip(reports, names, strict=True))
    ]
    return laid_out(lines, x="Client latency (ms)", y="Requests answered within (%)", xaxis_type="log")


BARS_MAX = 16


def _bars_of(report: LoadReport) -> tuple[list[str], list[int]]:
    """The histogram in a few steps: neighbours are put together until they fit."""
    step = -(-len(report.histogram) // BARS_MAX)
    groups = [report.histogram[at : at + step] for at in range(0, len(report.histogram), step)]
    bounds = [f"{float(f'{group[-1][0]:.3g}'):,g}" for group in groups]
    return bounds, [sum(n for _, n in group) for group in groups]


def _shares(report: LoadReport) -> list[float]:
    """Percent of the requests answered within each bound."""
    total, shares, so_far = sum(count for _, count in report.histogram), [], 0
    for _, count in report.histogram:
        so_far += count
        shares.append(100 * so_far / total)
    return shares


def load_seconds(report: LoadReport) -> go.Figure:
    """Requests answered and failed in each second of a load."""
    seconds = [s.second + 1 for s in report.seconds]
    bars = [
        go.Bar(x=seconds, y=values, name=name, marker_color=color, hovertemplate="second %{x}<br><b>%{y:,}</b>")
        for name, values, color in (
            ("Succeeded", [s.requests - s.failed for s in report.seconds], SERIES[0]),
            ("Failed", [s.failed for s in report.seconds], BAD),
        )
    ]
    figure = laid_out(bars, x="Time since the start (s)", y="Requests (per second)", barmode="stack")
    return whole(figure, max((s.requests for s in report.seconds), default=0))


def sweep_throughput(sweep: Sweep) -> go.Figure:
    """Requests/s against clients; the knee is a larger dot, loads with failed requests are crosses."""
    line = _over_clients(sweep, "Throughput", [load.requests_per_s for load in sweep.loads], SERIES[0], "requests/s")
    figure = _on_clients(sweep, [line], y="Throughput (requests/s)")
    if sweep.knee is not None:
        figure.add_vline(x=sweep.knee.concurrency, line_dash="dot", line_color=QUIET)
    return figure


def sweep_latency(sweep: Sweep) -> go.Figure:
    """The client's p50 and p99 against clients. A load without an answer is a gap, a p99 of too few is hollow."""
    answered = [load.requests - load.failed for load in sweep.loads]
    told = list(zip(sweep.loads, answered, strict=True))
    lines = [
        _over_clients(sweep, "p50", [load.p50_ms if n else None for load, n in told], SERIES[0], "ms"),
        _over_clients(sweep, "p99", [load.p99_ms if n else None for load, n in told], SERIES[1], "ms", least=P99_MIN),
    ]
    return _on_clients(sweep, lines, y="Client latency (ms)")


def _over_clients(
    sweep: Sweep, name: str, values: Sequence[float | None], color: str, unit: str, *, least: int = 1
) -> go.Scatter:
    answered = [load.requests - load.failed for load in sweep.loads]
    return go.Scatter(
        x=[load.concurrency for load in sweep.loads],
        y=values,
        name=name,
        mode="lines+markers",
        line={"color": color, "width": 2},
        marker={
            "size": [14 if load is sweep.knee else 9 for load in sweep.loads],
            "symbol": [
                "x" if load.failed else "circle" if n >= least else "circle-open"
                for load, n in zip(sweep.loads, answered, strict=True)
            ],
            "color": [BAD if load.failed else color for load in sweep.loads],
        },
        customdata=[(load.requests, load.failed) for load in sweep.loads],
        hovertemplate="%{x} clients<br><b>%{y:,.2f} "
        + unit
        + "</b><br>%{customdata[1]:,} of %{customdata[0]:,} requests failed<extra>%{fullData.name}</extra>",
    )


def _on_clients(sweep: Sweep, traces: Sequence[Any], *, y: str) -> go.Figure:
    figure = laid_out(traces, x="Clients (count)", y=y, xaxis_type="log")
    clients = [load.concurrency for load in sweep.loads]
    return figure.update_xaxes(tickvals=clients, ticktext=[str(n) for n in clients])
