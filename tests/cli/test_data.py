"""`data register` says what was done to a table, and takes what people know better."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.cli.main import main

TABLE = "n;y\n" + "".join(f"{i},5;{('Yes', 'yes', 'No')[i % 3]}\n" for i in range(60))


@pytest.fixture
def data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run `data VERB ...` on a workspace of its own: exit code, output, errors."""
    (tmp_path / "table.csv").write_text(TABLE)

    def data(*words: str) -> tuple[int, str, str]:
        line = [word.replace("TABLE", str(tmp_path / "table.csv")) for word in words]
        code = main(["data", *line, "--home", str(tmp_path / "home")])
        return code, *capsys.readouterr()

    return data


def test_what_was_done_is_said_in_sentences_with_the_option_that_decides_otherwise(data: Any) -> None:
    for words in (("register", "TABLE"), ("show", "table")):
        code, out, _ = data(*words)
        assert code == 0
        assert "Note: 'n': read as numbers with a decimal comma (see --decimal)" in out
        assert "(see --merge-spellings)" in out
        assert "reading" not in out


def test_json_holds_every_note_and_how_the_table_was_read(data: Any) -> None:
    document = json.loads(data("register", "TABLE", "--json")[1])
    assert [note["kind"] for note in document["notes"]] == ["numbers", "spellings"]
    assert document["reading"] == {
        "header": None, "delimiter": "", "decimal": "", "merge_spellings": False, "target": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "columns", "rows"),
    [
        (("--header", "no"), ["column0", "column1"], 61),
        (("--delimiter", "tab"), ["n;y"], 60),
        (("--merge-spellings",), ["n", "y"], 60),
    ],
)
def test_options_decide_how_a_table_is_read(data: Any, options: tuple[str, ...], columns: list[str], rows: int) -> None:
    code, out, said = data("register", "TABLE", *options, "--json")
    assert code == 0, said
    assert (json.loads(out)["columns"], json.loads(out)["rows"]) == (columns, rows)


def test_an_option_that_the_table_contradicts_is_refused_with_the_line(data: Any) -> None:
    code, _, said = data("register", "TABLE", "--delimiter", ",")
    assert (code, "line 2: found 2 cells, expected 1" in said) == (1, True)


def test_an_option_that_makes_no_sense_is_wrong_use(data: Any) -> None:
    code, _, said = data("register", "TABLE", "--delimiter", ";;")
    assert (code, "cannot separate cells" in said) == (2, True)


def test_a_version_is_deleted_and_what_a_name_means_is_told(data: Any) -> None:
    assert data("register", "TABLE")[0] == 0
    code, out, said = data("delete", "table:1", "--json")
    assert (code, json.loads(out)) == (0, [{"name": "table", "version": 1}]), said
    assert data("delete", "table")[0] == 1
    assert json.loads(data("register", "TABLE", "--json")[1])["version"] == 2
    assert data("delete", "table", "--all")[0] == 0
    assert "bank-marketing" in [table["name"] for table in json.loads(data("available", "--json")[1])]
