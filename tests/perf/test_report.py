"""The history of `make perf`, read from its files and drawn on one page."""

import copy
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from perf import report
from perf.figures import figure, label
from perf.history import read

RUN: dict[str, Any] = {
    "datetime": "2026-11-20T10:00:00+00:00",
    "machine_info": {"python_version": "3.11.7", "cpu": {"brand_raw": "A <fast> one & only", "count": 2}},
    "commit_info": {"id": "aaaaaaaaaaaaaaaaaaaa", "dirty": False},
    "benchmarks": [
        {
            "name": "test_a[decode]",
            "group": "scoring",
            "stats": {"median": 0.010, "min": 0.009, "max": 0.5, "rounds": 40},
            "extra_info": {"name": "decode <b>2</b> rows", "grows_with": "rows & columns", "unit": "s"},
        },
        {
            "name": "test_b",
            "group": "server",
            "stats": {"median": 1.0, "min": 1.0, "max": 1.0, "rounds": 3},
            "extra_info": {
                "name": "HTTP",
                "grows_with": "clients",
                "unit": "",
                "values": {"requests/s": [900, 1000, 1100], "ms (p99)": [3.0, 4.0, 5.0]},
            },
        },
    ],
}


def later(**changes: Any) -> dict[str, Any]:
    run = copy.deepcopy(RUN)
    run["datetime"] = "2026-11-21T10:00:00+00:00"
    run["commit_info"] = {"id": "bbbbbbbbbbbbbbbbbbbb", "dirty": True}
    run["benchmarks"][0]["stats"] |= {"median": 0.020 * changes.get("factor", 1), "min": 0.019, "max": 0.021}
    run["benchmarks"][1]["extra_info"]["values"]["requests/s"] = [1900, 2000, 2100]
    return run


class Seen(HTMLParser):
    """The page as a browser takes it apart: tags that are open at the end, addresses, text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in ("meta", "br", "line", "circle"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Two runs; the files' names are not in the order of time."""
    folder = tmp_path / "history"
    folder.mkdir()
    (folder / "z-first.json").write_text(json.dumps(RUN), "utf-8")
    (folder / "a-second.json").write_text(json.dumps(later()), "utf-8")
    return folder


def test_two_runs_make_one_series_of_each_figure_in_the_order_of_time(history: Path) -> None:
    found = read(history)
    assert [(run.file, run.commit) for run in found.runs] == [
        ("z-first.json", "aaaaaaaaaaaa"),
        ("a-second.json", "bbbbbbbbbbbb+"),
    ]
    series = {(s.name, s.unit): [(p.low, p.median, p.high) for p in s.points] for s in found.series}
    assert series == {
        ("decode <b>2</b> rows", "s"): [(0.009, 0.010, 0.5), (0.019, 0.020, 0.021)],
        ("HTTP", "requests/s"): [(900, 1000, 1100), (1900, 2000, 2100)],
        ("HTTP", "ms (p99)"): [(3.0, 4.0, 5.0), (3.0, 4.0, 5.0)],
    }


def test_the_page_names_every_figure_with_its_unit_growth_commits_and_machine(history: Path) -> None:
    page = Seen(report.page(read(history)))
    for expected in (
        "2 runs, the newest 2026-11-21 10:00 on A <fast> one & only, 2 cores, Python 3.11.7",
        "decode <b>2</b> rows", "20.0 ms", "19.0 ms to 21.0 ms", "Grows with rows & columns",
        "HTTP", "2,000 requests/s", "HTTP, p99", "4.00 ms", "Grows with clients",
        "aaaaaaaaaaaa", "bbbbbbbbbbbb+",
    ):  # fmt: skip
        assert expected in page.text
    assert page.names.count("svg") == 3
    assert page.names.count("circle") == 6


def test_the_page_is_whole_and_asks_nobody_for_anything(history: Path) -> None:
    text = report.page(read(history))
    page = Seen(text)
    assert page.open == []
    assert page.addresses == []
    assert "script" not in page.names
    assert not re.search(r"url\(|@import|https?:", text)


def test_more_is_better_for_requests_and_worse_for_seconds(tmp_path: Path, history: Path) -> None:
    (history / "z-first.json").write_text(json.dumps(RUN | {"benchmarks": RUN["benchmarks"][1:]}), "utf-8")
    assert '<span class="small good">+100 %' in report.page(read(history))
    run, slower = copy.deepcopy(RUN), later(factor=50)
    run["benchmarks"], slower["benchmarks"] = run["benchmarks"][:1], slower["benchmarks"][:1]
    (history / "z-first.json").write_text(json.dumps(run), "utf-8")
    (history / "a-second.json").write_text(json.dumps(slower), "utf-8")
    assert '<span class="small bad">+9900 %' in report.page(read(history))


def test_runs_on_two_machines_are_not_joined_nor_compared(history: Path) -> None:
    elsewhere = later()
    elsewhere["machine_info"]["cpu"]["brand_raw"] = "Another"
    (history / "a-second.json").write_text(json.dumps(elsewhere), "utf-8")
    page = report.page(read(history))
    assert 'stroke="var(--line)" stroke-width="1.5"' not in page
    assert "from the run before" not in page


def test_an_empty_history_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "made" / "report.html"
    assert report.main(["--history", str(tmp_path / "nowhere"), "--output", str(output)]) == 0
    assert "Nothing was measured yet" in Seen(output.read_text("utf-8")).text
    assert capsys.readouterr().out == f"0 figures of 0 runs: {output}\n"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "Expecting property name"),
        ('{"benchmarks": []}', "it has no 'machine_info'"),
        (json.dumps(RUN | {"benchmarks": [{"name": "x", "extra_info": {}, "stats": {}}]}), "it has no 'median'"),
        ("[1]", "list"),
    ],
)
def test_a_broken_file_is_named_and_the_others_are_shown(
    history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, why: str
) -> None:
    (history / "broken<1>.json").write_text(content, "utf-8")
    output = tmp_path / "report.html"
    report.main(["--history", str(history), "--output", str(output)])
    page = Seen(output.read_text("utf-8"))
    assert "broken<1>.json" in page.text
    assert why in page.text
    assert "2 runs" in page.text
    assert "broken<1>.json is not a run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.0000012, "s", "1.20 us"),
        (0.0123, "s (each)", "12.3 ms"),
        (61.0, "s", "61.0 s"),
        (0.4, "ms (p50)", "400 us"),
        (43.33, "MB at rest", "43.3 MB"),
        (9870.4, "requests/s", "9,870 requests/s"),
        (-0.01, "s", "-10.0 ms"),
    ],
)
def test_a_figure_has_three_digits_and_a_unit_that_fits(value: float, unit: str, expected: str) -> None:
    assert figure(value, unit) == expected


def test_a_label_says_which_figure_of_a_benchmark_it_is() -> None:
    assert [label("x", "s"), label("x", "MB at rest"), label("x", "ms (p99)")] == ["x", "x, at rest", "x, p99"]
