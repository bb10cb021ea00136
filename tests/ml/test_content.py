"""Rows by what stands in them: the same row is on the same side in every version of a table."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.data import DataSource
from core.ml.data.content import row_keys, split
from core.ml.data.scan import open_scan
from core.sources import Source, ingest

CASES = sorted((Path(__file__).resolve().parents[3] / "shared" / "cases").glob("*.*[!d]")) or [
    Path("t12-nothing-is-shared-here")
]
FIRST = ("t12", "t23", "u5")
KEPT = ["p1", "p8", "p9", "p14", "p29", "p34", "p37", "p46", "p51", "p55"]
ROW = st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text(), st.booleans() | st.none())


def halves(table: pa.Table, folder: Path, pct: float) -> tuple[pa.Table, pa.Table]:
    pq.write_table(table, folder / "t.parquet")
    counts = split(folder / "t.parquet", folder / "rest", folder / "held out", pct)
    rest, held_out = (pq.ParquetFile(folder / name).read() for name in ("rest", "held out"))
    assert counts == (len(rest), len(held_out))
    return rest, held_out


def people(rows: int) -> pa.Table:
    return pa.table({"name": [f"p{i}" for i in range(rows)], "age": [i % 50 for i in range(rows)]})


@settings(max_examples=6, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=20))
def test_duplicates_stay_together_and_no_row_is_lost(tmp_path_factory: pytest.TempPathFactory, rows: list) -> None:
    columns = {f"c{i}": [row[i] for row in rows] * 2 for i in range(4)}
    table = pa.table(columns, pa.schema([("c0", "int64"), ("c1", "float64"), ("c2", "string"), ("c3", "bool")]))
    rest, held_out = halves(table, tmp_path_factory.mktemp("t"), 50)
    sides = [[tuple(map(repr, row.values())) for row in side.to_pylist()] for side in (rest, held_out)]
    assert sorted(sides[0] + sides[1]) == sorted(tuple(map(repr, row.values())) for row in table.to_pylist())
    assert set(sides[0]).isdisjoint(sides[1])


def test_a_row_is_on_the_same_side_in_a_later_version_whatever_stands_around_it(tmp_path: Path) -> None:
    table = people(3_000)
    _, once = halves(table, tmp_path, 10)
    later = people(5_000).take(list(range(4_999, -1, -1)))
    later = later.select(["age", "name"]).set_column(0, "age", later["age"].cast("float64"))
    _, again = halves(later, tmp_path, 10)
    assert 200 < len(once) < 400
    assert [name for name in again["name"].to_pylist()[::-1] if int(name[1:]) < 3_000] == once["name"].to_pylist()


def test_what_is_held_out_at_10_percent_is_held_out_at_20_too_and_order_is_kept(tmp_path: Path) -> None:
    few, more = (halves(people(2_000), tmp_path, pct)[1]["name"].to_pylist() for pct in (10, 20))
    assert set(few) < set(more)
    assert more == sorted(more, key=lambda name: int(name[1:]))


def test_which_side_a_row_is_on_is_the_same_for_ever(tmp_path: Path) -> None:
    _, held_out = halves(people(60), tmp_path, 10)
    assert held_out["name"].to_pylist() == KEPT


def test_rows_of_more_columns_than_a_query_takes_are_told_apart(tmp_path: Path) -> None:
    table = pa.table({f"c{i}": [0, 0, 0, int(i == 249)] for i in range(250)})
    pq.write_table(table, tmp_path / "t")
    with open_scan(tmp_path / "t") as scan:
        one, two, three, other = row_keys(scan, scan.columns)
        assert one == two == three != other
        assert (row_keys(scan, scan.columns[::-1])[0], row_keys(scan, scan.columns[:249])[3]) == (
            one,
            row_keys(scan, scan.columns[:249])[0],
        )


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=[] if case.stem.startswith(FIRST) else pytest.mark.full, id=case.stem) for case in CASES],
)
def test_both_halves_read_as_the_whole_table_does(shared: Path, tmp_path: Path, case: Path) -> None:
    ingest(Source(DataSource.FILE, str(case), "t", case), tmp_path / "t.parquet")
    whole = pq.ParquetFile(tmp_path / "t.parquet").read()
    split(tmp_path / "t.parquet", tmp_path / "rest", tmp_path / "held out", 30)
    for side in ("rest", "held out"):
        half = pq.ParquetFile(tmp_path / side).read()
        assert half.schema.equals(whole.schema)
