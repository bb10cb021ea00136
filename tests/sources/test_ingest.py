"""Any supported file becomes Parquet of four types; what cannot says why and leaves nothing behind."""

import bz2
import gzip
import hashlib
import lzma
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.data import DataSource
from core.domain.errors import SlipwayError, SourceUnreadable, StorageFull, TableUnusable
from core.sources import Ingested, Source, ingest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def read(path: Path, tmp_path: Path) -> tuple[Ingested, pa.Table]:
    target = tmp_path / "out dir [1]" / "it's.parquet"
    ingested = ingest(Source(DataSource.FILE, str(path), "t", path), target)
    assert [p.name for p in target.parent.iterdir()] == ["it's.parquet"], "something was left behind"
    assert target.stat().st_size == ingested.size_bytes
    return ingested, pq.read_table(target)


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., dict[str, list[Any]]]:
    """The columns that a file of these bytes is read as."""

    def table(content: bytes | str, name: str = "t.csv") -> dict[str, list[Any]]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        ingested, stored = read(path, tmp_path)
        assert list(ingested.columns) == stored.column_names
        assert ingested.rows == stored.num_rows
        assert {str(t) for t in stored.schema.types} <= {"int64", "double", "bool", "string"}
        return stored.to_pydict()

    return table


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[..., SlipwayError]:
    """The error for a file of these bytes."""

    def refusal(content: bytes | str) -> SlipwayError:
        path = tmp_path / "t.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(SlipwayError) as caught:
            read(path, tmp_path)
        assert list((tmp_path / "out dir [1]").iterdir()) == []
        assert caught.value.hint
        return caught.value

    return refusal


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ("1,-2,0", [1, -2, 0]),
        ("1,2.5,1e3,.5,-0.0", [1.0, 2.5, 1000.0, 0.5, 0.0]),
        ("True,false,TRUE", [True, False, True]),
        ("yes,no,yes", ["yes", "no", "yes"]),
        ("0071,12,9", ["0071", "12", "9"]),
        ("00.5,1", ["00.5", "1"]),
        ("12345678901234567890,1", [12345678901234567890.0, 1.0]),
        ("1,,3", [1, None, 3]),
        ("1, ,3", [1, None, 3]),
        ("1,NA,?,NaN,inf,3", [1, None, None, None, None, 3]),
        ("1.5,-Infinity,1e400", [1.5, None, None]),
        ("True,null,False", [True, None, False]),
        ("NA,DE,None", ["NA", "DE", "None"]),
        ("NA,?,NA", ["NA", "?", "NA"]),
        (",,", [None, None, None]),
        ("2024-01-31,2024-02-01", ["2024-01-31", "2024-02-01"]),
        ("10:30,11:00", ["10:30", "11:00"]),
        ("1_000,2", ["1_000", "2"]),
        ("0x1F,2", ["0x1F", "2"]),
        (" a,b ", ["a", "b"]),
    ],
)
def test_a_column_has_the_type_that_all_of_its_cells_have(
    table: Callable[..., Any], cells: str, values: list[Any]
) -> None:
    read_as = table("x;n\n" + "".join(f"{cell};7\n" for cell in cells.split(",")))["x"]
    assert read_as == values
    assert [type(v) for v in read_as] == [type(v) for v in values]


def test_late_cells_decide_too(table: Callable[..., Any]) -> None:
    assert table("x\n" + "1\n" * 50_000 + "late\n" * 1_000)["x"][-1] == "late"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(table: Callable[..., Any], delimiter: str) -> None:
    content = 'a,b,c\n1,"x, y; z",3\n4,w,6\n'.replace(",", delimiter).replace(f"{delimiter} y", ", y")
    assert table(content)["a"] == [1, 4]
    assert table(content)["c"] == [3, 6]


def test_a_single_column_may_hold_commas(table: Callable[..., Any]) -> None:
    assert table("text\nhello, world\nbye\n") == {"text": ["hello, world", "bye"]}


def test_decimal_commas_do_not_split(table: Callable[..., Any]) -> None:
    assert table("a;b\n1,5;2\n2,5;3\n") == {"a": [1.5, 2.5], "b": [2, 3]}


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("39,State-gov,13\n50,Private,9\n", ["column0", "column1", "column2"]),
        ("age,2019,2020\n1,2,3\n4,5,6\n", ["age", "2019", "2020"]),
        ("x,y\na,b\n", ["x", "y"]),
        ("x,y\n,\na,1\n", ["x", "y"]),
        (" x ,y\n1,2\n", ["x", "y"]),
        (",y\n1,2\n", ["Unnamed: 0", "y"]),
        ("\n\n  \nx,y\n1,2\n", ["x", "y"]),
    ],
)
def test_the_header_is_told_from_the_rows(table: Callable[..., Any], content: str, columns: list[str]) -> None:
    assert list(table(content)) == columns


def test_quotes_line_ends_and_blank_lines_are_read(table: Callable[..., Any]) -> None:
    content = 'a,b\r\n"multi\r\nline","he said ""hi"""\n\n5" pipe,\n\n'
    assert table(content) == {"a": ["multi\nline", '5" pipe'], "b": ['he said "hi"', None]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_text_is_read_in_its_encoding(table: Callable[..., Any], encoding: str) -> None:
    assert table("größe,b\nü,1\n".encode(encoding)) == {"größe": ["ü"], "b": [1]}


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", ["t.csv", "misnamed.csv.gz", "without an ending"])
def test_a_file_is_unpacked_by_what_it_is_and_hashed_unpacked(tmp_path: Path, pack: Any, name: str) -> None:
    content = "a,b\r\n1,é\r\n".encode("latin-1")
    (tmp_path / name).write_bytes(pack(content))
    ingested, stored = read(tmp_path / name, tmp_path)
    assert stored.to_pydict() == {"a": [1], "b": ["é"]}
    assert ingested.sha256 == hashlib.sha256(content).hexdigest()


def test_parquet_is_brought_to_the_four_types(tmp_path: Path) -> None:
    columns = {
        "i": pa.array([1, None], pa.uint8()),
        "f": pa.array([float("inf"), 2.5], pa.float32()),
        "d": pa.array([date(2024, 1, 31), None]),
        "c": pa.array(["", "b"]).dictionary_encode(),
        "s": pa.array([{"a": 1, "b": [1]}, None]),
        'q"': pa.array([True, False]),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    ingested, stored = read(tmp_path / "t.parquet", tmp_path)
    assert stored.slice(0, 1).to_pylist() == [
        {"i": 1, "f": None, "d": "2024-01-31", "c": None, "s": "{'a': 1, 'b': [1]}", 'q"': True}
    ]
    assert ingested.sha256 == hashlib.sha256((tmp_path / "t.parquet").read_bytes()).hexdigest()


def test_json_lines_and_a_json_list_are_tables(table: Callable[..., Any]) -> None:
    expected = {"a": [1, 2], "b": ["x", None]}
    assert table('{"a":1,"b":"x"}\n{"a":2,"b":null}\n', "t.jsonl") == expected
    assert table('[ {"a":1,"b":"x"}, {"a":2} ]', "t.json") == expected


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        ("", TableUnusable, "is empty"),
        ("\n \n", TableUnusable, "is empty"),
        ("a,b\n", TableUnusable, "columns but no rows"),
        ("a,b,a\n1,2,3\n", TableUnusable, "duplicate column names: 'a' is column 1 and 3"),
        ("Age,age\n1,2\n", TableUnusable, "only in letter case: 'Age', 'age'"),
        ("a,b\n1,2\n3\n", SourceUnreadable, r"line 3: found 1 cell, expected 2"),
        ("a,b\n1,2\n3,4,5\n", SourceUnreadable, r"line 3: found 3 cells, expected 2"),
        ('a,b\n"open,2\n3,4\n', SourceUnreadable, "quote is not closed"),
        (bytes(range(256)) * 40, SourceUnreadable, "binary data"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 9999)[:-20], SourceUnreadable, "incomplete"),
        (lzma.compress(os.urandom(9999))[:-200], SourceUnreadable, "incomplete"),
        (lzma.compress(b"a,b\n" * 99)[:20] + b"garbage" * 20, SourceUnreadable, "damaged"),
        (bz2.compress(b"a,b\n" * 99)[:30] + b"garbage" * 20, SourceUnreadable, "damaged"),
        (b"PAR1 and then nothing of the kind", SourceUnreadable, "cannot be read as a table"),
        (b"PK\x03\x04 workbook", SourceUnreadable, "zip archive or an Excel workbook"),
        (b"\x28\xb5\x2f\xfd zstd", SourceUnreadable, "zstd"),
        ('{"a": 1}\n{"a": ', SourceUnreadable, "ends abruptly"),
        ("<!DOCTYPE html>\n<html><body>Log in</body></html>", SourceUnreadable, "a web page"),
        ("[[1, 2], [3, 4]]", SourceUnreadable, "a list of lists"),
        ('[{"a": 1}, {"a": 2}, ', SourceUnreadable, "ends abruptly"),
    ],
)
def test_what_is_no_table_is_refused_with_its_cause(
    refusal: Callable[..., SlipwayError], content: Any, kind: type[SlipwayError], message: str
) -> None:
    error = refusal(content)
    assert isinstance(error, kind)
    assert pytest.raises(kind, match=message).matches(error), error.message
    assert error.status == 400


def test_a_refused_line_is_not_quoted(refusal: Callable[..., SlipwayError]) -> None:
    assert "secret" not in refusal("a,b\n1,2\nsecret\n").message


def test_a_file_that_went_away_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="cannot be read: No such file"):
        read(tmp_path / "t.csv", tmp_path)


def test_a_parquet_file_with_duplicate_names_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["x", "x"]), tmp_path / "t.parquet")
    with pytest.raises(TableUnusable, match="duplicate column names: 'x'"):
        read(tmp_path / "t.parquet", tmp_path)


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """As if the disk ended here: no file of this process may grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [-1_000, 1_000], ids=["while unpacking", "while writing Parquet"])
def test_a_full_disk_is_told_and_the_old_table_stays(tmp_path: Path, room: int) -> None:
    path, target = tmp_path / "t.parquet", tmp_path / "out.parquet"
    target.write_bytes(b"old")
    # Packed by differences, which the Parquet written from it is not: that one is several times larger.
    walk = np.random.default_rng(1).integers(10**6, size=50_000).cumsum()
    pq.write_table(pa.table({"x": walk}), path, use_dictionary=False, column_encoding={"x": "DELTA_BINARY_PACKED"})
    with disk_of(path.stat().st_size + room), pytest.raises(StorageFull) as caught:
        ingest(Source(DataSource.FILE, str(path), "t", path), target)
    assert "Free some space" in caught.value.hint
    assert target.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.parquet", "t.parquet"]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    rows=st.lists(
        st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), st.booleans()),
        min_size=1,
        max_size=30,
    ),
    words=st.lists(
        st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=8).map(
            "w{}".format
        ),
        min_size=30,
        max_size=30,
    ),
)
def test_what_pandas_writes_is_read_back_exactly(tmp_path_factory: Any, rows: list[Any], words: list[str]) -> None:
    folder = tmp_path_factory.mktemp("trip")
    frame = pd.DataFrame(rows, columns=["i", "f", "b"]).assign(w=words[: len(rows)])
    frame.to_csv(folder / "t.csv", index=False)
    _, stored = read(folder / "t.csv", folder)
    assert stored["i"].to_pylist() == frame["i"].tolist()
    assert [float(v) for v in stored["f"].to_pylist()] == frame["f"].tolist()
    assert stored["b"].to_pylist() == frame["b"].tolist()
    assert stored["w"].to_pylist() == frame["w"].tolist()


@pytest.mark.parametrize(
    ("name", "rows", "columns", "missing", "kinds"),
    [
        ("bankmarketing_train", 32_950, 21, 0, {"age": "int64", "nr.employed": "double", "y": "string"}),
        ("adult", 32_561, 15, 4_262, {"fnlwgt": "int64", "workclass": "string"}),
        ("telco_churn", 7_043, 21, 11, {"total_charges": "double", "churn": "string", "customer_id": "string"}),
        ("online_shoppers", 12_330, 18, 0, {"weekend": "bool", "revenue": "bool", "special_day": "double"}),
        ("german_credit", 1_000, 21, 0, {"amount": "int64", "number_credits": "string"}),
    ],
)
def test_real_tables_are_read_as_they_are(
    tmp_path: Path, name: str, rows: int, columns: int, missing: int, kinds: dict[str, str]
) -> None:
    path = SHARED / f"{name}.csv.xz"
    if not path.exists():
        pytest.skip("../shared is not here")
    ingested, stored = read(path, tmp_path)
    assert (ingested.rows, len(ingested.columns), sum(c.null_count for c in stored.columns)) == (rows, columns, missing)
    assert {column: str(stored.schema.field(column).type) for column in kinds} == kinds
    assert ingested.sha256 == hashlib.sha256(lzma.decompress(path.read_bytes())).hexdigest()
