"""Tables as people really have them: each kind is read right, or refused with its cause, and what was done is said."""

import csv
import io
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.data import DataSource, NoteKind, Reading
from core.domain.errors import SlipwayError, SourceUnreadable, SpecInvalid
from core.sources import Source, ingest

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
WIND = {"wind": "double", "age": "int64", "port": "string", "crew": "string", "status": "string"}


@pytest.mark.parametrize(
    ("name", "types", "kind", "said"),
    [
        ("t04_decimal_comma.csv", WIND, NoteKind.NUMBERS, "'wind': read as numbers with a decimal comma"),
        (
            "t07_late_stray.csv",
            WIND,
            NoteKind.STRAYS,
            "1 of 300 cells are not numbers and are treated as missing: 'calm'",
        ),
        ("t09_index.csv", {"Unnamed: 0": "int64", **WIND}, NoteKind.UNNAMED, "'Unnamed: 0'"),
        ("t14_space_after_comma.csv", WIND, NoteKind.TRIMMED, "'port', 'crew', 'status'"),
        ("t16_dates_closed.csv", {"day": "string", **WIND}, NoteKind.HEADER, ""),
        ("t23_numeric_names.csv", dict.fromkeys("02", "double") | {"1": "int64", "label": "string"}, None, ""),
        ("t25_sep_line.csv", WIND, NoteKind.SEPARATOR, "sep=;"),
        ("t50_label_case.csv", WIND, NoteKind.HEADER, ""),
        ("t51_bom.json", WIND, NoteKind.HEADER, ""),
        ("t54_comment.csv", WIND, NoteKind.SKIPPED, "2 lines before the table were skipped: '# exported by harbour"),
        ("u5_umlaut_category.csv", WIND, NoteKind.ENCODING, ""),
    ],
)
def test_the_cases_are_read_right(reads: Any, name: str, types: dict[str, str], kind: NoteKind, said: str) -> None:
    if not CASES.exists():
        pytest.skip("../shared is not here")
    found = reads((CASES / name).read_bytes())
    assert found.types == types
    assert said in found.said(kind) if said else not found.notes


NUMBERS = {
    "decimal commas": ("13,57 -0,5 7", [13.57, -0.5, 7.0]),
    "decimal commas with thousands": ("1.234,56 999,00 12.345.678,9", [1234.56, 999.0, 12345678.9]),
    "percent": ("12% 3.5% 0%", [12.0, 3.5, 0.0]),
    "dollars": ("$1,234.50 -$3 ($7.25)", [1234.5, -3.0, -7.25]),
    "euros": ("5€ 1.234,5€ -2€", [5.0, 1234.5, -2.0]),
    "plus signs": ("+3.0 -1.5 2", [3.0, -1.5, 2.0]),
    "thousands": ("1,234 12,345,678 -5", [1234, 12345678, -5]),
    "apostrophes": ("1'234.5 7 12'000", [1234.5, 7.0, 12000.0]),
    "narrow blanks": ("1\u202f234,5 7 12\u202f000", [1234.5, 7.0, 12000.0]),
    "the typographer's minus": ("\u22123.5 2 1", [-3.5, 2.0, 1.0]),
    "errors of spreadsheets": ("1.5 #DIV/0! #N/A", [1.5, None, None]),
    "minus signs behind": ("1234,56- 3- 7,5", [-1234.56, -3.0, 7.5]),
    "accounts": ("$(1,234.50) $2.00 $-", [-1234.5, 2.0, None]),
    "prices of shops": ("64.- 7.- 12.-", [64, 7, 12]),
    "lakhs": ("5,20,815 1,23,45,678 999", [520815, 12345678, 999]),
    "units": ("12kg 13.5kg 0.5kg", [12.0, 13.5, 0.5]),
    "units with a slash": ("12\u00a0km/h 13\u00a0km/h -3\u00a0km/h", [12, 13, -3]),
    "thousands of money": ("77k 12k 8k", [77, 12, 8]),
    "codes of currencies": ("CHF\u00a07'702.33 CHF\u00a05.00 CHF-3.5", [7702.33, 5.0, -3.5]),
    "dollars of a country": ("US$8,441.39 US$5.5 -US$7.5", [8441.39, 5.5, -7.5]),
    "currencies behind": ("6.5\u00a0EUR 7.5EUR 0\u00a0EUR", [6.5, 7.5, 0.0]),
    "words of Stata": (".a 7 .", [None, 7, None]),
    "errors of a German spreadsheet": ("1.5 #NV #WERT!", [1.5, None, None]),
    "dashes": ("1 - 3", [1, None, 3]),
}


@pytest.mark.parametrize("way", NUMBERS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_numbers_are_read_as_people_write_them(reads: Any, way: str, delimiter: str) -> None:
    cells, values = NUMBERS[way]
    rows = [[cell, "x"] for cell in cells.split(" ")]
    found = reads(written([["n", "t"], *rows], delimiter))
    assert found.columns["n"] == values
    assert [type(v) for v in found.columns["n"]] == [type(v) for v in values]
    assert found.notes or way in ("plus signs", "the typographer's minus")


def written(rows: list[list[str]], delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "values"),
    [
        ("n;t\n1,234;a\n2,500;b\n", [1.234, 2.5]),
        ('n,t\n"1,234",a\n"2,500",b\n', [1234, 2500]),
        ("n;m\n1.234;5,6\n2.500;7,8\n", [1234, 2500]),
        ("n;m\n1.234;5.6\n2.500;7.8\n", [1.234, 2.5]),
        ("n;m\n1.234;a\n2.500;b\n", [1.234, 2.5]),
    ],
)
def test_a_sign_that_may_part_thousands_or_fractions_is_decided_by_the_table(
    reads: Any, content: str, values: list[float]
) -> None:
    assert reads(content).columns["n"] == values


def test_the_decimal_sign_can_be_given(reads: Any) -> None:
    assert reads("n;t\n1,234;a\n2,500;b\n", Reading(decimal=".")).columns["n"] == [1234, 2500]
    assert reads('n,t\n"1,234",a\n"2,500",b\n', Reading(decimal=",")).columns["n"] == [1.234, 2.5]


@pytest.mark.parametrize(
    "cells",
    [
        ["00712", "10115", "80331"] * 50,
        ["12%", "0.5"],
        ["$5", "€6"],
        ["1.2.3", "1.2.4"],
        ["192.168.0.1", "10.0.0.1"],
        ["10:30", "11:45"],
        ["2024-03-01", "2024-03-02"],
        ["+4915112345678x", "12"],
        ["5kg", "7lb"],
        ["12A", "14A"],
        ["12 kg", "13"],
        ["571 495 924", "663 145 116"] * 3,
        ["+49 30 123456", "+43 1 1234567"] * 3,
        ["+4930123456", "+431123456"] * 3,
        ["1. Primary", "2. Secondary"],
        ["10-49", "50-99"],
        ["1st", "2nd"],
    ],
)
def test_what_is_no_number_stays_text(reads: Any, cells: list[str]) -> None:
    found = reads("n;t\n" + "".join(f"{cell};a\n" for cell in cells))
    assert found.columns["n"] == cells


def test_what_nobody_sees_is_taken_off_names_and_cells(reads: Any) -> None:
    found = reads("\u200bscore\u200b,\u200ename,y\n" + "\u200b12,\u202aAda\u202c,no\n7\u200b,B\u200do,yes\n" * 20)
    assert {name: cells[:2] for name, cells in found.columns.items()} == {
        "score": [12, 7],
        "name": ["Ada", "B\u200do"],
        "y": ["no", "yes"],
    }


def test_a_page_that_a_program_calls_a_workbook_is_refused_by_name(reads: Any) -> None:
    with pytest.raises(SourceUnreadable, match="a web page"):
        reads("<table><tr><td>a</td><td>b</td></tr>\n<tr><td>1</td></tr></table>\n", name="export.xls")


def test_a_unit_that_was_taken_off_is_said_and_a_cell_without_it_named(reads: Any) -> None:
    found = reads("n,t\n" + "12 kg,a\n" * 150 + "5 lb,a\n")
    assert found.columns["n"] == [12] * 150 + [None]
    assert "'n': the unit kg was removed (12 kg is 12)" in found.said(NoteKind.NUMBERS)
    assert "1 of 151 cells are not numbers and are treated as missing: '5 lb'" in found.said(NoteKind.STRAYS)


def test_telephone_numbers_stay_text_and_that_is_said(reads: Any) -> None:
    assert "telephone" in reads("n,t\n" + "571 495 924,a\n" * 5).said(NoteKind.MIXED)


def test_codes_with_leading_zeros_are_never_strays(reads: Any) -> None:
    cells = ["10115"] * 299 + ["01069"]
    found = reads("zip,t\n" + "".join(f"{cell},a\n" for cell in cells))
    assert found.columns["zip"] == cells
    assert "start with a zero" in found.said(NoteKind.MIXED)


def test_too_many_words_keep_a_column_text_and_are_named(reads: Any) -> None:
    found = reads("n,t\n" + "1.5,a\n" * 95 + "calm,a\n" * 5)
    assert found.types["n"] == "string"
    assert "5 of 100 cells are not numbers: 'calm' (5)" in found.said(NoteKind.MIXED)


def test_words_for_missing_are_counted(reads: Any) -> None:
    found = reads("n,t\n" + "1.5,a\n" * 5 + "?,a\nNA,b\nNA,c\n")
    assert "'n': 3 cells hold a word for missing: 'NA' (2), '?'" in found.said(NoteKind.MISSING_WORDS)


ROWS = "".join(f"{i % 7}.5,{i},{'north' if i % 3 else 'south'},{'yes' if i % 2 else 'no'}\n" for i in range(60))


@pytest.mark.parametrize(
    "before",
    [
        "# exported\n",
        "# exported, by, harbour, 2024\n",
        "// one\n// two\n\n",
        "Harbour report\n\n",
        "Harbour report,,,\n",
        'Station "A"\n',
        "Station,Hamburg,,\n",
        "% made by\n",
    ],
)
def test_lines_before_the_header_are_skipped_and_shown(reads: Any, before: str) -> None:
    found = reads(before + "wind,age,port,late\n" + ROWS)
    assert list(found.columns) == ["wind", "age", "port", "late"]
    assert len(found.columns["age"]) == 60
    assert before.split("\n")[0].replace(",", " ").replace('"', "").split()[-1] in found.said(NoteKind.SKIPPED)


def test_a_quote_that_is_never_closed_is_named(reads: Any) -> None:
    with pytest.raises(SourceUnreadable, match="line 1: a quote is not closed"):
        reads('"a title\nwind,age\n' + ROWS)


@pytest.mark.parametrize(
    "content",
    ["a,b\n1,2,3\n4,5,6\n", "name,age\nAnn,Lee,5\nBob,Ray,6\n", "x,y\na,b,c\nd,e,f\n", "a,b,c\n1,2\n3,4\n"],
)
def test_a_header_of_another_width_is_no_line_to_skip(reads: Any, content: str) -> None:
    with pytest.raises(SourceUnreadable, match=r"line 2: found \d cells?, expected \d"):
        reads(content)


@pytest.mark.parametrize(
    ("lines", "rows", "said"),
    [
        (["3.5,7,north"], 61, "1 line (62) have fewer cells than the header's 4"),
        (["3.5,7,north", "1.5,8,south"], 62, "2 lines (62, 63) have fewer cells"),
        (["3.5,7,north,yes,,"], 61, ""),
        (["Total: 60 rows"], 60, "1 line (62) are not part of the table"),
        (["# saved", "1.5,8,south,no"], 61, "1 line (62) are not part of the table"),
    ],
)
def test_a_few_rows_of_another_width_are_read_as_far_as_they_go(
    reads: Any, lines: list[str], rows: int, said: str
) -> None:
    found = reads("wind,age,port,late\n" + ROWS + "\n".join(lines))
    assert (len(found.columns["age"]), found.types["age"], found.types["wind"]) == (rows, "int64", "double")
    assert said in found.said(NoteKind.RAGGED)
    assert set(found.columns["late"][60:]) <= ({None} if "fewer" in said else {"yes", "no"})


@pytest.mark.parametrize(("count", "read"), [(150, True), (60, False)])
def test_rows_with_a_delimiter_too_many_are_left_out_and_named_where_they_are_one_in_a_hundred(
    reads: Any, count: int, read: bool
) -> None:
    content = "wind,port,late\n" + "1.5,north,no\n" * count + "2.5,Smith, Ltd,no\n"
    if not read:
        with pytest.raises(SourceUnreadable, match=r"line 62: found 4 cells, expected 3"):
            reads(content)
        return
    found = reads(content)
    assert len(found.columns["port"]) == count
    assert "1 line (152) have more cells than the header's 3 and were left out" in found.said(NoteKind.RAGGED)


def test_a_listing_between_rules_is_a_table(reads: Any) -> None:
    found = reads(" id | age | late \n----+-----+------\n" + "  1 |  30 | no\n" * 40 + "(40 rows)\n")
    assert (found.types, len(found.columns["id"])) == ({"id": "int64", "age": "int64", "late": "string"}, 40)
    assert "2 lines (2, 43)" in found.said(NoteKind.RAGGED)


HEADERLESS = "".join(
    f"{i % 7}.5,{i + 3},{'north' if i % 3 else 'south'},{'yes' if i % 2 else 'no'}\n" for i in range(60)
)
TEXTS = "".join(
    f"{'red' if i % 3 else 'blue'},{'round' if i % 5 else 'flat'},{'yes' if i % 2 else 'no'}\n" for i in range(60)
)


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("0,1,2,3\n" + HEADERLESS, ["0", "1", "2", "3"]),
        (
            "region,2022,2023\n" + "".join(f"{'north' if i % 2 else 'south'},{i},{i + 5}\n" for i in range(50)),
            ["region", "2022", "2023"],
        ),
        (
            "land,1990,1991,1992\n" + "".join(f"c{i},{i * 1000},{i * 1001},{i * 9}\n" for i in range(40)),
            ["land", "1990", "1991", "1992"],
        ),
        ("".join(f"{i % 5 + 1},{i % 4 + 2},{i % 3 + 3}\n" for i in range(40)), ["column0", "column1", "column2"]),
        ("0,1,2\n" + "".join(f"{i}.5,{i}.25,{i}.125\n" for i in range(50)), ["0", "1", "2"]),
        ("colour,shape,y\n" + TEXTS, ["colour", "shape", "y"]),
        (HEADERLESS, ["column0", "column1", "column2", "column3"]),
        (TEXTS, ["column0", "column1", "column2"]),
    ],
)
def test_a_header_is_unlike_the_rows_below_it(reads: Any, content: str, names: list[str]) -> None:
    found = reads(content)
    assert list(found.columns) == names
    assert ("No header was found" in found.said(NoteKind.HEADER)) == (names[0] == "column0")


def test_a_header_that_little_tells_from_the_rows_is_said(reads: Any) -> None:
    found = reads("colour,shape\nred,round\nblue,flat\n")
    assert list(found.columns) == ["colour", "shape"]
    assert "'colour', 'shape'" in found.said(NoteKind.HEADER)
    assert list(reads("colour,shape\nred,round\n", Reading(header=False)).columns) == ["column0", "column1"]


def test_the_target_tells_the_header(reads: Any) -> None:
    content = "1,2,3\n" + "".join(f"{i},{i % 5},{i % 4}\n" for i in range(40))
    assert list(reads(content).columns) == ["column0", "column1", "column2"]
    assert list(reads(content, Reading(target="3")).columns) == ["1", "2", "3"]
    assert list(reads(content, Reading(header=True)).columns) == ["1", "2", "3"]


@pytest.mark.parametrize("reading", [{"decimal": "x"}, {"delimiter": "ab"}, {"delimiter": "e"}, {"delimiter": '"'}])
def test_a_reading_that_makes_no_sense_is_refused(reading: dict[str, str]) -> None:
    with pytest.raises(SpecInvalid):
        Reading(**reading)


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("sep=|\na|b\n1|2\n", {"a": [1], "b": [2]}),
        ('"sep=;"\na;b\n1,5;2\n', {"a": [1.5], "b": [2]}),
        ("a b c\n1 2 x\n3 4 y\n", {"a": [1, 3], "b": [2, 4], "c": ["x", "y"]}),
        ("a,b,c\n1,2,x,\n3,4,y,\n", {"a": [1, 3], "b": [2, 4], "c": ["x", "y"]}),
        ('"a","b"\n"1",5,"x"\n"2",6,"y"\n"3",7,"z"\n', {"Unnamed: 0": [1, 2, 3], "a": [5, 6, 7], "b": ["x", "y", "z"]}),
        (
            "Land, Ort;Betrag, EUR\nDE, Kiel;1,5\nDE, Bonn;2,5\n",
            {"Land, Ort": ["DE, Kiel", "DE, Bonn"], "Betrag, EUR": [1.5, 2.5]},
        ),
        ('a, "b, c", d\n1, "x, y", z\n', {"a": [1], "b, c": ["x, y"], "d": ["z"]}),
        ("a~b\n1~2\n", {"a~b": ["1~2"]}),
    ],
)
def test_other_ways_to_part_cells(reads: Any, content: str, columns: dict[str, list[Any]]) -> None:
    found = reads(content)
    assert found.columns == columns


def test_a_given_delimiter_is_taken(reads: Any) -> None:
    assert reads("a~b\n1~2\n", Reading(delimiter="~")).columns == {"a": [1], "b": [2]}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "cp1252"])
def test_an_encoding_without_a_mark_is_found_and_one_that_is_a_guess_said(reads: Any, encoding: str) -> None:
    found = reads("größe,b\nüber,1\nunter,2\n".encode(encoding))
    assert found.columns == {"größe": ["über", "unter"], "b": [1, 2]}
    assert ("Windows-1252" in found.said(NoteKind.ENCODING)) == (encoding == "cp1252")


@pytest.mark.parametrize("chars", [150_000, 3_000_000])
def test_a_cell_may_be_long(reads: Any, chars: int) -> None:
    assert len(reads(f"a,b\n1,{'x' * chars}\n2,y\n").columns["b"][0]) == chars


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("lines", [True, False])
def test_json_is_read_with_a_byte_order_mark_and_keeps_its_dates(reads: Any, mark: str, lines: bool) -> None:
    rows = [{"day": "2024-03-01", "at": "2024-03-01T10:00:00Z", "n": 1}, {"day": "2024-03-02", "at": None, "n": 2}]
    content = "\n".join(map(json.dumps, rows)) if lines else json.dumps(rows, indent=1)
    assert reads(mark + content).columns == {
        "day": ["2024-03-01", "2024-03-02"],
        "at": ["2024-03-01T10:00:00Z", None],
        "n": [1, 2],
    }


@pytest.mark.parametrize("content", ['{"a": {"0": 1}, "b": {"0": "x"}}', '{"data": [{"a": 1}, {"a": 2}]}'])
def test_json_that_is_one_object_is_refused_with_its_cause(reads: Any, content: str) -> None:
    with pytest.raises(SourceUnreadable, match="one object with other objects or lists"):
        reads(content)


def test_any_message_is_of_a_length_that_people_read(reads: Any) -> None:
    for content in ("a" * 5000 + "," + "a" * 5000 + "\n1,2\n", "[" + '{"x": 1}, ' * 2000):
        with pytest.raises(SlipwayError) as refused:
            reads(content)
        assert len(refused.value.message) <= 600 >= len(refused.value.hint)
        assert len(str(refused.value)) <= 600


def test_spellings_are_merged_where_that_is_asked(reads: Any) -> None:
    content = "n,y\n" + "1,Yes\n" * 5 + "2,yes\n" * 3 + "3,No\n4, no\n"
    assert sorted(set(reads(content).columns["y"])) == ["No", "Yes", "no", "yes"]
    merged = reads(content, Reading(merge_spellings=True))
    assert sorted(set(merged.columns["y"])) == ["No", "Yes"]
    assert "'y'" in merged.said(NoteKind.MERGED)


CELL = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), max_size=6).map("w{}".format)


@st.composite
def odd_tables(draw: st.DrawFn) -> tuple[list[str], list[list[Any]], dict[str, Any]]:
    """A header, rows of (number, text, integer), and how they are written."""
    rows = draw(
        st.lists(
            st.tuples(st.integers(-99_999_999, 99_999_999).map(lambda n: n / 100), CELL, st.integers(-99_999, 99_999)),
            min_size=3,
            max_size=40,
        )
    )
    decimal = draw(st.sampled_from(".,"))
    how = {
        "delimiter": draw(st.sampled_from(";\t|" if decimal == "," else ",;\t|")),
        "decimal": decimal,
        "thousands": draw(st.booleans()),
        "mark": draw(st.sampled_from(["", "%", "$", " €"])),
        "blanks": draw(st.sampled_from(["", " "])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])),
        "newline": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "before": draw(st.sampled_from(["", "# a comment\n", "\n\n"])),
        "sep": draw(st.booleans()),
    }
    return ["amount", draw(CELL), "count"], [list(row) for row in rows], how


def number(value: float, how: dict[str, Any]) -> str:
    text = f"{value:,.2f}" if how["thousands"] else f"{value:.2f}"
    if how["decimal"] == ",":
        text = text.translate(str.maketrans(",.", ".,"))
    return f"{text[: value < 0]}$" + text[value < 0 :] if how["mark"] == "$" else text + how["mark"]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(table=odd_tables())
def test_odd_tables_are_read_back(tmp_path_factory: Any, table: Any) -> None:
    names, rows, how = table
    cells = [names, *([number(n, how), text, str(i)] for n, text, i in rows)]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=how["delimiter"], lineterminator="\n")
    writer.writerows([[cell if i == 0 else how["blanks"] + cell for i, cell in enumerate(row)] for row in cells])
    content = (f"sep={how['delimiter']}\n" if how["sep"] else "") + how["before"] + out.getvalue()
    folder = tmp_path_factory.mktemp("odd")
    path = folder / "t.csv"
    path.write_bytes(content.replace("\n", how["newline"]).encode(how["encoding"]))
    got = ingest(Source(DataSource.FILE, str(path), "t", path), folder / "t.parquet")
    stored = pq.read_table(folder / "t.parquet").to_pydict()
    assert list(stored) == names, got.notes
    assert stored["amount"] == [n for n, _, _ in rows], got.notes
    assert stored[names[1]] == [text for _, text, _ in rows]
    assert stored["count"] == [i for _, _, i in rows]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    kinds=st.lists(st.sampled_from(["number", "integer", "category"]), min_size=2, max_size=8),
    header=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_no_row_becomes_names_and_no_names_a_row(
    tmp_path_factory: Any, kinds: list[str], header: bool, seed: int
) -> None:
    random = Random(seed)
    levels = [[f"l{i}{n}" for n in range(random.randint(2, 5))] for i in range(len(kinds))]
    cell = {
        "number": lambda i: f"{random.gauss(0, 10):.2f}",
        "integer": lambda i: str(random.randint(0, 10 ** random.randint(1, 5))),
        "category": lambda i: random.choice(levels[i]),
    }
    rows = [[cell[kind](i) for i, kind in enumerate(kinds)] for _ in range(80)]
    names = [f"name {i}" for i in range(len(kinds))]
    folder = tmp_path_factory.mktemp("header")
    path = folder / "t.csv"
    path.write_text(written([names, *rows] if header else rows, ","))
    got = ingest(Source(DataSource.FILE, str(path), "t", path), folder / "t.parquet")
    assert list(got.columns) == (names if header else [f"column{i}" for i in range(len(kinds))]), (got.notes, rows[0])
    assert got.rows == 80


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_moment_with_a_zone_is_the_same_text_on_every_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    at = pa.array([datetime(2024, 3, 1, 10, tzinfo=UTC)])
    pq.write_table(pa.table({"at": at}), tmp_path / "t.parquet")
    ingest(Source(DataSource.FILE, "t", "t", tmp_path / "t.parquet"), tmp_path / "out.parquet")
    monkeypatch.undo()
    time.tzset()
    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == {"at": ["2024-03-01 10:00:00+00"]}
