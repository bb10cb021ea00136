"""A signature comes from the profile of a table, and survives its JSON."""

import json

import pytest
from hypothesis import given, settings
from signatures import ROWS, bank_profile, bank_signature, mixed_signature, numeric, signatures, text

from core.contract.signature import from_json, signature_of, to_json
from core.domain.data import ColumnKind, ColumnProfile, ColumnRole, TableProfile
from core.domain.errors import ModelUnreadable, SlipwayError, SpecInvalid, TableUnusable


def profile_with(*columns: ColumnProfile) -> TableProfile:
    return TableProfile(ROWS, (*columns, text("y", "no", "yes")))


def test_columns_keep_the_order_of_the_table_and_leave_the_target_out():
    signature = bank_signature()
    assert [c.name for c in signature.columns] == [c.name for c in bank_profile().columns if c.name != "y"]
    assert signature.classes == ("no", "yes")
    assert signature.positive_class == "yes"


def test_three_classes_have_no_positive_one():
    assert signature_of(bank_profile(), "y", ("a", "b", "c")).positive_class is None


@pytest.mark.parametrize(
    ("levels", "count", "closed"),
    [(50, 5, True), (51, 5, False), (50, 4, False), (1, 5, True)],
)
@pytest.mark.contract("C3")
def test_a_text_column_is_closed_up_to_50_levels_of_at_least_5_rows(levels, count, closed):
    profile = profile_with(text("job", *(f"level {i:02}" for i in range(levels)), count=count))
    (column,) = signature_of(profile, "y", ("no", "yes")).columns
    assert column.closed is closed
    assert len(column.levels) == levels


def test_a_text_column_without_known_levels_is_a_free_string():
    free = ColumnProfile("note", ColumnKind.STRING, ColumnRole.FEATURE, ROWS, 0, ROWS)
    (column,) = signature_of(profile_with(free), "y", ("no", "yes")).columns
    assert (column.closed, column.levels) == (False, ())


@pytest.mark.contract("C1")
def test_a_column_is_nullable_when_the_table_missed_a_cell_of_it():
    columns = signature_of(profile_with(text("a", "x", missing=1), text("b", "x")), "y", ("no", "yes")).columns
    assert [c.nullable for c in columns] == [True, False]


@pytest.mark.contract("C4")
def test_excluded_and_dropped_columns_stay_as_unused():
    signature = bank_signature(exclude=["duration"], dropped=["pdays"])
    assert {c.name for c in signature.columns if not c.used} == {"duration", "pdays"}
    assert "duration" not in {c.name for c in signature.used}


def test_the_typical_value_has_the_type_of_its_column():
    age = numeric("age", 17, 98, 38.5, kind=ColumnKind.INTEGER)
    rate = numeric("rate", 0, 9, 4)
    columns = signature_of(profile_with(age, rate), "y", ("no", "yes")).columns
    assert [(type(c.typical), c.typical) for c in columns] == [(int, 38), (float, 4.0)]


@pytest.mark.parametrize("options", [{"exclude": ["nope"]}, {"dropped": ["nope"]}, {"exclude": ["y"]}])
def test_names_that_make_no_sense_are_refused(options):
    with pytest.raises(SpecInvalid):
        bank_signature(**options)


def test_a_model_needs_a_column():
    with pytest.raises(TableUnusable, match="No column is left"):
        signature_of(profile_with(text("a", "x")), "y", ("no", "yes"), exclude=["a"])


@settings(max_examples=60, derandomize=True, deadline=None)
@given(signatures())
def test_json_gives_the_equal_signature_back(signature):
    again = from_json(json.loads(json.dumps(to_json(signature))))
    assert again == signature
    assert [type(c) for c in again.classes] == [type(c) for c in signature.classes]


def broken(**changes):
    return to_json(mixed_signature()) | changes


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (broken(format=2), "format 2, expected 1"),
        ({}, "format None"),
        (broken(extra=1), "fields that this version does not support"),
        (broken(classes=[1]), "1 class, expected"),
        (broken(classes=[1, None]), "null"),
        (broken(target=3), "Expected `str`"),
        (broken(target="count"), "'count' is also an input"),
        (broken(columns=to_json(mixed_signature())["columns"] * 2), "'count' appears twice"),
        (broken(columns=[to_json(mixed_signature())["columns"][3] | {"levels": []}]), "closed but has no levels"),
    ],
)
def test_a_damaged_signature_says_what_is_wrong(values, says):
    with pytest.raises(ModelUnreadable) as caught:
        from_json(values)
    assert says in caught.value.message
    assert isinstance(caught.value, SlipwayError)
    assert caught.value.hint
