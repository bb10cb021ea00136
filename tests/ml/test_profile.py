"""The profile against pandas on small tables, and against the tables that break profiles."""

import json
import math
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.data import ColumnKind, ColumnProfile, ColumnRole, Level
from core.domain.errors import SpecInvalid
from core.ml.data.profile import from_json, positive_level, profile_table, to_json

few = settings(max_examples=25, deadline=None, derandomize=True)


@pytest.fixture(scope="session")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Writes columns as Parquet and gives the path; one file, since hypothesis shares fixtures between examples."""
    path = tmp_path_factory.mktemp("profile") / "it's [1] table.parquet"

    def write(columns: dict[str, Any]) -> Path:
        pq.write_table(pa.table(columns), path)
        return path

    return write


@pytest.fixture
def only(parquet: Any) -> Any:
    """The profile of a one-column table."""

    def profile(values: Any, target: str = "") -> ColumnProfile:
        return profile_table(parquet({"x": values}), target).columns[0]

    return profile


integers = st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=60)
small_integers = st.lists(st.none() | st.integers(-5, 30), min_size=1, max_size=60)
floats = st.lists(st.none() | st.floats(), min_size=1, max_size=60)
texts = st.lists(st.none() | st.text(max_size=4), min_size=1, max_size=60)


@few
@given(values=integers | small_integers)
def test_integers_are_summarised_as_pandas_does(parquet: Any, values: list[int | None]) -> None:
    column = profile_table(parquet({"x": pa.array(values, pa.int64())})).columns[0]
    present = [v for v in values if v is not None]
    assert (column.kind, column.rows, column.missing) == (ColumnKind.INTEGER, len(values), values.count(None))
    assert column.distinct == len(set(present))
    if not present:
        return
    assert (column.low, column.high) == (float(min(present)), float(max(present)))
    assert column.typical == sorted(present)[math.ceil(len(present) / 2) - 1]
    assert isinstance(column.typical, int)
    assert [b.count for b in column.histogram] == [
        sum(b.low <= float(v) < b.high or (b is column.histogram[-1] and float(v) == b.high) for v in present)
        for b in column.histogram
    ]


@few
@given(values=floats)
def test_floats_are_summarised_as_pandas_does_and_what_is_not_finite_is_missing(parquet: Any, values: Any) -> None:
    column = profile_table(parquet({"x": pa.array(values, pa.float64())})).columns[0]
    series = pd.Series([v for v in values if v is not None and math.isfinite(v)], dtype=float)
    assert (column.kind, column.missing) == (ColumnKind.NUMBER, len(values) - len(series))
    if not len(series):
        assert column.role is ColumnRole.EMPTY
        return
    assert column.distinct == series.nunique()
    assert column.quantiles == tuple(np.quantile(series, [0.05, 0.25, 0.5, 0.75, 0.95], method="inverted_cdf"))
    half = series / 2  # pandas overflows on 1e308 where the profile does not
    assert column.mean is not None
    assert column.mean / 2 == pytest.approx(math.fsum(half / len(half)), rel=1e-9, abs=1e-9 * abs(half).max())
    assert sum(b.count for b in column.histogram) == len(series)
    assert all(b.low <= c.low for b, c in zip(column.histogram, column.histogram[1:], strict=False))


@few
@given(values=st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=60))
def test_mean_and_deviation_are_those_of_pandas(parquet: Any, values: list[float]) -> None:
    column, series = profile_table(parquet({"x": values})).columns[0], pd.Series(values)
    assert column.mean == pytest.approx(series.mean(), abs=1e-6)
    assert column.std == pytest.approx(series.std(), rel=1e-6, abs=1e-6)


@few
@given(values=texts, signs=st.lists(st.sampled_from(["yes", "no"]), min_size=60, max_size=60))
def test_levels_and_their_target_rates_are_those_of_pandas(parquet: Any, values: Any, signs: list[str]) -> None:
    signs = ["yes", "no", *signs][: len(values)]
    profile = profile_table(parquet({"x": pa.array(values, pa.string()), "sign": signs}), "sign")
    column = profile.column("x")
    frame = pd.DataFrame({"x": values, "sign": signs}).dropna()
    counts = frame["x"].value_counts()
    assert column.distinct == len(counts)
    if column.role is ColumnRole.ID:
        assert (column.levels, column.typical) == ((), None)
        return
    assert {level.value: level.count for level in column.levels} == counts.to_dict()
    assert [level.count for level in column.levels] == sorted(counts, reverse=True)
    if len(set(signs)) == 2:
        rates = (frame["sign"] == "yes").groupby(frame["x"]).mean()
        assert {level.value: level.target_rate for level in column.levels} == pytest.approx(rates.to_dict())


@few
@given(numbers=floats, words=texts)
def test_a_profile_comes_back_from_json_text_as_it_was(parquet: Any, numbers: Any, words: Any) -> None:
    rows = min(len(numbers), len(words))
    profile = profile_table(
        parquet({"n": pa.array(numbers[:rows], pa.float64()), "w": pa.array(words[:rows], pa.string())})
    )
    back = from_json(json.loads(json.dumps(to_json(profile), allow_nan=False)))
    assert back == profile
    assert [type(c.typical) for c in back.columns] == [type(c.typical) for c in profile.columns]


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (pa.array([1, 2], pa.uint8()), ColumnKind.INTEGER),
        (pa.array([1, 2**63], pa.uint64()), ColumnKind.NUMBER),
        (pa.array([1.5, 2], pa.float32()), ColumnKind.NUMBER),
        (pa.array([Decimal("1.50"), None]), ColumnKind.NUMBER),
        (pa.array([True, None]), ColumnKind.BOOLEAN),
        (pa.array([date(2024, 1, 31), None]), ColumnKind.STRING),
        (pa.array([1_700_000_000, 0], pa.timestamp("s")), ColumnKind.STRING),
        (pa.array(["a", "b"]).dictionary_encode(), ColumnKind.STRING),
        (pa.array([{"a": 1}, None]), ColumnKind.STRING),
        (pa.array([None, None]), None),
    ],
)
def test_every_stored_type_has_one_of_the_four_kinds(only: Any, array: pa.Array, kind: ColumnKind | None) -> None:
    column = only(array)
    assert column.kind is kind or (kind is None and column.role is ColumnRole.EMPTY)


def test_no_rows_and_one_row_are_profiled(only: Any) -> None:
    empty, one = only(pa.array([], pa.int64())), only([7])
    assert (empty.rows, empty.role, empty.histogram, empty.typical) == (0, ColumnRole.EMPTY, (), None)
    assert (one.rows, one.role, one.typical, one.std) == (1, ColumnRole.CONSTANT, 7, None)
    assert [b.count for b in one.histogram] == [1]


def test_one_value_beside_missing_cells_is_no_constant(only: Any) -> None:
    assert only(["a", None]).role is ColumnRole.FEATURE


def test_strange_column_names_are_names(parquet: Any) -> None:
    names = ['a "quoted"', "it's", "a.b", "ün icode ☃", " ", "c0", "select", "semi;colon", "100%", "{0}"]
    profile = profile_table(parquet({name: [1, 2, 2] for name in names}), "it's")
    assert [c.name for c in profile.columns] == names
    assert profile.column("it's").levels == (Level("2", 2, 0.0), Level("1", 1, 1.0))


def test_both_zeros_are_one_value(only: Any) -> None:
    assert only([0.0, -0.0, 1.0]).levels == (Level("0.0", 2), Level("1.0", 1))


def test_thousands_of_columns_are_profiled_in_no_time(parquet: Any) -> None:
    table = parquet({f"c{i}": [i, i + 0.5] if i % 2 else ["a", "b"] for i in range(3_000)})
    began = time.process_time()
    profile = profile_table(table)
    assert time.process_time() - began < 4  # queries that named every column in turn took 12 s
    assert len(profile.columns) == 3_000
    assert profile.column("c2999").high == 2999.5


@pytest.mark.parametrize(
    "values",
    [
        [f"7590-{i:05}" for i in range(40)],
        list(range(1000, 1040)),
        [3 * i * i for i in range(40)],
        np.random.default_rng(1).permutation(40),
        np.random.default_rng(1).choice(10**9, 600, replace=False),
    ],
    ids=["text", "counter", "ascending with gaps", "shuffled counter", "many random keys"],
)
def test_an_id_is_known_by_its_values(only: Any, values: Any) -> None:
    assert only(values).role is ColumnRole.ID


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(1).choice(100_000, 100, replace=False),
        np.random.default_rng(1).normal(size=600),
        [*range(999), 0],
        [*range(999), None],
        list(range(19)),
        [f"name {i}" for i in range(19)],
        [f"name {i % 900}" for i in range(1000)],
    ],
    ids=["unique by chance", "floats", "one repeat", "a gap", "19 rows", "19 texts", "repeating text"],
)
def test_a_measure_is_no_id(only: Any, values: Any) -> None:
    assert only(values).role is ColumnRole.FEATURE


def test_the_text_of_an_id_is_not_published(only: Any) -> None:
    column = only([f"customer {i}" for i in range(100)])
    assert (column.levels, column.typical) == ((), None)


def test_a_hundred_levels_are_listed_and_all_are_counted(only: Any) -> None:
    column = only([f"level {i:03}" for i in range(150) for _ in range(3 if i == 120 else 2)])
    assert (len(column.levels), column.distinct) == (100, 150)
    assert column.levels[0] == Level("level 120", 3)


def test_integers_with_few_values_have_bars_of_width_one(only: Any) -> None:
    assert [(b.low, b.high, b.count) for b in only([1, 1, 3]).histogram] == [(1, 2, 2), (2, 3, 0), (3, 4, 1)]


@pytest.mark.parametrize(
    ("levels", "positive"),
    [
        (("no", 10, "yes", 90), "yes"),
        (("0", 10, "1", 90), "1"),
        (("false", 10, "true", 90), "true"),
        (("<=50K", 90, ">50K", 10), ">50K"),
        (("bad", 30, "good", 70), "bad"),
        (("a", 5, "b", 5), "b"),
    ],
)
def test_the_positive_class_says_so_or_is_the_rarer(levels: tuple[str, int, str, int], positive: str) -> None:
    a, n, b, m = levels
    assert positive_level([Level(a, n), Level(b, m)]) == positive_level([Level(b, m), Level(a, n)]) == positive


def test_rows_without_a_target_do_not_count_in_its_rate(parquet: Any) -> None:
    profile = profile_table(parquet({"x": ["a", "a", "a"], "y": ["yes", "no", None]}), "y")
    assert profile.column("x").levels == (Level("a", 3, 0.5),)


def test_an_unknown_target_is_refused_with_the_names_there_are(parquet: Any) -> None:
    with pytest.raises(SpecInvalid, match="no column 'z'") as caught:
        profile_table(parquet({"x": [1], "y": [2]}), "z")
    assert caught.value.hint == "The columns are: x, y"


def test_a_pattern_in_the_path_opens_no_other_file(tmp_path: Path) -> None:
    pq.write_table(pa.table({"other": [1]}), tmp_path / "a1.parquet")
    pq.write_table(pa.table({"mine": [1]}), tmp_path / "a[1].parquet")
    assert profile_table(tmp_path / "a[1].parquet").columns[0].name == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a1.parquet", "a[1].parquet"]


def test_above_the_exact_size_ids_and_counts_still_hold(parquet: Any) -> None:
    rows = 2_000_001
    ids = np.arange(rows)
    profile = profile_table(parquet({"id": ids, "level": ids % 7, "almost": np.maximum(ids, 1)}))
    assert [c.role for c in profile.columns] == [ColumnRole.ID, ColumnRole.FEATURE, ColumnRole.FEATURE]
    assert profile.column("level").distinct == 7
    assert profile.column("id").quantiles == pytest.approx([rows * q for q in (0.05, 0.25, 0.5, 0.75, 0.95)], rel=0.01)
