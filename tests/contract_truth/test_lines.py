"""Every numbered line of the scoring contract is named by a test, and tests name only lines that exist."""

import ast
from collections.abc import Iterator
from pathlib import Path

from contract_lines import lines

ROOT = Path(__file__).parents[2]
TESTS = ("tests", "contract_tests")


def named() -> Iterator[tuple[str, str]]:
    """Each line that a test's marker names, with the test."""
    for folder in TESTS:
        for path in sorted((ROOT / folder).rglob("test_*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    yield from ((line, f"{path.name}::{node.name}") for line in _marks(node))


def _marks(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[str]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.contract":
            yield from (ast.literal_eval(argument) for argument in decorator.args)


def test_every_line_of_the_contract_is_named_by_a_test() -> None:
    unproven = set(lines()) - {line for line, _ in named()}
    assert not unproven, f"no test names {sorted(unproven)}"


def test_tests_name_only_lines_that_stand_in_the_contract() -> None:
    unknown = [(line, test) for line, test in named() if line not in lines()]
    assert not unknown


def test_no_number_is_given_twice() -> None:
    assert len(lines()) == len(set(lines()))
