"""Rows are drawn from all that a document declares, and from nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from contract_tests.foreign import Flats
from contract_tests.reference import KEY, LooseReference, Refused, serving
from core.checks.asking.everywhere import everywhere
from core.checks.document.columns import columns_of, domains_of
from core.checks.document.description import describe
from core.checks.document.drawing import Drawing
from core.checks.effort import DEPTHS
from core.checks.probe.probe import Probe
from core.checks.probe.source import fetch
from core.domain.proof import Target
from core.domain.signature import Signature

NUMBERS = st.integers(-(10**6), 10**6)
KINDS = st.sampled_from(["integer", "number"])


@st.composite
def bounded(draw: st.DrawFn) -> dict[str, Any]:
    """The schema of a number with bounds of any kind, observed somewhere or not, with an example or without."""
    low, width = draw(NUMBERS), draw(st.integers(3, 10**6))
    schema: dict[str, Any] = {"type": draw(KINDS)}
    schema |= draw(st.sampled_from([{}, {"minimum": low}, {"exclusiveMinimum": low}]))
    schema |= draw(st.sampled_from([{}, {"maximum": low + width}, {"exclusiveMaximum": low + width}]))
    inside = draw(st.integers(low + 1, low + width - 1))
    schema |= draw(st.sampled_from([{}, {"x-observed": {"low": inside, "high": inside}}, {"example": inside}]))
    return schema


SCHEMAS = st.one_of(
    bounded(),
    st.fixed_dictionaries({"type": KINDS, "enum": st.lists(NUMBERS, min_size=1, max_size=5)}),
    st.builds(
        lambda times, step: {"type": "integer", "multipleOf": step, "minimum": 0, "maximum": times * step},
        st.integers(1, 50),
        st.integers(2, 9),
    ),
    st.fixed_dictionaries({"type": st.just("string"), "enum": st.lists(st.text(), min_size=1, max_size=5)}),
    st.just({"type": "boolean"}),
)


def drawing(columns: dict[str, Any]) -> Drawing:
    row = {"properties": columns, "required": list(columns)}
    return Drawing(Signature(columns_of({}, row, {}), "", ()), domains_of({}, row, {}))


@given(st.dictionaries(st.text(min_size=1), SCHEMAS, min_size=1, max_size=4), st.integers(0, 2**31))
def test_every_row_is_one_that_the_document_allows(columns: dict[str, Any], seed: int) -> None:
    schema = {"type": "object", "properties": columns, "required": list(columns)}
    made = drawing(columns)
    for row in (*made.usual(8, seed), *made.everywhere(16, seed)):
        assert [error.message for error in Draft202012Validator(schema).iter_errors(row)] == []


COLUMNS: dict[str, Any] = {
    "age": {"type": "integer", "minimum": 0, "maximum": 120, "example": 40},
    "income": {"type": "number", "minimum": 0, "maximum": 10_000_000, "example": 30_000.0},
    "job": {"type": "string", "enum": [f"job {n}" for n in range(12)]},
    "town": {"type": "string", "enum": [f"town {n}" for n in range(12)]},
}


@pytest.mark.parametrize("seed", range(3))
def test_rows_from_everywhere_leave_no_corner_out(seed: int) -> None:
    rows = drawing(COLUMNS).everywhere(2_000, seed)
    assert {row["age"] for row in rows} == set(range(121))
    assert len({(row["job"], row["town"]) for row in rows}) == 144
    incomes = [row["income"] for row in rows]
    assert {0, 10_000_000} <= set(incomes)
    for low, high in ((0, 30_000), (30_000, 1e6), (1e6, 5e6), (5e6, 9e6), (9e6, 1e7)):
        assert sum(low < income < high for income in incomes) > 50
    corners = {(0, 0), (0, 10_000_000), (120, 0), (120, 10_000_000)}
    assert corners <= {(row["age"], row["income"]) for row in rows}


def test_the_usual_rows_begin_near_the_example_and_reach_everywhere() -> None:
    rows = drawing(COLUMNS).usual(200, 0)
    assert 20 <= rows[0]["age"] <= 60
    assert min(row["age"] for row in rows) < 10
    assert max(row["age"] for row in rows) > 110


def test_a_guess_that_is_refused_is_taken_back_and_one_that_is_taken_is_used() -> None:
    class Careful(LooseReference):
        """Its document says nothing of it."""

        def validate(self, rows: list[Any]) -> None:
            super().validate(rows)
            if any(row["age"] > 100 for row in rows):
                raise Refused(400, "Too old")

    with serving(Careful()) as url:
        target = Target(url, KEY)
        probe = Probe(target, fetch(target), seed=0, depth=DEPTHS["default"])
        found = everywhere(probe)
        probe.close()
    rows = [row for batch in found.batches for row in batch]
    assert found.refused is None
    assert 90 <= max(row["age"] for row in rows) <= 100
    assert max(row["balance"] for row in rows) > 1_000
    assert min(row["balance"] for row in rows) < 0


def test_what_may_be_left_out_is_left_out_now_and_then() -> None:
    rows = describe(Flats().document("")).drawing.everywhere(80, 0)
    assert {"lift" in row for row in rows} == {True, False}
