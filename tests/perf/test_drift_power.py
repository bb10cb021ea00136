"""Drift that is there is found, and where there is none no alarm is raised, on made tables and on real ones."""

import numpy as np
import pytest

from core.domain.data import ColumnKind
from perf.drift_power import MADE, TARGETS, doubled, made, sources, study, table_of, upper


@pytest.fixture(scope="module")
def few():
    return study(made("made-20000", 0), 0, still=20, moved=10)


def test_a_seeded_slice_finds_what_was_planted_and_raises_no_alarm(few):
    assert few["alarms"] == 0, few["cried"]
    assert (few["numbers_found"], few["categories_found"]) == (few["numbers"], few["categories"]) == (5, 5), few[
        "missed"
    ]


def test_the_figures_are_a_table(few):
    table = table_of([few, few])
    assert "| made-20000 | 40 | 0 |" in table
    assert "| all | 40 | 0 |" in table


def test_the_bound_is_the_exact_one():
    assert upper(0, 2_000) == pytest.approx(0.00184, abs=1e-5)
    assert upper(11, 2_000) < 0.01 < upper(12, 2_000)


def test_a_category_doubles_at_the_cost_of_the_others():
    values = ["a"] * 10 + ["b"] * 50 + ["c"] * 40
    changed = doubled(values, np.random.default_rng(1))
    grown = [level for level in "abc" if changed.count(level) == 2 * values.count(level)]
    assert (len(grown), len(changed)) == (1, 100)


def test_a_made_table_has_every_kind_of_column():
    assert {*made("made-1000", 0).kinds.values()} == set(ColumnKind)


@pytest.mark.full
def test_over_two_thousand_windows_hardly_any_alarm_and_of_two_hundred_drifts_nearly_all(shared):
    found = [study(source, split, 40, 8) for source, split in sources([*TARGETS, *MADE], shared / "data", 10)]
    windows = sum(each["windows"] for each in found)
    planted = sum(each["numbers"] + each["categories"] for each in found)
    hit = sum(each["numbers_found"] + each["categories_found"] for each in found)
    assert (windows, planted >= 200) == (2_000, True)
    assert upper(sum(each["alarms"] for each in found), windows) <= 0.01
    assert hit >= 0.95 * planted
