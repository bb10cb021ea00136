"""The rules of pages: what they import, how they begin, how long they are; one table of them."""

import ast
from pathlib import Path

import pytest

from core.settings import CHECKOUT
from core.ui.shell.navigation import PAGES

FILES = sorted((CHECKOUT / "pages").glob("*.py"))
ROOMED = sorted((CHECKOUT / "core" / "ui").glob("*/*.py"))
LINES_MAX = 120
ROOMS = {"shell": 0, "kit": 1}
"""Rooms of the app from below: a page's folder stands on both, and knows no other page's."""


def imports(path: Path) -> set[str]:
    """Every module that a file imports, as `a.b`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_the_table_of_pages_equals_the_folder():
    assert sorted(page.file for page in PAGES) == [path.stem for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_page_imports_only_streamlit_the_ui_and_the_domain(path):
    allowed = ("streamlit", "core.ui", "core.domain")

    def fine(name: str) -> bool:
        return name == "time" or any(name == a or name.startswith(f"{a}.") for a in allowed)

    assert [name for name in imports(path) if not fine(name)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_page_begins_with_its_frame_and_is_short(path):
    source = path.read_text()
    statements = [s for s in ast.parse(source).body if not isinstance(s, ast.Import | ast.ImportFrom)]
    title = next(page.title for page in PAGES if page.file == path.stem)

    assert ast.unparse(statements[1]) == f"ui.frame({title!r})", "statement 0 is the docstring"
    assert len(source.splitlines()) <= LINES_MAX


def test_caches_live_in_one_file():
    others = [p for p in (*(CHECKOUT / "core" / "ui").rglob("*.py"), *FILES) if p.stem != "cached"]

    assert [p.name for p in others if "st.cache_" in p.read_text()] == []


def room(module: str) -> str:
    """The room of `core.ui` that a module is in; empty for another package's."""
    parts = module.split(".")
    return parts[2] if parts[:2] == ["core", "ui"] and len(parts) > 2 else ""


@pytest.mark.parametrize("path", ROOMED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_rooms_know_only_what_is_below_them(path):
    own = path.parent.name
    above = len(ROOMS)
    others = {room(name) for name in imports(path)} - {own, ""}

    assert {other for other in others if ROOMS.get(other, above) >= ROOMS.get(own, above)} == set()


def test_each_page_has_a_room_of_its_own():
    rooms = {path.parent.name for path in ROOMED}

    assert rooms - ROOMS.keys() == {page.file for page in PAGES}
