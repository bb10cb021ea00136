"""The language of MLflow's searches."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.emulator.jobs.mlflow_filter import Fields, ordered, parse
from core.emulator.messages import AzureError

RUN: Fields = {
    "metrics": {"AUC weighted": 0.9, "loss": 0.1},
    "params": {"depth": "4"},
    "tags": {"mlflow.parentRunId": "a_b", "it's": "so"},
    "attributes": {"status": "FINISHED", "run_name": "one", "start_time": 1000},
}


def holds(text: str) -> bool:
    return all(clause.holds(RUN) for clause in parse(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("tags.mlflow.parentRunId = 'a_b'", True),
        ("tags.`mlflow.parentRunId` = 'a_b' and metrics.loss < 0.2", True),
        ("metrics.`AUC weighted` >= 0.9 AND params.depth != '3'", True),
        ("tags.\"mlflow.parentRunId\"='a_b'", True),
        ("tags.\"it's\" = 'so'", True),
        ("status = 'FINISHED'", True),
        ("attributes.run_name LIKE 'o%'", True),
        ("attributes.run_name ILIKE 'ONE'", True),
        ("attributes.status IN ('FAILED', 'FINISHED')", True),
        ("attributes.status NOT IN ('FAILED')", True),
        ("attribute.start_time > 999", True),
        ("params.width = '4'", False),
        ("params.width IS NULL", True),
        ("metrics.loss > 0.2", False),
    ],
)
def test_a_filter_lets_through_what_it_says(text: str, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    "text",
    ["metrics.loss", "nouns.x = 'y'", "metrics.loss > 'high'", "params.depth = 4", "status = 'A' or status = 'B'",
     "status = 'A' and", "(status = 'A')", "status ~ 'A'"],
)  # fmt: skip
def test_what_is_no_filter_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(AzureError, match="Invalid clauses") as caught:
        parse(text)
    assert (caught.value.status, caught.value.code) == (400, "INVALID_PARAMETER_VALUE")


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    with contextlib.suppress(AzureError):
        holds(text)


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="'"), max_size=30))
def test_a_value_is_compared_as_it_was_written(value: str) -> None:
    fields: Fields = {"metrics": {}, "params": {}, "tags": {"x": value}, "attributes": {}}
    assert all(clause.holds(fields) for clause in parse(f"tags.x = '{value}'"))


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)), max_size=20), st.booleans())
def test_runs_come_in_the_order_that_was_asked_for_and_those_without_a_value_last(
    values: list[float | None], down: bool
) -> None:
    runs = [({"metrics": {} if v is None else {"m": v}, "params": {}, "tags": {}, "attributes": {}}, v) for v in values]
    found = ordered(runs, [f"metrics.m {'DESC' if down else 'ASC'}"])  # type: ignore[arg-type]
    there = [value for value in found if value is not None]
    assert there == sorted(there, reverse=down)
    assert all(value is None for value in found[len(there) :])
    assert not any(math.isnan(value) for value in there)
