"""Charts: units on the axes, one palette, gaps where nothing was measured."""

import random
import time
from dataclasses import replace

import judged
import monitored
import pytest
from bank_story import checks, profile, summary, trials
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.endpoint import GateBudget
from core.domain.monitoring import DeploymentCourse
from core.domain.proof import GateReport, LoadReport, LoadSecond
from core.domain.sweep import Sweep, sweeps
from core.ui.kit import charts, distributions, judged_charts, trial_charts
from core.ui.monitor import data_charts, over_time

BANK = profile(random.Random(7))
HOUR = summary(time.time(), random.Random(7))
REPORT = GateReport("g", "e", "v1", "m:1", checks(), GateBudget(), "default", 0.0, 1.0)
LOAD = LoadReport(
    "http://h", 100, 0, 2.0, 50.0, 2.0, 1.0, 3.0, 9.0, 9.0, 1, 2,
    histogram=tuple((0.5 * n, n) for n in range(1, 40)),
    seconds=(LoadSecond(0, 40, 0, 1.0, 2.0), LoadSecond(1, 60, 3, 1.0, 2.0)),
)  # fmt: skip
SWEPT = Sweep(
    tuple(
        replace(LOAD, concurrency=n, requests_per_s=rate, failed=failed)
        for n, rate, failed in ((1, 100.0, 0), (2, 190.0, 0), (5, 470.0, 0), (10, 500.0, 0), (20, 495.0, 100))
    )
)

FIGURES = {
    "histogram": distributions.distribution(BANK.column("age")),
    "levels": distributions.distribution(BANK.column("job")),
    "target rates": distributions.target_rates(BANK.column("job"), "y", "yes", 0.112),
    "best so far": charts.best_so_far(trials(100.0), "AUC_weighted", 0.0),
    "probabilities": charts.probabilities(("no", "yes"), (0.7, 0.3)),
    "requests": over_time.requests(HOUR),
    "latency": over_time.latency(HOUR),
    "statuses": over_time.by_status(HOUR.by_status),
    "statuses over time": over_time.statuses(HOUR),
    "drift": data_charts.bins(monitored.NUMBERS, "age (value)"),
    "predictions": data_charts.positive_share(monitored.predictions()),
    "scores": data_charts.scores(monitored.predictions()),
    "live metrics": data_charts.metrics(monitored.quality().metrics, monitored.quality().trained),
    "live calibration": data_charts.calibration(monitored.quality().calibration, "yes"),
    "load histogram": charts.load_histogram([LOAD]),
    "loads compared": charts.load_histogram([LOAD, LOAD], ["one", "other"]),
    "load seconds": charts.load_seconds(LOAD),
    "sweep throughput": charts.sweep_throughput(SWEPT),
    "sweep latency": charts.sweep_latency(SWEPT),
    "verdicts": charts.verdicts((REPORT,)),
}
UNITS = ("(score)", "(requests/s)", "(count)", "(%)", "(ms)", "(s)", "(per ", "(value)", "(cross-validated)")


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


def test_the_knee_is_the_fewest_clients_near_the_highest_throughput():
    assert SWEPT.knee.concurrency == 5
    assert Sweep(SWEPT.loads[:2]).knee is None


def test_a_throughput_that_still_rises_at_the_most_clients_has_no_knee():
    best = max(load.requests_per_s for load in SWEPT.loads)
    rising = Sweep((*SWEPT.loads[:-1], replace(SWEPT.loads[-1], requests_per_s=2 * best)))

    assert rising.knee is None
    assert rising.rising
    assert not SWEPT.rising


def test_trials_of_the_training_before_stand_at_the_start_of_one_that_goes_on():
    line, _ = charts.best_so_far(trials(100.0), "AUC_weighted", 60.0).data
    assert min(line.x) == 0


def test_the_line_of_quality_and_speed_joins_those_that_no_other_one_beats_in_both():
    slower = [replace(t, predict_ms=1.0 + t.number) for t in trials(100.0)]
    line, dots = trial_charts.quality_and_speed(slower, "AUC_weighted").data
    assert list(line.x) == [1.0 + number for number in (0, 4, 5, 7, 8)]
    assert len(dots.x) == 8, "the one without a score has no place"


def test_hyperparameters_that_do_not_differ_are_no_axis_and_names_are_ticks():
    tried = [
        replace(t, params={"depth": t.number, "kind": "gbdt" if t.number % 2 else None, "same": 1})
        for t in trials(100.0)
    ]
    assert trial_charts.varied(tried) == ("depth", "kind")
    depth, kind, score = trial_charts.hyperparameters(tried, "AUC_weighted").data[0].dimensions
    assert (depth.label, score.label) == ("Depth", "AUC")
    assert kind.ticktext == ("gbdt", "–")


@settings(max_examples=30)
@given(st.integers(0, 1000))
def test_a_threshold_stands_on_each_curve_where_its_counts_say(at):
    table = judged.thresholds()
    found = judged_charts.points(table, at)
    tp, fp, tn, fn = table.counts(at)
    assert found["roc"] == pytest.approx((fp / (fp + tn), tp / (tp + fn)))
    if "lift" in found:
        share, lift = found["lift"]
        assert share * lift == pytest.approx(found["cumulative_gains"][1])


def test_a_sweep_marks_what_failed_and_leaves_a_gap_where_nothing_was_answered():
    p50, p99 = FIGURES["sweep latency"].data

    assert p50.marker.symbol[-1] == p99.marker.symbol[-1] == "x"
    assert p50.y[-1] is None


def test_sweeps_are_told_apart_by_clients_that_start_anew():
    loads = [
        replace(LOAD, label="Concurrency sweep", concurrency=n, created_at=float(at))
        for at, n in enumerate((1, 2, 5, 1, 2))
    ]
    assert [[load.concurrency for load in each.loads] for each in sweeps([*loads, LOAD])] == [[1, 2], [1, 2, 5]]


def test_axes_of_amounts_begin_at_zero():
    for name in ("requests", "latency", "load seconds", "sweep throughput", "sweep latency", "verdicts"):
        assert FIGURES[name].layout.yaxis.rangemode == "tozero", name


def test_a_percentile_of_few_requests_is_hollow():
    few = over_time.latency(of(replace(HOUR.buckets[0], requests=3), replace(HOUR.buckets[0], requests=10_000)))

    assert [list(trace.marker.symbol) for trace in few.data] == [
        ["circle", "circle"],
        ["circle-open", "circle"],
        ["circle-open", "circle"],
    ]


def test_a_few_requests_are_counted_in_whole_ticks_and_the_count_beside_a_bar_has_room():
    assert over_time.requests(of(replace(HOUR.buckets[0], requests=2))).layout.yaxis.dtick == 1
    assert over_time.requests(of(replace(HOUR.buckets[0], requests=2_000))).layout.yaxis.dtick is None
    axis = over_time.by_status({200: 2}).layout.xaxis
    assert axis.dtick == 1
    assert axis.range[1] > 2


def of(*buckets):
    """An hour of these intervals."""
    return replace(HOUR, buckets=buckets)


def test_what_was_not_recorded_is_a_gap_and_what_nobody_asked_is_none_of_latency():
    told = monitored.idle(replace(HOUR, recorded_since=HOUR.buckets[10].at))

    requests, latency = over_time.requests(told).data[0], over_time.latency(told).data[0]

    assert requests.y[:10] == (None,) * 10
    assert requests.y[10] is not None
    assert requests.y[30] == 0, "recorded, and nobody asked"
    assert latency.y[30] is None
    assert not latency.connectgaps


def test_an_interval_without_predictions_is_a_gap():
    line = data_charts.positive_share(monitored.predictions()).data[0]

    assert line.y[:2] == (10.0, None)
    assert not line.connectgaps


def test_the_deployments_are_told_apart_by_color_and_the_percentiles_by_dashes():
    courses = [DeploymentCourse("v3", False, HOUR.buckets), DeploymentCourse("v4", True, HOUR.buckets)]

    lines = over_time.latency(HOUR, courses).data

    assert [line.name for line in lines[2:4]] == ["v3 p99", "v4 (mirrored) p50"]
    assert len({(line.line.color, line.line.dash) for line in lines}) == 6


def test_a_tile_tells_its_unit_and_a_course_of_zeros_lies_on_its_axis():
    figure = over_time.tile(HOUR, [0, None, 0], unit="per min", color=charts.BAD, bars=True)

    assert figure.layout.annotations[0].text == "per min"
    assert figure.layout.yaxis.range == (0, 1)


def test_it_is_said_why_nothing_is_known_of_an_interval():
    silent = [
        replace(b, requests=0, client_errors=0, server_errors=0, gap="down" if 10 <= at < 30 else "")
        for at, b in enumerate(HOUR.buckets)
    ]
    figure = over_time.requests(of(*silent))

    assert over_time.gaps(of(*silent)) == [("down", silent[10].at, silent[30].at)]
    assert [note.text for note in figure.layout.annotations] == ["server down"]
    assert figure.data[0].y[9:11] == (0, None)
