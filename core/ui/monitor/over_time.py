"""Charts of an endpoint's requests over time. What nobody recorded is a gap, never a zero."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar

import plotly.graph_objects as go

from core.domain.monitoring import (
    Availability,
    DeploymentCourse,
    TelemetryBucket,
    TelemetrySummary,
    is_server_error,
)
from core.ui.kit import words
from core.ui.kit.charts import BAD, GOOD, QUIET, SERIES, WARN, laid_out, whole
from core.ui.kit.percentiles import P95_MIN, P99_MIN

T = TypeVar("T")
FROM = "from %{x|%d %b %H:%M:%S}<br>"
GOODS, REJECTS, FAILURES = ("", ".", "-"), ("/", "\\", "|", "+"), ("x", "+", "-", ".")
"""Patterns of statuses of one kind, the most frequent first."""


class Kind(NamedTuple):
    """A percentile: its name, its attribute, its line, and the requests from which on it says something."""

    name: str
    field: str
    color: str
    dash: str
    least: int


BEFORE = "before"
GAPS = {BEFORE: "not recorded", "off": "records off", "down": "server down", "unknown": "not known"}
"""Why an interval is not told of."""
PERCENTILES = (
    Kind("p50", "p50_ms", SERIES[0], "solid", 1),
    Kind("p95", "p95_ms", SERIES[2], "dash", P95_MIN),
    Kind("p99", "p99_ms", SERIES[1], "dot", P99_MIN),
)


def width(summary: TelemetrySummary) -> str:
    """How long an interval is: `min`, `30 min`, `s`."""
    seconds = summary.buckets[0].width_s if summary.buckets else summary.until - summary.since
    single = {1.0: "s", 60.0: "min", 3_600.0: "h"}
    return single.get(seconds) or words.lasting(seconds)


def series(summary: TelemetrySummary, read: Callable[[TelemetryBucket], T]) -> list[T | None]:
    """One figure of each interval; None where nothing was recorded."""
    return [None if bucket is None else read(bucket) for bucket in summary.known]


def requests(summary: TelemetrySummary) -> go.Figure:
    """Requests in each interval, by how they ended."""
    good = series(summary, lambda b: b.requests - b.client_errors - b.server_errors)
    stacks = (
        ("Succeeded", good, SERIES[0], ""),
        ("Rejected (4xx)", series(summary, lambda b: b.client_errors), WARN, "/"),
        ("Failed (5xx, 424)", series(summary, lambda b: b.server_errors), BAD, "x"),
    )
    return _stacked(summary, stacks)


def statuses(summary: TelemetrySummary) -> go.Figure:
    """Requests in each interval by HTTP status."""
    found = sorted(summary.by_status.items(), key=lambda item: -item[1])
    failed = [status for status, _ in found if is_server_error(status)]
    rejected = [status for status, _ in found if status >= 400 and status not in failed]
    good = [status for status, _ in found if status < 400]
    kinds = ((good, SERIES[0], GOODS), (rejected, WARN, REJECTS), (failed, BAD, FAILURES))
    stacks = [
        (str(status), series(summary, partial(_of_status, status)), color, patterns[at % len(patterns)])
        for of_kind, color, patterns in kinds
        for at, status in enumerate(of_kind)
    ]
    return _stacked(summary, stacks)


def _of_status(status: int, bucket: TelemetryBucket) -> int:
    return bucket.by_status.get(status, 0)


def _stacked(summary: TelemetrySummary, stacks: Sequence[tuple[str, Sequence[int | None], str, str]]) -> go.Figure:
    """Bars on each other; a pattern tells those of clients and of the server apart where colours do not."""
    buckets = summary.buckets
    at = [words.local(b.at) for b in buckets]
    filling = [1.0] * (len(buckets) - 1) + [0.55]  # the newest interval goes on, and would look like a fall
    bars = [
        go.Bar(
            x=at,
            y=values,
            name=name,
            marker={"color": color, "opacity": filling, "pattern": {"shape": shape, "size": 5, "solidity": 0.25}},
            hovertemplate=f"{FROM}<b>%{{y:,}}</b>",
        )
        for name, values, color, shape in stacks
    ]
    figure = laid_out(
        bars, x="Time", y=f"Requests (per {width(summary)})", barmode="stack", xaxis_range=_range(summary)
    )
    return said_gaps(whole(figure, max((b.requests for b in buckets), default=0)), summary)


def latency(summary: TelemetrySummary, courses: Sequence[DeploymentCourse] = ()) -> go.Figure:
    """Percentiles in each interval, of each deployment where several answered.

    An interval without requests is a gap, a percentile of too few is hollow.
    """
    if len(courses) < 2:
        lines = [_line(summary.buckets, kind, kind.name, kind.color) for kind in PERCENTILES]
    else:
        lines = [
            _line(each.buckets, kind, f"{_named(each)} {kind.name}", SERIES[at % len(SERIES)])
            for at, each in enumerate(courses)
            for kind in PERCENTILES
        ]
    figure = laid_out(lines, x="Time", y="Server latency (ms)", xaxis_range=_range(summary))
    return said_gaps(figure, summary)


def _named(course: DeploymentCourse) -> str:
    return f"{course.deployment} (mirrored)" if course.mirrored else course.deployment


def _line(buckets: Sequence[TelemetryBucket], kind: Kind, name: str, color: str) -> go.Scatter:
    return go.Scatter(
        x=[words.local(b.at) for b in buckets],
        y=[getattr(b, kind.field) for b in buckets],
        name=name,
        mode="lines+markers",
        connectgaps=False,
        line={"color": color, "width": 2, "dash": kind.dash},
        marker={"size": 5, "symbol": ["circle" if b.requests >= kind.least else "circle-open" for b in buckets]},
        customdata=[b.requests for b in buckets],
        hovertemplate=f"{FROM}<b>%{{y:.2f}} ms</b> of %{{customdata:,}} requests",
    )


def by_status(totals: Mapping[int, int]) -> go.Figure:
    """Requests by the HTTP status of their answer, over the whole window."""
    shown = sorted(totals.items(), reverse=True)
    bars = go.Bar(
        x=[n for _, n in shown],
        y=[str(status) for status, _ in shown],
        orientation="h",
        text=[words.count(n) for _, n in shown],
        textposition="outside",
        cliponaxis=False,
        marker_color=[GOOD if status < 400 else BAD if is_server_error(status) else WARN for status, _ in shown],
        hovertemplate="status %{y}<br><b>%{x:,} requests</b><extra></extra>",
    )
    height = 80 + 34 * len(shown)
    figure = laid_out([bars], x="Requests (count)", y="HTTP status", height=height, yaxis_type="category")
    most = max(totals.values(), default=0)
    # The count beside the longest bar needs room of its own.
    return whole(figure.update_xaxes(range=[0, 1.3 * max(1, most)]), most, axis="x")


def tile(summary: TelemetrySummary, values: Sequence[float | None], *, unit: str, color: str, bars: bool) -> go.Figure:
    """The course of one figure, small: bars of a count, a line of anything else."""
    at = [words.local(b.at) for b in summary.buckets]
    hover = f"{FROM}<b>%{{y:,.4~g}}</b> {unit}<extra></extra>"
    trace: Any = (
        go.Bar(x=at, y=list(values), marker_color=color, hovertemplate=hover)
        if bars
        else go.Scatter(
            x=at, y=list(values), mode="lines+markers", connectgaps=False, hovertemplate=hover,
            line={"color": color, "width": 2}, marker={"size": 3},
        )
    )  # fmt: skip
    highest = max((v for v in values if v is not None), default=0)
    small = {"tickfont": {"size": 10}, "nticks": 4, "automargin": True}
    # An axis of zeros alone would reach below them.
    upright = {"rangemode": "tozero"} if highest else {"range": [0, 1]}
    figure = laid_out(
        [trace], x="", y="", height=130, margin={"l": 4, "r": 12, "t": 20, "b": 4},
        xaxis={**small, "range": _range(summary)}, yaxis={**small, **upright},
    )  # fmt: skip
    # No title of an axis: plotly loses its place in a chart this small.
    figure.add_annotation(
        text=unit, x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="bottom", showarrow=False,
        font={"size": 11},
    )  # fmt: skip
    return said_gaps(whole(figure, int(highest)) if bars else figure, summary)


def reached(availability: Availability) -> list[float | None]:
    """Percent of the time that is known, in each interval."""
    return [None if b.share is None else 100 * b.share for b in availability.buckets]


def _range(summary: TelemetrySummary) -> list[datetime]:
    """The axis of the whole window, also where nothing was recorded."""
    return [words.local(summary.since), words.local(summary.until)]


def said_gaps(figure: go.Figure, summary: TelemetrySummary) -> go.Figure:
    """Where nothing was recorded it is shaded, and said why where there is room."""
    for why, since, until in gaps(summary):
        figure.add_vrect(
            x0=words.local(since), x1=words.local(until), fillcolor=QUIET, opacity=0.12, line_width=0, layer="below"
        )
        if until - since > 0.2 * (summary.until - summary.since):
            figure.add_annotation(
                x=words.local((since + until) / 2), y=0.5, yref="paper", text=GAPS[why], showarrow=False,
                font={"color": QUIET, "size": 11},
            )  # fmt: skip
    return figure


def gaps(summary: TelemetrySummary) -> list[tuple[str, float, float]]:
    """From when to when nothing is known, and why; neighbours of one reason are one."""
    found: list[tuple[str, float, float]] = []
    for bucket, known in zip(summary.buckets, summary.known, strict=True):
        if known is not None:
            continue
        why, end = bucket.gap or BEFORE, bucket.at + bucket.width_s
        if found and found[-1][0] == why and found[-1][2] >= bucket.at:
            found[-1] = (why, found[-1][1], end)
        else:
            found.append((why, bucket.at, end))
    return found
