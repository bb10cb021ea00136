"""What steps give and take: in words, and with links to where it is shown."""

import pytest

from core.domain.pipeline import ValueType
from core.ui.pipelines import values


@pytest.mark.parametrize(
    ("kind", "value", "page", "query"),
    [
        (ValueType.DATA, "bank:3", "Explore", {"data": "bank:3"}),
        (ValueType.JOB, "j-1", "Leaderboard", {"job": "j-1"}),
        (ValueType.MODEL, "bank:2", "Deploy", {"model": "bank:2"}),
        (ValueType.DEPLOYMENT, "bank/v2", "Deploy", {"endpoint": "bank", "use": "Traffic"}),
        (ValueType.REPORT, "g-1", "Quality", {"endpoint": "bank", "report": "g-1"}),
    ],
)
def test_what_the_workspace_holds_has_a_page(kind, value, page, query):
    assert values.target(kind, value, endpoint="bank") == (page, query)


@pytest.mark.parametrize("kind", [ValueType.STRING, ValueType.JSON, ValueType.FILE, None])
def test_a_plain_value_stands_for_itself(kind):
    assert values.target(kind, "text") is None
    assert values.target(ValueType.DATA, "") is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "yes"),
        (12, "12"),
        (0.123456789, "0.123457"),
        ([], "empty"),
        (["a", 2], "a, 2"),
        ({"a": 1, "b": [True]}, "a: 1, b: yes"),
        ("x" * 400, "x" * 300 + " …"),
    ],
)
def test_a_value_is_told_in_one_line(value, shown):
    assert values.text(value) == shown


def test_numbers_that_were_measured_are_told_apart_from_what_else_a_step_gives():
    assert values.metrics({"AUC": 0.9, "rows": 3, "ok": True, "name": "x"}) == {"AUC": 0.9, "rows": 3.0}
    assert values.metrics([1, 2]) == {}
