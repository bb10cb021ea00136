"""Numbers, moments and states as people read them."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from core.domain.algorithms import TASKS
from core.domain.data import ColumnKind, ColumnRole, DataSource
from core.domain.endpoint import DeploymentState, EndpointState, GateState
from core.domain.job import JOB_TYPES, JobKind, JobState
from core.domain.metrics import METRICS, PRIMARY_METRICS, TaskKind
from core.domain.pipeline import StepKind
from core.domain.training import Algorithm, GuardrailState, TrialState
from core.ui.kit import words
from core.ui.shell import clock

STATEFUL = (DeploymentState, EndpointState, GateState, GuardrailState, JobState, TrialState)
NAMED = (
    (ColumnKind, words.KINDS),
    (ColumnRole, words.ROLES),
    (DataSource, words.SOURCES),
    (JobKind, JOB_TYPES),
    (StepKind, words.STEPS),
)


@pytest.mark.parametrize("kind", STATEFUL, ids=lambda kind: kind.__name__)
def test_every_state_has_a_word(kind):
    for value in kind:
        assert words.state(value).label


@pytest.mark.parametrize(("kind", "table"), NAMED, ids=lambda value: getattr(value, "__name__", ""))
def test_every_name_of_ours_has_an_everyday_one(kind, table):
    assert set(table) == set(kind)


def test_every_algorithm_has_an_everyday_name_and_another_engines_keeps_its_own():
    assert all(name.label for name in Algorithm)
    for kind in TaskKind:
        names = [words.algorithm(name) for name in Algorithm if kind in TASKS[name]]
        assert len(set(names)) == len(names), f"two algorithms of one job ({kind}) are called alike"
    assert words.algorithm("ExtremeRandomTrees") == "Extra trees"
    assert words.algorithm("TabNet") == "TabNet"


def test_a_gates_states_are_called_as_in_every_other_tool():
    assert [words.state(s).label for s in (GateState.QUEUED, GateState.RUNNING)] == ["Gate queued", "Gate running"]
    assert words.state(GuardrailState.ALERTED).label == "Needs attention"


def test_two_states_with_the_same_text_keep_their_own_words():
    assert words.state(JobState.SUCCEEDED).label == "Succeeded"
    assert words.state(TrialState.SUCCEEDED).label == "Done"


def test_every_metric_that_can_be_asked_for_has_a_name():
    assert len({words.metric(name) for name in METRICS} - set(METRICS)) == len(METRICS)
    assert set(PRIMARY_METRICS) <= set(METRICS)
    assert words.metric("gini_index") == "Gini index"
    assert words.metric("recall_score_macro") == "Recall (macro)"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.42, "0.4 s"), (9.96, "10.0 s"), (43, "43 s"), (59.9, "60 s"), (60, "1 min"), (125, "2 min 5 s"), (3600, "1 h"),
     (7260, "2 h 1 min"), (None, "–")],
)  # fmt: skip
def test_how_long_reads_in_the_unit_that_fits(seconds, expected):
    assert words.lasting(seconds) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0.61, "0.6 ms"), (9.94, "9.9 ms"), (52.3, "52 ms"), (12_400, "12.4 s"), (None, "–")]
)
def test_milliseconds_lose_decimals_as_they_grow(value, expected):
    assert words.milliseconds(value) == expected


@pytest.mark.parametrize(
    ("size", "expected"), [(0, "0 B"), (812, "812 B"), (1_200, "1.2 kB"), (612_000, "612 kB"), (2_400_000, "2.4 MB"),
                           (3_100_000_000, "3.1 GB")]
)  # fmt: skip
def test_sizes_are_decimal(size, expected):
    assert words.size(size) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(1, "just now"), (43, "43 s ago"), (77, "1 min ago"), (300, "5 min ago"), (4440, "1 h ago"), (7200, "2 h ago")],
)
def test_how_long_since(seconds, expected):
    now = 1_790_000_000.0

    assert words.ago(now - seconds, now) == expected


def test_what_was_days_ago_has_its_date():
    now = 1_790_000_000.0

    assert words.ago(now - 5 * 86_400, now).startswith("on ")
    assert words.ago(None, now) == "–"


def test_one_thing_is_not_many():
    assert words.plural(1, "row") == "1 row"
    assert words.plural(32_950, "row") == "32,950 rows"
    assert words.plural(2, "match", "matches") == "2 matches"


def test_moments_are_told_in_the_clock_of_the_visitors_browser(monkeypatch):
    told = SimpleNamespace(context_info=SimpleNamespace(timezone="Asia/Kolkata"))
    monkeypatch.setattr(clock, "get_script_run_ctx", lambda **_: told)

    assert words.moment(0.0, 60.0) == "05:30:00"
    assert f"{words.local(0.0):%Z}" == "IST"

    told.context_info.timezone = "../nowhere"
    assert words.local(0.0) == datetime.fromtimestamp(0.0, UTC)


def test_a_measured_value_is_brief_and_a_large_one_without_powers_of_ten():
    assert [words.brief(0.11893), words.brief(-21620.4, sign="+"), words.brief(254496.2, 4), words.brief(1e300)] == [
        "0.119",
        "-21,620",
        "254,496",
        "1e+300",
    ]
