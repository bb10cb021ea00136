"""The largest modules and functions of `core`, as a report: `PYTHONPATH=tests python -m architecture.sizes`."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from architecture.house import House

MODULE_LINES, FUNCTION_LINES = 300, 25
"""More is a smell, not a fault."""
SHOWN = 15


class Size(NamedTuple):
    """How long something is."""

    lines: int
    name: str


def modules(house: House) -> list[Size]:
    """Every module, the longest first; without blank lines at its end."""
    return sorted(
        (Size(len(p.read_text("utf-8").splitlines()), name) for name, p in house.modules.items()), reverse=True
    )


def functions(house: House) -> list[Size]:
    """Every function by its body without the docstring, the longest first."""
    return sorted((each for name in house.modules for each in _functions(name, house.tree(name))), reverse=True)


def _functions(name: str, node: ast.AST) -> Iterator[Size]:
    for child in ast.iter_child_nodes(node):
        own = (
            f"{name}.{child.name}" if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) else name
        )
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Size((child.end_lineno or 0) - _first(child) + 1, own)
        yield from _functions(own, child)


def _first(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The line that its body begins in."""
    said = ast.get_docstring(function) is not None and len(function.body) > 1
    return function.body[1 if said else 0].lineno


def report(house: House) -> str:
    """Both lists' heads, and how many are longer than they should be."""
    parts = []
    for what, sizes, limit in (
        ("modules", modules(house), MODULE_LINES),
        ("functions", functions(house), FUNCTION_LINES),
    ):
        longer = sum(size.lines > limit for size in sizes)
        parts.append(f"{len(sizes)} {what}, {longer} of more than {limit} lines")
        parts += [f"  {size.lines:5}  {size.name}" for size in sizes[:SHOWN]]
    return "\n".join([*parts, f"{sum(size.lines for size in modules(house))} lines in all"])


if __name__ == "__main__":
    print(report(House(Path(sys.argv[1] if len(sys.argv) > 1 else "."))))  # noqa: T201
