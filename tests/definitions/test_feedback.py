"""A file of outcomes: read whatever separates it, refused with the lines that are wrong."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.definitions.feedback import read_feedback
from core.domain.errors import SpecInvalid
from core.domain.outcomes import Outcome

CELLS = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=20).filter(
    lambda text: text == text.strip() and text.isprintable()
)


@given(st.lists(st.builds(Outcome, CELLS, st.integers(0, 10_000), CELLS), min_size=1), st.sampled_from(",;\t"))
def test_what_was_written_is_read(outcomes, delimiter):
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(["request_id", "row", "actual"])
    writer.writerows((o.request_id, o.row, o.actual) for o in outcomes)

    assert read_feedback(file.getvalue().encode()) == tuple(outcomes)


def test_other_names_orders_and_columns_are_fine():
    content = "\ufeffOutcome,note,X-Request-Id\nyes,,a\n\nno,x,b\n".encode()

    assert read_feedback(content) == (Outcome("a", 0, "yes"), Outcome("b", 0, "no"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "The file is empty"),
        (b"request_id,row,actual\n", "holds no outcome"),
        (b"row,actual\n0,yes\n", "no column request_id"),
        (b"request_id,row,actual\na,0,yes\nb,x,no\nc,-1,no\nd\n", "Line 3: row is no whole number; Line 4: row is -1"),
        (b"request_id,row,outcome\na,0,\n", "Line 2: actual is"),
        (b'request_id,row,actual\n"a,0,yes\n', "The file is no CSV"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(content, why):
    with pytest.raises(SpecInvalid) as refused:
        read_feedback(content)

    assert why in refused.value.message
