"""Domain values as JSON and as text."""

import json
from enum import StrEnum
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from core.cli.show import as_json, as_text, plain
from core.domain.data import DataRef
from core.domain.endpoint import EndpointKeys
from core.domain.proof import Target
from core.domain.training import Trial, TrialState


class Colour(StrEnum):
    RED = "red"


def test_a_value_becomes_json_by_its_fields():
    trial = Trial(1, "LightGBM", TrialState.SUCCEEDED, {"depth": 3}, {"AUC_weighted": 0.5}, members=(1, 2))
    assert plain(trial)["state"] == "succeeded"
    assert plain(trial)["members"] == [1, 2]
    assert plain({Colour.RED: DataRef("t", 1), "path": Path("x")}) == {"red": {"name": "t", "version": 1}, "path": "x"}


def test_keys_are_left_out():
    assert plain(EndpointKeys("a", "b")) == {}
    assert plain(Target("http://h", "secret")) == {"url": "http://h", "headers": {}, "path": "/score", "form": "v1"}


def test_what_json_cannot_say_is_null():
    assert as_json([float("nan"), float("inf"), 1.5]) == "[null,null,1.5]"


def test_a_record_is_shown_field_by_field():
    assert as_text(DataRef("t", 1)) == "name     t\nversion  1"


def test_what_has_parts_stands_below_its_name_without_those_that_are_empty():
    shown = as_text(
        {
            "state": "ended",
            "result": {"best": {"number": 4, "error": ""}, "members": [[4, 0.25], [7, 0.75]], "notes": ["it leaks"]},
            "checks": [{"name": "a", "passed": True}, {"name": "b", "passed": False}],
        }
    )
    assert shown.splitlines() == [
        "state  ended",
        "result",
        "  notes    it leaks",
        "  best",
        "    number  4",
        "  members  4 0.25, 7 0.75",
        "checks",
        "  name  passed",
        "  a     True",
        "  b     False",
    ]


def test_times_are_shown_as_people_read_them_and_nothing_as_a_dash():
    shown = as_text({"created_at": 0.0, "ended_at": None})
    assert shown.splitlines()[0].startswith("created_at  19")
    assert shown.splitlines()[1] == "ended_at    -"


def test_long_cells_of_a_list_are_cut():
    row = as_text([{"text": "x" * 500, "last": "y" * 500}]).splitlines()[1]
    assert len(row.split()[0]) == 60
    assert row.endswith("y" * 500)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(DataRef("t", 1)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(VALUES)
def test_any_value_is_one_line_of_json_and_some_text(value):
    assert "\n" not in as_json(value)
    assert json.loads(as_json(value)) == plain(value)
    assert isinstance(as_text(value), str)
