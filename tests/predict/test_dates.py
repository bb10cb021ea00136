"""Dates become the same numbers wherever they are read."""

from datetime import date, time, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.data import ColumnKind
from core.domain.errors import ModelUnreadable
from core.predict.dates import PARTS, part_of, parts_of
from core.predict.encoder import ColumnCode, Encoder

FORMATS = {
    "ymd": ("{y:04}-{m:02}-{d:02}T{t}Z", "{y:04}/{m}/{d} {t}", "{y:04}.{m:02}.{d:02} {t}.250", "{y:04}-{m:02}-{d:02}"),
    "dmy": ("{d:02}.{m:02}.{y:04}", "{d}/{m}/{y:04} {t}", "{d}-{m}-{y:04}"),
    "mdy": ("{m:02}/{d:02}/{y:04}", "{m}-{d}-{y:04} {t}"),
}


@given(
    st.dates(date(1000, 1, 1)),
    st.times(),
    st.sampled_from([(order, form) for order, forms in FORMATS.items() for form in forms]),
)
def test_every_date_becomes_its_own_parts(day: date, at: time, how: tuple[str, str]) -> None:
    order, form = how
    text = form.format(y=day.year, m=day.month, d=day.day, t=f"{at:%H:%M:%S}")
    second = at.hour * 3600 + at.minute * 60 + at.second if "{t}" in form else 0
    days = (day - date(1970, 1, 1)).days + second / 86_400
    expected = [days, day.month, day.day, day.weekday(), second // 3600]
    assert parts_of([text], order, list(PARTS))[0].tolist() == expected


@pytest.mark.parametrize(
    "text", [None, "", "soon", "2024-02-30", "2024-13-01", "24-01-01", "2024-01-01 25:00", 3, True]
)
def test_what_is_no_date_is_missing(text: object) -> None:
    assert all(np.isnan(part_of(text, "ymd", part)) for part in PARTS)


@pytest.mark.parametrize(
    ("text", "order", "day", "hour"),
    [
        ("14.09.22", "dmy", date(2022, 9, 14), 0),
        ("09/14/71", "mdy", date(1971, 9, 14), 0),
        ("1/10/2024 1:32:10 PM", "mdy", date(2024, 1, 10), 13),
        ("1/10/24, 12:05\u202fAM", "mdy", date(2024, 1, 10), 0),
        ("14. Mai 2022", "dby", date(2022, 5, 14), 0),
        ("14-SEP-22", "dby", date(2022, 9, 14), 0),
        ("01JAN2024:10:00:05", "dby", date(2024, 1, 1), 10),
        ("02/Jan/2024:11:00:00 +0000", "dby", date(2024, 1, 2), 11),
        ("Mon, 02 Jan 2023 15:04:05 GMT", "dby", date(2023, 1, 2), 15),
        ("3 de marzo de 2021", "dby", date(2021, 3, 3), 0),
        ("14 AOÛT 2021", "dby", date(2021, 8, 14), 0),
        ("Jan. 14th, 2022 3:05 p.m.", "bdy", date(2022, 1, 14), 15),
        ("September 3, 2022", "bdy", date(2022, 9, 3), 0),
    ],
)
def test_dates_are_read_as_people_and_programs_write_them(text: str, order: str, day: date, hour: int) -> None:
    parts = parts_of([text], order, ["days", "month", "day", "hour"])[0].tolist()
    assert [int(parts[0]), *parts[1:]] == [(day - date(1970, 1, 1)).days, day.month, day.day, hour]


@pytest.mark.parametrize(
    ("text", "order"), [("13:05 PM", "mdy"), ("1/10/2024 13:05 PM", "mdy"), ("31 feb 2022", "dby"), ("1.2.1", "dmy")]
)
def test_what_only_looks_like_a_date_is_missing(text: str, order: str) -> None:
    assert np.isnan(part_of(text, order, "days"))


def test_a_zone_is_read_over_and_the_order_decides() -> None:
    assert part_of("2024-03-01T23:30:00+05:30", "ymd", "hour") == 23
    assert part_of("03/04/2024", "dmy", "month") == 4
    assert part_of("03/04/2024", "mdy", "month") == 3


def test_a_column_of_dates_is_several_of_the_matrix() -> None:
    codes = [
        ColumnCode("age", ColumnKind.INTEGER),
        *(ColumnCode("day", ColumnKind.NUMBER, (), 5.0, "ymd", part) for part in ("month", "weekday")),
        ColumnCode("job", ColumnKind.STRING, ("a", "b")),
    ]
    encoder = Encoder(codes)
    assert encoder.names == ("age", "day", "job")
    assert encoder([[30, 40], ["2024-03-01", "never"], ["b", "a"]]).tolist() == [[30, 3, 4, 1], [40, 5, 5, 0]]
    assert Encoder.from_json(encoder.to_json()).codes == encoder.codes
    assert encoder([[], [], []]).shape == (0, 4)


@pytest.mark.parametrize("changes", [{"part": "century"}, {"dates": "dym"}])
def test_a_part_that_this_version_does_not_know_is_refused(changes: dict[str, str]) -> None:
    described = Encoder([ColumnCode("day", ColumnKind.NUMBER, (), None, "ymd", "month")]).to_json()
    with pytest.raises(ModelUnreadable, match="'day'"):
        Encoder.from_json([{**described[0], **changes}])


def test_dates_go_on_beyond_the_years_that_were_seen() -> None:
    days = [part_of(f"{date(2024, 2, 27) + timedelta(n)}", "ymd", "days") for n in range(5)]
    assert np.diff(days).tolist() == [1, 1, 1, 1]
