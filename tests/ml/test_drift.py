"""The reference of a table, and what is said of recent values beside it."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.data import ColumnKind
from core.domain.drift import DriftVerdict
from core.domain.errors import ModelUnreadable
from core.ml.drift.bands import bands, range_ends
from core.ml.drift.began import began
from core.ml.drift.distance import chi_squared, holm, kolmogorov_smirnov, psi, total_variation
from core.ml.drift.judge import judge
from core.ml.drift.ledger import Ledger, joined, line
from core.ml.drift.reference import EDGES_MAX, Reference, of_column
from core.ml.drift.tally import tally

RANDOM = np.random.default_rng(5)
NUMBERS = st.none() | st.floats(allow_nan=False) | st.integers(-(10**400), 10**400)
TEXTS = st.none() | st.text("aäß \x00😀", max_size=2)


def verdict(training, recent, kind=ColumnKind.NUMBER):
    reference = Reference((of_column("x", kind, training),))
    (found,) = judge(reference, {"x": tally(reference.columns[0], recent)}, {}).columns
    return found


@settings(max_examples=40)
@given(st.lists(NUMBERS, max_size=40), st.lists(NUMBERS, max_size=40))
def test_any_numbers_are_counted_once_each_and_have_a_label(training, recent):
    column = of_column("x", ColumnKind.NUMBER, training)
    found = tally(column, recent)
    assert (column.rows, found.rows) == (len(training), len(recent))
    labels, before, after = bands(column, found.counts)
    assert (before.sum(), after.sum()) == (len(training), len(recent))
    assert len(labels) == len(before) == len(after)
    assert all(labels)


@settings(max_examples=40)
@given(st.lists(TEXTS, max_size=40), st.lists(TEXTS, max_size=40))
def test_any_texts_are_counted_once_each_and_what_was_never_seen_is_named(training, recent):
    column = of_column("x", ColumnKind.STRING, training)
    found = tally(column, recent)
    assert (column.rows, found.rows) == (len(training), len(recent))
    assert set(found.unseen) == {text for text in recent if text is not None and text not in training}
    _, before, after = bands(column, found.counts)
    assert (before.sum(), after.sum()) == (len(training), len(recent))


@settings(max_examples=30)
@given(st.lists(NUMBERS, min_size=1, max_size=30), st.lists(TEXTS, min_size=1, max_size=30))
def test_a_reference_survives_being_written(numbers, texts):
    columns = (of_column("a", ColumnKind.NUMBER, numbers), of_column("b", ColumnKind.STRING, texts))
    told = Reference(columns, importance={"a": 0.25, "b": 0.75})
    assert Reference.from_json(json.loads(json.dumps(told.to_json()))) == told


@pytest.mark.parametrize("values", [{}, {"format": 9}, {"format": 1, "columns": 3}, {"format": 1, "columns": [{}]}])
def test_a_damaged_reference_is_refused(values):
    with pytest.raises(ModelUnreadable):
        Reference.from_json(values)


def test_a_reference_holds_counts_and_few_values():
    told = of_column("x", ColumnKind.NUMBER, RANDOM.normal(size=50_000).tolist())
    assert len(told.edges) <= EDGES_MAX
    assert min(told.counts[: len(told.edges)]) > 100


def test_of_many_levels_the_half_that_is_counted_did_not_choose_them():
    texts = [f"name {at}" for at in RANDOM.integers(0, 1_000, 5_000)] + ["often"] * 1_000
    told = of_column("x", ColumnKind.STRING, texts)
    assert (told.levels, told.complete, told.rows) == (("often",), False, 3_000)


def test_a_number_written_a_little_differently_is_in_the_same_bin():
    values = RANDOM.choice([92.89299999999999, 93.994, 94.465], 2_000).tolist()
    assert verdict(values, [round(value, 3) for value in values]).psi == 0.0
    assert verdict(values, [float(np.float32(value)) for value in values]).psi == 0.0


def test_the_index_is_the_formula_of_the_book():
    t, r = np.array([0.2, 0.3, 0.5]), np.array([0.3, 0.3, 0.4])
    rows = np.array([20_000_000, 30_000_000, 50_000_000])
    assert psi(rows, np.array([30_000_000, 30_000_000, 40_000_000])) == pytest.approx(
        float(((r - t) * np.log(r / t)).sum()), rel=1e-6
    )
    assert total_variation(rows, np.array([3, 3, 4])) == pytest.approx(0.1)


def test_the_tests_agree_with_scipys():
    from scipy.stats import chi2_contingency, ks_2samp

    first, second = RANDOM.integers(0, 60, 3_000), RANDOM.integers(2, 62, 2_000)
    edges = np.arange(62)
    counts = [np.append(np.bincount(v, minlength=len(edges)), [0, 0]) for v in (first, second)]
    statistic, p_value = kolmogorov_smirnov(*counts)
    other = ks_2samp(first, second, method="asymp")
    assert (statistic, p_value) == pytest.approx((other.statistic, other.pvalue), rel=0.05)
    table = np.array([[400, 300, 300], [250, 150, 100]])
    assert chi_squared(*table)[0] == pytest.approx(chi2_contingency(table, correction=False).statistic)


def test_p_values_are_corrected_for_their_number():
    assert holm([0.01, 0.5, 0.02]) == pytest.approx([0.03, 0.5, 0.04])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_missing_values_that_become_many_are_a_drift():
    values = RANDOM.normal(size=3_000).tolist()
    found = verdict(values, [None if at % 5 == 0 else value for at, value in enumerate(values)])
    assert found.verdict is DriftVerdict.DRIFTED
    assert found.bins is not None
    assert found.bins.recent[found.bins.labels.index("missing")] == pytest.approx(0.2)


def test_many_rows_make_a_small_difference_sure_and_not_large():
    found = verdict(RANDOM.normal(size=100_000).tolist(), (RANDOM.normal(size=100_000) + 0.05).tolist())
    assert found.p_value is not None
    assert found.p_value < 1e-6
    assert found.verdict is DriftVerdict.SAME


def test_a_value_that_most_rows_have_stands_by_itself():
    found = verdict([0.0] * 2_850 + RANDOM.exponential(9.0, 150).tolist(), [0.0] * 2_000)
    assert found.bins is not None
    assert found.bins.training[0] == pytest.approx(0.95, abs=0.002)
    assert len(found.bins.labels) == 2


@settings(max_examples=40)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=120))
def test_ranges_are_in_order_and_hold_every_bin(counts):
    ends = range_ends(np.array(counts))
    assert ends == sorted(set(ends))
    assert (ends[-1], min(ends) > 0) == (len(counts), True)


def test_counts_of_intervals_add_up_to_those_of_all_and_survive_being_written():
    texts, numbers = ["a", "b", "c", None] * 50, RANDOM.normal(size=200).tolist()
    told = Reference((of_column("n", ColumnKind.NUMBER, numbers), of_column("t", ColumnKind.STRING, texts[:100])))
    rows = [{"n": numbers[at : at + 50], "t": ["a", "new"] * 25} for at in range(0, 200, 50)]
    ledger = joined(told, [line(told, float(at), 5, 50, part, 100.0) for at, part in enumerate(rows)])
    again = Ledger.from_bytes(ledger.to_bytes(), told)
    for found in (ledger, again):
        assert found.tallies(told)["n"].counts.tolist() == tally(told.columns[0], numbers).counts.tolist()
        assert found.tallies(told)["t"].unseen == {"new": 100}
        assert found.between(1.0, 3.0).rows.sum() == 100
    with pytest.raises(ValueError, match="another reference"):
        Ledger.from_bytes(ledger.to_bytes(), Reference(told.columns[:1]))


def test_the_beginning_of_a_drift_is_where_the_rows_change():
    told = Reference((of_column("n", ColumnKind.NUMBER, RANDOM.normal(size=5_000).tolist()),))
    parts = [{"n": (RANDOM.normal(size=60) + (0.5 if hour >= 30 else 0.0)).tolist()} for hour in range(48)]
    ledger = joined(told, [line(told, float(hour), 60, 60, part, 100.0) for hour, part in enumerate(parts)])
    found = began(told, "n", ledger)
    assert found is not None
    assert abs(found - 30.0) <= 2
    assert began(told, "other", ledger) is None


def test_what_is_within_the_slack_of_a_score_is_no_difference():
    first, second = np.array([500, 500, 0, 0]), np.array([400, 600, 0, 0])
    assert kolmogorov_smirnov(first, second)[1] < 0.001
    assert kolmogorov_smirnov(first, second, slack=0.1)[1] == pytest.approx(1.0)
