import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.data import ColumnKind
from core.domain.errors import ModelUnreadable
from core.predict.dates import YEAR_FIRST
from core.predict.encoder import FLOAT32_MAX, ColumnCode, Encoder

AGE = ColumnCode("age", ColumnKind.INTEGER)
JOB = ColumnCode("job", ColumnKind.STRING, ("admin", "nurse"))
MEMBER = ColumnCode("member", ColumnKind.BOOLEAN)


def test_numbers_stay_text_becomes_its_place_and_flags_become_0_and_1():
    matrix = Encoder([AGE, JOB, MEMBER])([[30, 41.5], ["nurse", "admin"], [True, False]])
    assert matrix.tolist() == [[30, 1, 1], [41.5, 0, 0]]


def test_missing_and_unseen_values_are_nan():
    matrix = Encoder([AGE, JOB, MEMBER])([[None], ["pilot"], [None]])
    assert np.isnan(matrix).all()


def test_a_fill_stands_in_for_missing_and_unseen_values():
    codes = [ColumnCode("age", ColumnKind.INTEGER, fill=38.0), ColumnCode("job", ColumnKind.STRING, ("a", "b"), 1.0)]
    assert Encoder(codes)([[None, 5], ["never", "a"]]).tolist() == [[38, 1], [5, 0]]


def test_values_beyond_float32_are_taken_as_its_border():
    matrix = Encoder([AGE])([[1e300, -1e300, 2**63]])
    assert matrix[:, 0].tolist() == [FLOAT32_MAX, -FLOAT32_MAX, 2.0**63]


ROW = st.tuples(
    st.none() | st.integers(-(2**63), 2**63) | st.floats(),
    st.none() | st.sampled_from(["admin", "nurse", "pilot", ""]),
    st.none() | st.booleans(),
    st.none() | st.sampled_from(["2024-02-29", "2023-12-01", "no date"]),
)


@given(st.lists(ROW, min_size=1, max_size=5))
def test_a_row_is_coded_alone_as_it_is_among_others(rows):
    parts = [ColumnCode("on", ColumnKind.STRING, dates=YEAR_FIRST, part=part) for part in ("days", "hour")]
    encoder = Encoder([AGE, JOB, ColumnCode("member", ColumnKind.BOOLEAN, fill=0.5), *parts])
    together = encoder(list(zip(*rows, strict=True)))
    alone = np.vstack([encoder([[value] for value in row]) for row in rows])
    np.testing.assert_array_equal(together, alone)


def test_no_rows_give_an_empty_matrix():
    assert Encoder([AGE, JOB])([[], []]).shape == (0, 2)


def test_another_number_of_columns_is_refused():
    with pytest.raises(ValueError, match="Expected 2 columns, got 1"):
        Encoder([AGE, JOB])([[1]])


def test_an_encoder_survives_json():
    encoder = Encoder([AGE, JOB, ColumnCode("x", ColumnKind.NUMBER, fill=0.1)])
    assert Encoder.from_json(encoder.to_json()).codes == encoder.codes


def test_a_damaged_encoder_is_named():
    with pytest.raises(ModelUnreadable, match="encoder is damaged"):
        Encoder.from_json([{"name": "age", "kind": "imaginary"}])
