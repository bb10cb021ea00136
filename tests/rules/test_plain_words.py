"""Sentences that people read use the field's words, and count in the right form."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import CHECKOUT

BETTER = {
    r"\w\(s\)": "a count in the right form (core.domain.counting)",
    r"\blearn(ed|t)? from\b": "trained on, used for training",
    r"\btime to answer\b": "latency",
    r"\bcommonest\b": "most common",
    r"\blook here\b": "needs attention",
    r"\btold to come (later|again)\b": "rejected with 429, retry later",
    r"\bin sum\b": "in total",
    r"\bdo not learn\b": "exclude",
    r"\bbest by\b": "optimize for, primary metric",
    r"\boptimis|\bnormalis|\bsummaris": "American spelling",
    r"anyone else's": "any other",
    r"not applicable[.:] not applicable": "not applicable, once",
    r"^gate (waits|runs)$": "gate queued, gate running",
}
"""What was found in the app and on the command line -> what a native speaker would write."""


def sentences(file: Path) -> Iterator[tuple[int, str]]:
    """Every text of a module that is no docstring and has more than one word, with its line."""
    tree = ast.parse(file.read_text("utf-8"))
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in notes:
            continue
        if " " in node.value.strip() or "(" in node.value:
            yield node.lineno, node.value


def faults(file: Path) -> list[str]:
    return [
        f"{file.name}:{line}: {text[:80]!r}: {better}"
        for line, text in sentences(file)
        for pattern, better in BETTER.items()
        if re.search(pattern, text, re.IGNORECASE)
    ]


def test_what_people_read_is_written_in_plain_words() -> None:
    files = sorted((CHECKOUT / "core").rglob("*.py"))
    assert len(files) > 300
    assert [fault for file in files for fault in faults(file)] == []


@pytest.mark.parametrize("said", ["lacks 3 column(s)", "Best by AUC", "was told to come later", "Gate waits"])
def test_a_sentence_that_is_not_is_found(tmp_path: Path, said: str) -> None:
    file = tmp_path / "one.py"
    file.write_text(f'"""Learned from, in a docstring."""\n\nprint("{said}")\n', "utf-8")
    assert len(faults(file)) == 1
