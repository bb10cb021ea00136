"""Charts of many trials: quality against speed, and what each hyperparameter was worth."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import plotly.graph_objects as go

from core.domain.ranking import frontier
from core.domain.training import Trial
from core.ui.kit import words
from core.ui.kit.charts import QUIET, SERIES, laid_out

AXES_MAX = 7
"""More axes than this stand too close to be read."""
TIMES_MS = tuple(step * 10.0**power for power in range(-3, 5) for step in (1, 2, 5))
"""Where the axis of times is marked: of a logarithmic one plotly would write the digit alone."""
HOVER = "Trial %{customdata}<br><b>%{y:.4f}</b>"


def _who(trials: Sequence[Trial]) -> list[str]:
    return [f"{t.number}, {words.algorithm(t.algorithm)}" for t in trials]


def _around(figure: go.Figure, scores: Sequence[float]) -> go.Figure:
    """Trials that are all alike would otherwise get an axis far wider than a metric's differences."""
    room = max(0.002, 0.15 * (max(scores) - min(scores)))
    return figure.update_yaxes(range=[min(scores) - room, max(scores) + room], tickformat=".4~f")


def quality_and_speed(trials: Sequence[Trial], metric: str) -> go.Figure:
    """Score against the time for one row; the line joins those that none beats in both."""
    timed = [t for t in trials if metric in t.metrics and t.predict_ms > 0]
    best = frontier(timed, metric)
    line = go.Scatter(
        x=[t.predict_ms for t in best],
        y=[t.metrics[metric] for t in best],
        mode="lines",
        line={"shape": "hv", "width": 2.5, "color": SERIES[0]},
        name="Best at its speed",
        hoverinfo="skip",
    )
    on_it = {t.number for t in best}
    dots = go.Scatter(
        x=[t.predict_ms for t in timed],
        y=[t.metrics[metric] for t in timed],
        mode="markers",
        marker={"size": 9, "color": [SERIES[0] if t.number in on_it else QUIET for t in timed]},
        name="Trial",
        customdata=_who(timed),
        hovertemplate=HOVER + ", %{x:.3g} ms a row<extra></extra>",
    )
    figure = laid_out([line, dots], x="Time for one row (ms)", y=words.metric(metric), xaxis_type="log")
    figure.update_xaxes(tickvals=TIMES_MS, ticktext=[f"{ms:g}" for ms in TIMES_MS])
    return _around(figure, [t.metrics[metric] for t in timed])


def hyperparameters(trials: Sequence[Trial], metric: str) -> go.Figure:
    """A line for each trial of one algorithm over its hyperparameters to its score; drag along an axis to filter."""
    scored = [t for t in trials if metric in t.metrics]
    scores = [t.metrics[metric] for t in scored]
    dimensions = [_axis(name, [t.params.get(name) for t in scored]) for name in varied(scored)]
    dimensions.append({"label": words.metric(metric), "values": scores, "tickformat": ".4~f"})
    lines = go.Parcoords(
        dimensions=dimensions,
        line={"color": scores, "colorscale": [[0, QUIET], [1, SERIES[0]]]},
        labelfont={"size": 12},
        labelangle=-45,
    )
    figure = go.Figure([lines])
    return figure.update_layout(height=364, margin={"l": 56, "r": 72, "t": 108, "b": 24})


def varied(trials: Sequence[Trial]) -> tuple[str, ...]:
    """The hyperparameters in which these trials differ, those that differ most first."""
    values: dict[str, set[str]] = {}
    for name in {name for t in trials for name in t.params}:
        values[name] = {str(t.params.get(name)) for t in trials}
    found = sorted((name for name, kinds in values.items() if len(kinds) > 1), key=lambda n: (-len(values[n]), n))
    return tuple(found[:AXES_MAX])


def _axis(name: str, values: Sequence[Any]) -> Mapping[str, Any]:
    """Numbers on a scale of their own; anything else, missing values included, as ticks with names."""
    label = words.identifier(name)
    if all(isinstance(v, Real) and not isinstance(v, bool) for v in values):
        return {"label": label, "values": [float(v) for v in values], "tickformat": ".3~g"}
    names = sorted({_name(v) for v in values})
    return {
        "label": label,
        "values": [names.index(_name(v)) for v in values],
        "tickvals": list(range(len(names))),
        "ticktext": names,
        "range": [-0.1, len(names) - 0.9],
    }


def _name(value: Any) -> str:
    return words.DASH if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
