"""The rules of pages: what they import, how they begin, how long they are; one table of them."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from core.settings import CHECKOUT, read_settings
from core.ui.shell.navigation import PAGES
from core.workspace import Workspace

FILES = sorted((CHECKOUT / "pages").glob("*.py"))
ROOMED = sorted((CHECKOUT / "core" / "ui").glob("*/*.py"))
LINES_MAX = 120
VERBS = set(Workspace(read_settings({})).verbs)


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


def test_each_page_has_a_room_of_its_own():
    rooms = {path.parent.name for path in ROOMED}

    assert rooms == {"shell", "kit"} | {page.file for page in PAGES}


def verbs_in(tree: ast.AST) -> tuple[set[str], set[str]]:
    """The verbs that a file takes from a workspace, as `noun.verb`; and those that it names in a text."""
    dotted = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    taken = {f"{node.value.attr}.{node.attr}" for node in dotted if isinstance(node.value, ast.Attribute)}
    named = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return taken & VERBS, named & VERBS


def room_of(path: Path) -> str:
    return path.stem if path in FILES else path.parent.name


def test_whether_a_verb_is_there_is_asked_where_the_app_takes_one():
    asked = defaultdict(set, {page.file: set(page.needs) for page in PAGES})
    verbs = {path: verbs_in(ast.parse(path.read_text())) for path in (*ROOMED, *FILES)}
    for path, (_, named) in verbs.items():
        asked[room_of(path)] |= named
    for below in ("shell", "kit"):
        asked[below] = set().union(*asked.values())

    assert {path.name: left for path, (taken, _) in verbs.items() if (left := taken - asked[room_of(path)])} == {}
