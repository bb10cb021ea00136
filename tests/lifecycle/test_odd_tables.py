"""The whole lifecycle on tables with odd names, categories and labels, and on wide ones: one of them every third day.

On the days between it meets other people's tables, or the gate alone odd columns (tests/gate/test_odd_tables.py).
"""

import csv
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from turns import TODAY, other_day

ROWS = 300
Table = dict[str, list[Any]]


def letters(random: Random) -> Table:
    """Letters beyond ASCII in names and categories, and beyond U+FFFF."""
    return {
        "Straße": pick(random, "Königsweg", "Am Bäumchen", "Ölgasse"),
        "Größe": numbers(random),
        "年齢": whole(random),
        "emoji 😀": pick(random, "😀", "👩\u200d👩\u200d👧", "𝒳"),
    }


def quotes(random: Random) -> Table:
    """What JSON, SQL, shells and regular expressions have to quote."""
    return {
        'he said "no"': numbers(random),
        "back\\slash": pick(random, "a\\b", 'q"q', "it's", "tab\tbed"),
        "[0]": whole(random),
        "{x}": pick(random, "<b>", "&amp;", "$(x)", "`y`"),
        "a.b/c#d": numbers(random),
    }


def words(random: Random) -> Table:
    """Names that requests, documents and languages use themselves."""
    return {
        "data": numbers(random),
        "Inputs": whole(random),
        "method": pick(random, "predict", "predict_proba"),
        "index": whole(random),
        "__proto__": numbers(random),
        "$ref": pick(random, "null", "true", "NaN#"),
        "maxItems": whole(random),
    }


def alike(random: Random) -> Table:
    """Names and categories that differ by unicode's spelling alone, and very long ones."""
    return {
        "é": numbers(random),
        "e\u0301": whole(random),
        "long " * 60: numbers(random),
        "level": pick(random, "ﬁ", "fi", "İ", "ı", "x" * 300),
    }


def seventy(random: Random) -> Table:
    return {f"column {at}": numbers(random) if at % 2 else pick(random, "a", "b", "c") for at in range(70)}


def four_hundred(random: Random) -> Table:
    return {f"Größe {at}": numbers(random) if at % 3 else whole(random) for at in range(400)}


def fifteen_hundred(random: Random) -> Table:
    return {f"c{at}": numbers(random) for at in range(1_500)}


def numbers(random: Random) -> list[float]:
    return [round(random.gauss(0, 10), 3) for _ in range(ROWS)]


def whole(random: Random) -> list[int]:
    return [random.randrange(90) for _ in range(ROWS)]


def pick(random: Random, *levels: str) -> list[str]:
    return [random.choice(levels) for _ in range(ROWS)]


LABELS = {
    letters: ("süß", "saur"),
    quotes: ('say "yes"', "it's no", "back\\slash"),
    words: ("0", "1"),
    alike: ("True", "False"),
    seventy: ("no", "yes"),
    four_hundred: ("ja", "nein", "weiß nicht"),
    fifteen_hundred: ("1", "2"),
}
TABLES = list(LABELS)
OF_TODAY = None if other_day(1, 3) else TODAY // 3 % (len(TABLES) - 1)
"""The widest table and the other days' are left to `make full`."""


@pytest.mark.parametrize(
    "made", [pytest.param(t, marks=() if at == OF_TODAY else pytest.mark.full) for at, t in enumerate(TABLES)]
)
def test_a_table_goes_live_with_a_passed_gate(
    tmp_path: Path, run_quickstart: Callable[..., dict[str, Any]], made: Callable[[Random], Table]
) -> None:
    random = Random(TODAY)
    columns, labels = made(random), LABELS[made]
    first = next(iter(columns.values()))
    ranks = {value: at for at, value in enumerate(sorted(set(first)))}
    answer = [labels[min(len(labels) - 1, ranks[value] * len(labels) // len(ranks))] for value in first]
    table = tmp_path / "table.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, "what came"])
        writer.writerows(zip(*columns.values(), answer, strict=True))
    # Profile and guardrails read every column before a trial begins.
    seconds = "40" if len(columns) > 1_000 else "8" if len(columns) > 100 else "4"
    report = run_quickstart("--data", str(table), "--target", "what came", "--timeout", seconds)
    gate = report["gate"]
    assert gate["passed"] is True, (TODAY, [check for check in gate["checks"] if check["passed"] is False])
    assert {str(label) for label in report["score"]["body"]["result"]} <= {*labels}
