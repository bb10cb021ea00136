"""Columns read without a query are what a query gives; a table of very many columns is read fast."""

import time
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.domain.data import ColumnKind
from core.ml.data.profile import profile_table
from core.ml.data.table import open_table
from core.predict.encoder import ColumnCode

NUMBER, INTEGER, BOOLEAN, STRING = ColumnKind.NUMBER, ColumnKind.INTEGER, ColumnKind.BOOLEAN, ColumnKind.STRING
FLAT = {
    "number": (pa.array([1.5, float("nan"), None, float("inf"), -2.0, 1e300]), NUMBER),
    "small": (pa.array([1.5, None, 3.1, float("-inf"), 0.1, 0.0], pa.float32()), NUMBER),
    "whole": (pa.array([1, 2, None, 2**53 + 1, -5, 0]), INTEGER),
    "whole.as number": (pa.array([1, 2, None, 2**53 + 1, -5, 0]), NUMBER),
    "short": (pa.array([1, 2, None, 4, 255, 0], pa.uint8()), INTEGER),
    "huge": (pa.array([2**63, 1, None, 2, 3, 4], pa.uint64()), NUMBER),
    "flag": (pa.array([True, None, False, True, False, True]), BOOLEAN),
    "flag as number": (pa.array([True, None, False, True, False, True]), NUMBER),
    "text": (pa.array(["a", "", None, "Ä", "nan", "b"]), STRING),
    "coded": (pa.array(["a", "", None, "Ä", "a", "b"]).dictionary_encode(), STRING),
    "day": (pa.array([date(2024, 1, 2), None, date(1999, 12, 31)] * 2), STRING),
    "money": (pa.array([Decimal("1.25"), None, Decimal("-3.50")] * 2), NUMBER),
}
NESTED = {"nested": (pa.array([{"x": 1}, None, {"x": 2}] * 2), STRING)}
TARGET = (pa.array(["yes", None, "no", "yes", "no", None]), STRING)


@pytest.mark.parametrize("columns", [FLAT, FLAT | NESTED], ids=["flat", "nested"])
@pytest.mark.parametrize("every", [1, 2])
def test_every_cell_is_what_a_query_gives(tmp_path, columns, every):
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({n: cells for n, (cells, _) in (columns | {"y": TARGET}).items()}), path, row_group_size=4)
    codes, target = [ColumnCode(name, kind) for name, (_, kind) in columns.items()], ColumnCode("y", STRING)
    with open_table(path) as table:
        read = table.read(codes, target, every)
        table._plain._types = {}
        table._places.clear()
        queried = table.read(codes, target, every)
    assert read.schema == queried.schema
    assert read.to_pydict() == queried.to_pydict()


def test_columns_whose_names_differ_by_case_alone_are_read_by_the_names_of_the_profile(tmp_path):
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": [1, 2], "A": [3, 4], "y": ["no", "yes"]}), path)
    codes = [ColumnCode(column.name, INTEGER) for column in profile_table(path).columns[:2]]
    with open_table(path) as table:
        read = table.read(codes, ColumnCode("y", STRING))
    assert [column.to_pylist() for column in read.columns] == [[1, 2], [3, 4], ["no", "yes"]]


def test_thousands_of_columns_are_read_in_no_time(tmp_path):
    path, columns = tmp_path / "table.parquet", 3_000
    cells = np.random.default_rng(0).normal(size=(columns, 50))
    pq.write_table(pa.table({**{f"c{i}": cells[i] for i in range(columns)}, "y": ["yes", "no"] * 25}), path)
    codes, target = [ColumnCode(f"c{i}", NUMBER) for i in range(columns)], ColumnCode("y", STRING)
    with open_table(path) as table:
        began = time.process_time()
        read = table.read(codes, target)
        assert time.process_time() - began < 1.5  # a query over all of them took 4 s
    assert np.array_equal(np.array([column.to_numpy() for column in read.columns[:-1]]), cells)
