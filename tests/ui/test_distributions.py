"""Distributions: bars where their values are, what is missing shown, a base rate that can be read."""

import tomllib

import pytest

from core.domain.data import Bin, ColumnKind, ColumnProfile, ColumnRole, Level, TableProfile
from core.settings import CHECKOUT
from core.ui.explore.columns import shape
from core.ui.explore.detail import positive_of
from core.ui.explore.table import first_column
from core.ui.kit import distributions, words

FEW = (Level("basic", 60, 0.5), Level("pro <b>", 30, 0.1))
READABLE = 4.5
"""The least contrast of text that WCAG 2 calls readable (level AA)."""


def column(name: str = "x", kind: ColumnKind = ColumnKind.STRING, **values) -> ColumnProfile:
    return ColumnProfile(name, kind, values.pop("role", ColumnRole.FEATURE), 100, values.pop("missing", 0), 2, **values)


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["categories", "numbers"])
def test_the_rate_of_all_rows_can_be_read(theme, kind):
    levels = FEW if kind == "categories" else (Level("1", 60, 0.5), Level("2", 30, 0.1))
    shown = column(levels=levels, kind=ColumnKind.STRING if kind == "categories" else ColumnKind.INTEGER)
    figure = distributions.target_rates(shown, "y", "yes", 0.263)

    (said,) = figure.layout.annotations
    assert said.text == "All rows: 26.3 %"
    assert (said.yref, said.y, said.yanchor) == ("paper", 1, "bottom"), "above the bars, never on them"
    assert figure.layout.margin.t >= 24, "with room for a line of text"
    assert said.font.color is None, "so that it has the theme's color"
    colors = tomllib.loads((CHECKOUT / ".streamlit/config.toml").read_text())["theme"][theme]
    assert contrast(colors["textColor"], colors["backgroundColor"]) >= READABLE


def test_whole_numbers_stand_on_their_own_value():
    flag = column(kind=ColumnKind.INTEGER, histogram=(Bin(0, 1, 97), Bin(1, 2, 3)))
    figure = distributions.distribution(flag)

    assert list(figure.data[0].x) == [0, 1]
    assert figure.layout.xaxis.dtick == 1


def test_a_bar_of_whole_numbers_ends_below_the_next_one():
    ages = column(kind=ColumnKind.INTEGER, histogram=(Bin(17, 21, 40), Bin(21, 25, 60)))

    assert [text for text, _ in distributions.distribution(ages).data[0].customdata] == ["17 to 20", "21 to 24"]


def test_missing_rows_are_a_bar_among_the_categories():
    bars = distributions.distribution(column(levels=FEW, missing=10)).data[0]

    assert list(bars.x) == [60, 30, 10]
    assert bars.customdata[-1][0] == distributions.MISSING
    assert bars.marker.color[-1] != bars.marker.color[0]


def test_long_categories_that_begin_alike_keep_their_own_bars():
    long = "Kfz-Versicherung mit Schutzbrief und Rabattschutz, Tarif "
    levels = (Level(f"{long}A", 6, None), Level(f"{long}B", 4, None), Level(" ", 1, None))
    figure = distributions.distribution(column(levels=levels))

    assert list(figure.data[0].y) == [0, 1, 2]
    assert all(len(text) <= distributions.LABEL_CHARS_MAX for text in figure.layout.yaxis.ticktext)
    assert figure.data[0].customdata[1][0] == f"{long}B"
    assert figure.layout.yaxis.ticktext[2] == '" "'


def test_tags_in_a_table_are_text_in_its_charts():
    figure = distributions.target_rates(column("<i>", levels=FEW), "<u>", "yes", 0.3)

    assert figure.layout.yaxis.ticktext[1] == "pro &lt;b&gt;"
    assert "&lt;u&gt;" in figure.layout.xaxis.title.text


def test_numbers_keep_their_order_in_rates_and_say_of_how_many_rows():
    levels = (Level("10", 60, 0.5), Level("9", 1, 1.0), Level("-1", 30, 0.1))
    bars = distributions.target_rates(column(kind=ColumnKind.INTEGER, levels=levels), "y", "yes", 0.3).data[0]

    assert list(bars.x) == ["-1", "9", "10"]
    assert list(bars.customdata) == ["30 rows", "1 row", "60 rows"]


def test_dates_are_shown_in_the_order_of_time():
    levels = (Level("2024-02-01", 9), Level("2023-05-01", 5), Level("2024-01-01", 4))

    assert [v.value for v in distributions.shown_levels(column(levels=levels, dates="ymd"))] == [
        "2023-05-01", "2024-01-01", "2024-02-01",
    ]  # fmt: skip


def test_the_rate_of_all_rows_is_the_targets_own():
    assert positive_of(column("y", levels=(Level("no", 75, 0.0), Level("yes", 25, 1.0)))) == ("yes", 0.25)


def test_the_first_column_that_says_something_is_opened():
    ident = column("id", role=ColumnRole.ID)
    same = column("same", role=ColumnRole.CONSTANT, levels=(Level("x", 100),))
    assert first_column(TableProfile(100, (ident, same, column("plan", levels=FEW)))) == "plan"
    assert first_column(TableProfile(100, (ident, same))) == "id"


def test_the_rarest_category_is_among_the_inline_bars():
    assert shape(column(levels=FEW)) == [60, 30]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2266020.0, "2,266,020"), (0.00050384, "0.00050384"), (169.8, "169.8"), (0.0, "0"), (-17, "-17"),
        (1e300, "1e+300"), (3069.7234, "3,069.72"), (True, "true"), ("Öl", "Öl"), (None, "–"),
    ],
)  # fmt: skip
def test_a_value_of_a_table_is_read_at_a_glance(value, text):
    assert words.value(value) == text


def test_a_rate_of_few_rows_is_pale_and_said_to_be():
    rated = column("age", ColumnKind.INTEGER, levels=(Level("40", 900, 0.1), Level("98", 1, 1.0)))
    assert list(distributions.target_rates(rated, "y", "yes", 0.1).data[0].marker.opacity) == [1.0, 0.35]
    assert distributions.few_rows(rated)
    assert not distributions.few_rows(column("job", levels=(Level("cook", 900, 0.1), Level("nurse", 90, 0.2))))
