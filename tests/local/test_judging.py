"""When an alert fires and clears, of values over time: never twice in a row, never within the band, never unknown."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.alerts import AlertMetric, AlertRule, AlertState
from core.domain.errors import SpecInvalid
from core.local.alert_words import amount, duration, sentence
from core.local.service.judging import LOST_LOOKS, every_s, judge
from core.local.store.alerts import Standing

OK, PENDING, FIRING, UNKNOWN = AlertState.OK, AlertState.PENDING, AlertState.FIRING, AlertState.UNKNOWN
NEW = Standing(UNKNOWN, 0.0)
ERRORS = AlertRule("errors", "bank", AlertMetric.ERROR_RATE, 5.0)
STEP_S = 10.0


def run(rule, values, step_s=STEP_S, standing=NEW):
    """The states after each value, and the events (index, state)."""
    states, events = [], []
    for i, value in enumerate(values):
        standing, event = judge(rule, standing, value, i * step_s)
        states.append(standing.state)
        if event is not None:
            events.append((i, event))
    return states, events


def test_it_fires_above_the_limit_and_clears_below_the_band():
    states, events = run(ERRORS, [1.0, 5.0, 5.1, 4.9, 4.6, 4.5, 5.0])
    assert states == [OK, OK, FIRING, FIRING, FIRING, OK, OK]
    assert events == [(2, FIRING), (5, OK)]


def test_availability_fires_below():
    states, _ = run(AlertRule("up", "bank", AlertMetric.AVAILABILITY, 99.0), [100.0, 99.0, 98.9, 99.05, 99.1])
    assert states == [OK, OK, FIRING, FIRING, OK]


def test_it_waits_until_it_has_lasted():
    rule = replace(ERRORS, for_s=30.0)
    states, events = run(rule, [9.0, 9.0, 1.0, 9.0, 9.0, 9.0, 9.0, 1.0, 9.0, 1.0, 1.0, 1.0, 1.0])
    assert states == [PENDING, PENDING, OK, PENDING, PENDING, PENDING, *[FIRING] * 6, OK]
    assert events == [(6, FIRING), (12, OK)]


def test_what_was_before_a_long_pause_does_not_count():
    rule = replace(ERRORS, for_s=30.0)
    pause_s = LOST_LOOKS * every_s(rule) + 1
    first, _ = judge(rule, NEW, 9.0, 0.0)
    later, event = judge(rule, first, 9.0, pause_s)
    assert (later.state, later.turning_at, event) == (PENDING, pause_s, None)
    back, event = judge(rule, later, 9.0, 1.0)
    assert (back.state, back.turning_at, event) == (PENDING, 1.0, None), "the clock was set back"
    assert judge(rule, back, 9.0, 31.0)[1] is FIRING


def test_a_value_that_is_not_a_number_is_not_known():
    assert judge(ERRORS, NEW, float("nan"), 1.0) == judge(ERRORS, NEW, None, 1.0)


VALUES = st.lists(st.none() | st.floats(0, 12), max_size=60)
RULES = st.builds(
    lambda limit, band, for_s, metric: AlertRule(
        "r", "e", metric, limit, limit + band if metric.fires_below else max(0.0, limit - band), for_s=for_s
    ),
    st.floats(1, 10),
    st.floats(0, 5),
    st.sampled_from([0.0, 5.0, 20.0, 45.0]),
    st.sampled_from([AlertMetric.ERROR_RATE, AlertMetric.AVAILABILITY]),
)


@settings(max_examples=60)
@given(RULES, VALUES)
def test_events_take_turns_and_each_has_its_cause(rule, values):
    states, events = run(rule, values)
    assert [event for _, event in events] == [FIRING if i % 2 == 0 else OK for i in range(len(events))]
    for i, event in events:
        assert states[i] is event
        lasted = values[i - int(-(-rule.for_s // STEP_S)) : i + 1]
        turned = rule.is_bad if event is FIRING else rule.is_good
        assert len(lasted) > rule.for_s / STEP_S
        assert all(value is not None and turned(value) for value in lasted)


@settings(max_examples=60)
@given(RULES, VALUES)
def test_what_is_not_known_never_fires_and_never_clears(rule, values):
    states, events = run(rule, values)
    for i, value in enumerate(values):
        if value is None:
            assert states[i] is (FIRING if i and states[i - 1] is FIRING else UNKNOWN)
            assert i not in dict(events)


@settings(max_examples=60)
@given(RULES, st.lists(st.floats(0, 1), max_size=60), st.booleans())
def test_within_the_band_nothing_changes(rule, places, fires_first):
    low, high = sorted((rule.limit, rule.clears_at))
    inside = [low + place * (high - low) for place in places]
    inside = [value for value in inside if not rule.is_bad(value) and (not rule.is_good(value) or not fires_first)]
    started = replace(NEW, state=FIRING if fires_first else OK)
    states, events = run(rule, inside, standing=started)
    assert events == []
    assert set(states) <= {started.state}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"clear": 6.0}, "at most the limit"),
        ({"limit": 101.0}, "limit is 101.0"),
        ({"limit": float("nan")}, "limit is nan"),
        ({"window_s": 0.0}, "window_s"),
        ({"requests_needed": 0}, "requests_needed"),
        ({"webhook": "file:///etc/passwd"}, "none of http"),
        ({"webhook": "http://[::1"}, "none of http"),
        ({"command": "say 'it"}, "cannot be split"),
        ({"command": " "}, "names no program"),
        ({"parameters": {"a": "1"}}, "no pipeline"),
        ({"metric": AlertMetric.AVAILABILITY, "deployment": "v1"}, "as a whole"),
        ({"metric": AlertMetric.AVAILABILITY, "limit": 99.0, "clear": 98.0}, "at least the limit"),
        ({"name": " "}, "An alert's name"),
    ],
)
def test_a_rule_that_could_never_work_is_refused(changes, said):
    with pytest.raises(SpecInvalid, match=said):
        replace(ERRORS, **changes)


def test_what_an_alert_says():
    def says(rule, state, value, why=""):
        return sentence(rule, state, value, why)

    five = "'bank' is 12.5 % over the last 5 minutes, above the limit of 5 %"
    assert says(ERRORS, FIRING, 12.5) == f"The share of failed requests to {five}."
    assert says(replace(ERRORS, for_s=60.0), PENDING, 12.5).endswith("; the alert fires when that lasts for 1 minute.")
    assert says(ERRORS, FIRING, 4.8).endswith("is 4.8 % over the last 5 minutes; the alert clears at 4.5 %.")
    assert says(ERRORS, OK, 0.0).endswith("is 0 % over the last 5 minutes, within the limit of 5 %.")
    drift = AlertRule("d", "bank", AlertMetric.DRIFT, 0.0, window_s=86_400.0)
    assert says(drift, FIRING, 1.0) == (
        "The drift of 'bank' is in 1 column over the last day, above the limit of 0 columns."
    )
    quiet = AlertRule("q", "bank", AlertMetric.NO_TRAFFIC, 600.0, deployment="v2")
    assert says(quiet, FIRING, 5400.0) == (
        "The time since the last request to deployment 'v2' of 'bank' is 1.5 hours, above the limit of 10 minutes."
    )
    assert says(ERRORS, UNKNOWN, None, "there were 0 requests, and it takes 5 to say").endswith("to say.")
    assert says(ERRORS, FIRING, None, "why").endswith("is not known: why. The alert goes on until it is.")
    assert amount(AlertRule("p", "e", AlertMetric.P99, 50.0), 1234.5) == "1,234 ms"
    assert [duration(s) for s in (0.5, 59, 60, 3600, 172_800)] == ["0.5 s", "59 s", "1 minute", "1 hour", "2 days"]
