"""Charts: units on the axes, one palette, gaps where nothing was measured."""

import random
import time
from dataclasses import replace

import pytest
from bank_story import checks, profile, summary, trials

from core.domain.endpoint import GateBudget
from core.domain.proof import GateReport, LoadReport, LoadSecond
from core.ui.kit import charts, distributions

BANK = profile(random.Random(7))
HOUR = summary(time.time(), random.Random(7))
REPORT = GateReport("g", "e", "v1", "m:1", checks(), GateBudget(), "default", 0.0, 1.0)
LOAD = LoadReport(
    "http://h", 100, 0, 2.0, 50.0, 2.0, 1.0, 3.0, 9.0, 9.0, 1, 2,
    histogram=tuple((0.5 * n, n) for n in range(1, 40)),
    seconds=(LoadSecond(0, 40, 0, 1.0, 2.0), LoadSecond(1, 60, 3, 1.0, 2.0)),
)  # fmt: skip

FIGURES = {
    "histogram": distributions.distribution(BANK.column("age")),
    "levels": distributions.distribution(BANK.column("job")),
    "target rates": distributions.target_rates(BANK.column("job"), "y", "yes", 0.112),
    "best so far": charts.best_so_far(trials(100.0), "AUC_weighted", 0.0),
    "probabilities": charts.probabilities(("no", "yes"), (0.7, 0.3)),
    "requests": charts.requests(HOUR.buckets),
    "latency": charts.latency(HOUR.buckets),
    "statuses": charts.statuses(HOUR.by_status),
    "load histogram": charts.load_histogram([LOAD]),
    "loads compared": charts.load_histogram([LOAD, LOAD], ["one", "other"]),
    "load seconds": charts.load_seconds(LOAD),
    "verdicts": charts.verdicts((REPORT,)),
}
UNITS = ("(count)", "(%)", "(ms)", "(s)", "(per ", "(value)", "(cross-validated)")


@pytest.mark.parametrize("name", FIGURES)
def test_a_chart_names_its_unit(name):
    layout = FIGURES[name].layout

    titles = f"{layout.xaxis.title.text} {layout.yaxis.title.text}"
    assert any(unit in titles for unit in UNITS)


@pytest.mark.parametrize("name", FIGURES)
def test_a_chart_uses_the_palette_alone(name):
    palette = {*charts.SERIES, charts.GOOD, charts.BAD, charts.WARN, charts.QUIET}
    for trace in FIGURES[name].data:
        color = trace.marker.color or trace.line.color
        used = {color} if isinstance(color, str) else set(color)
        assert used <= palette


def test_the_best_line_never_falls_and_ends_at_the_best_trial():
    line, dots = FIGURES["best so far"].data

    assert list(line.y) == sorted(line.y)
    assert line.y[-1] == max(dots.y) == 0.9492


def test_for_a_loss_the_best_line_never_rises():
    line, _ = charts.best_so_far(trials(100.0), "log_loss", 0.0).data

    assert list(line.y) == sorted(line.y, reverse=True)


def test_answered_refused_and_failed_requests_add_up():
    by_outcome = [sum(trace.y) for trace in FIGURES["requests"].data]

    assert sum(by_outcome) == HOUR.requests


def test_a_fine_histogram_is_put_together_into_few_bars_and_loses_no_request():
    bars = FIGURES["load histogram"].data[0]

    assert len(bars.x) <= charts.BARS_MAX
    assert sum(bars.y) == sum(count for _, count in LOAD.histogram)


def test_compared_loads_rise_to_all_of_their_requests():
    assert [line.y[-1] for line in FIGURES["loads compared"].data] == [100, 100]


def test_a_load_of_a_few_slow_requests_has_whole_counts_and_readable_times():
    figure = charts.load_histogram([replace(LOAD, histogram=((987.6, 1), (1234.5, 2)))])

    assert list(figure.data[0].x) == ["988", "1,230"]
    assert figure.layout.yaxis.dtick == 1


def test_the_axis_of_probabilities_reaches_100():
    axis = FIGURES["probabilities"].layout.xaxis

    assert axis.tickvals[-1] == 100 < axis.range[1]
