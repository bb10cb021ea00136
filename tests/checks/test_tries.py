"""What is tried fits into the run's time and into what a request may hold, and what was left untried is told."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_tests.reference import KEY, Reference, serving
from core.checks import run_checks
from core.checks.asking.altering import changed, escaped, unlike
from core.checks.document.description import describe
from core.checks.document.sizes import CAUTIOUS_BYTES, LARGE_BYTES, body_bytes, rows_at_once, told_bytes
from core.checks.effort import DEPTHS, LEAST_PART, WIDE
from core.checks.probe.tries import LEAST, Plan
from core.contract import samples
from core.contract.openapi import document
from core.domain.data import ColumnKind
from core.domain.endpoint import EndpointLimits
from core.domain.errors import NoVerdict
from core.domain.proof import Target
from core.domain.signature import Column, Signature


class Clock:
    """A second passes at every look."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_what_there_is_time_for_is_tried_in_its_own_order() -> None:
    tries = Plan(1e6, 0, Clock()).tries(range(LEAST))
    assert (list(tries), str(tries), tries.cut) == (list(range(LEAST)), str(LEAST), False)


def test_when_time_is_over_some_were_tried_and_it_is_told_how_many_of_how_many() -> None:
    tries = Plan(0.0, 0, Clock()).tries(range(5_000))
    made = list(tries)
    assert (len(made), len(set(made)), str(tries)) == (LEAST, LEAST, f"{LEAST} of 5,000")
    assert max(made) > 1_000  # from all over them, not the first


def test_every_check_finds_time_of_its_own() -> None:
    clock = Clock()
    plan = Plan(1_000.0, 0, clock)
    counts = [len(list(plan.tries(range(100_000)))) for _ in range(12)]
    assert all(count > LEAST for count in counts)
    assert clock.now < 1_000


@settings(derandomize=True, deadline=None)
@given(
    st.recursive(st.text(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
)
def test_json_with_every_letter_escaped_is_the_same_json(value: Any) -> None:
    """Quotes, backslashes and what is above U+FFFF too."""
    text = escaped(json.dumps(value))
    assert json.loads(text) == value
    assert text.isascii()


def test_a_change_that_changes_nothing_is_no_verdict() -> None:
    assert changed(b'{"a":1}', b"1", b"2") == b'{"a":2}'
    for body, old, new in ((b"[1]", b"2", b"3"), (b"[1]", b"1", b"1"), (b"[1,1]", b"1", b"2")):
        with pytest.raises(NoVerdict):
            changed(body, old, new)


def test_a_name_that_is_taken_is_made_another() -> None:
    assert unlike("@", ["b"]) == "@"
    assert unlike("@", ["@", "a@_b"]) == "@__"


def signature(width: int) -> Signature:
    columns = tuple(
        Column(f"a column {at}", ColumnKind.NUMBER, False, typical=0.5, low=0.0, high=1.0) for at in range(width)
    )
    return Signature(columns, "y", (0, 1), 1)


@pytest.mark.parametrize("width", [1, 20, 400, 1_500])
@pytest.mark.parametrize("form", ["v1", "v2", "mlflow"])
def test_as_many_rows_as_one_request_holds_are_within_its_size(width: int, form: str) -> None:
    described = describe(document(signature(width), title="t", version="3.1", limits=EndpointLimits()))
    rows = samples.rows(described.drawn, 50, seed=1)
    most = rows_at_once(described)
    body = described.body([rows[at % 50] for at in range(most)], "predict_proba", form)
    assert len(body) <= body_bytes(described) == told_bytes(described) == LARGE_BYTES
    assert most == 10_000 or len(body) > 0.3 * LARGE_BYTES


@pytest.mark.parametrize("said", [lambda text: text, lambda text: "5 MB"], ids=["nowhere", "in a column's name"])
def test_where_no_document_tells_a_size_a_cautious_one_is_kept(said: Callable[[str], str]) -> None:
    name = said("size")
    told = document(
        Signature((Column(name, ColumnKind.BOOLEAN, False),), "y", (0, 1), 1),
        title="t",
        version="3.1",
        limits=EndpointLimits(),
    )
    told["paths"]["/score"]["post"]["description"] = "Scores."
    assert body_bytes(describe(told)) == CAUTIOUS_BYTES


@pytest.mark.parametrize("key", ["x", "wrong", "a-key-yek-a", "aaaaaaaaaaaa", KEY])
def test_no_key_is_refused_to_its_owner_whatever_it_reads_like(key: str) -> None:
    """A key may read the same backwards, or be the word that a check takes for a wrong one."""

    class Keyed(Reference):
        def authorized(self, header: str) -> bool:
            return header == f"Bearer {key}"

    with serving(Keyed()) as url:
        results = run_checks(Target(url, key), parts=("wire",))
    assert [f"{r.name}: {r.evidence}" for r in results if r.passed is False or r.no_verdict] == []
    assert next(r for r in results if r.name == "wrong_keys_are_refused").passed is True


def test_a_wide_table_is_tried_for_a_shorter_time_and_a_usual_one_for_all_of_it() -> None:
    usual = DEPTHS["default"]
    assert usual.for_columns(0) == usual.for_columns(WIDE) == usual
    wide, wider = usual.for_columns(2 * WIDE), usual.for_columns(100 * WIDE)
    assert wide.generated_s == usual.generated_s / 2
    assert wider.tries_s == usual.tries_s * LEAST_PART < wide.tries_s < usual.tries_s
    assert (wider.rows, wider.examples) == (usual.rows, usual.examples)
