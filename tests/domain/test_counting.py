"""Names in sentences: as many as somebody reads."""

from core.domain.counting import columns_said, short


def test_few_columns_are_all_named():
    assert columns_said(["x", "y"], "z") == "The columns are: x, y"


def test_of_thousands_of_columns_those_are_named_first_that_resemble_the_one_that_was_asked_for():
    said = columns_said([*(f"c{i}" for i in range(5_000)), "marital status"], "marital_status")
    assert said.startswith("The columns are: marital status, c0, c1, ")
    assert said.endswith(", c18 and 4,981 more")


def test_a_long_text_is_cut():
    assert short("word " * 200_000) == "word " * 11 + "word…"
