"""The house is its own law: who may import whom, and who may touch the world."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LAYERS = (
    ("domain",),
    ("contract", "swagger_ui"),
    ("predict",),
    ("ml",),
    ("packaging",),
    ("serving",),
    ("loadtest",),
    ("checks",),
    ("gate",),
    ("definitions",),
    ("settings",),
    ("sources",),
    ("workspace",),
    ("local", "azure"),
    ("quickstart",),
    ("cli", "ui"),
)
"""Low to high. A module may import any layer below its own; layers on one line never import each other."""

RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

ONLY = {
    "domain": set(),
    "contract": {"domain"},
    "swagger_ui": set(),
    "predict": {"domain", "contract"},
    "serving": {"domain", "contract", "predict", "swagger_ui"},
    "loadtest": {"domain", "contract"},
    "checks": {"domain", "contract", "loadtest"},
    "gate": {"domain", "contract", "loadtest", "checks"},
    "definitions": {"domain"},
    "settings": {"domain"},
    "sources": {"domain", "settings", "ml"},
    "workspace": {"domain", "settings"},
    "ui": {"domain", "contract", "swagger_ui", "definitions", "settings", "workspace"},
    "cli": {"quickstart", "workspace", "definitions", "settings", "contract", "domain", "checks", "loadtest"},
    "quickstart": set(RANK) - {"local", "azure", "cli", "ui"},
}
"""Layers that may import less than everything below them."""

LEARNERS = {"lightgbm", "xgboost", "catboost", "sklearn", "optuna"}
SERVERS = {"streamlit", "uvicorn", "starlette"}
PROVERS = {"schemathesis", "hypothesis"}
PLACES = {"socket", "http", "urllib.request", "httpx", "subprocess", "sqlite3", "requests"}
CLOUD = {"azure", "msal"}

FORBIDDEN = {
    "domain": {"numpy", "pandas", "msgspec", "os", "pathlib", "time", "random", "duckdb", "yaml"}
    | PLACES
    | SERVERS
    | LEARNERS
    | PROVERS
    | CLOUD,
    "contract": {"pandas", "duckdb", "os", "pathlib", "time"} | PLACES | SERVERS | LEARNERS | PROVERS | CLOUD,
    "swagger_ui": {"pandas", "numpy", "duckdb", "time"} | PLACES | SERVERS | LEARNERS | PROVERS | CLOUD,
    "predict": {"pandas", "duckdb", "time"} | PLACES | SERVERS | LEARNERS | PROVERS | CLOUD,
    "ml": {"streamlit", "starlette", "uvicorn", "socket", "http", "urllib.request", "httpx", "sqlite3"}
    | PROVERS
    | CLOUD,
    "packaging": PLACES | SERVERS | PROVERS | CLOUD,
    "serving": {"pandas", "duckdb", "sqlite3", "streamlit"} | LEARNERS | PROVERS | CLOUD,
    "loadtest": {"pandas", "duckdb", "sqlite3"} | SERVERS | LEARNERS | PROVERS | CLOUD,
    "checks": {"pandas", "duckdb", "sqlite3", "subprocess"} | SERVERS | LEARNERS | CLOUD,
    "gate": {"pandas", "duckdb", "sqlite3", "subprocess", "socket"} | SERVERS | LEARNERS | CLOUD,
    "definitions": {"pandas", "duckdb", "numpy"} | PLACES | SERVERS | LEARNERS | PROVERS | CLOUD,
    "settings": {"pandas", "numpy"} | PLACES | SERVERS | LEARNERS | PROVERS | CLOUD,
    "sources": {"pandas", "subprocess", "sqlite3"} | SERVERS | LEARNERS | PROVERS | CLOUD,
    "workspace": {"pandas", "numpy", "duckdb"} | PLACES | SERVERS | LEARNERS | PROVERS | CLOUD,
    "local": {"pandas", "streamlit"} | LEARNERS | PROVERS | CLOUD,
    "azure": {"sqlite3", "streamlit"} | LEARNERS | PROVERS,
    "quickstart": {"pandas", "numpy", "duckdb", "os", "time"} | PLACES | SERVERS | LEARNERS | PROVERS | CLOUD,
    "cli": {"pandas", "numpy", "duckdb", "sqlite3"} | SERVERS | LEARNERS | PROVERS | CLOUD,
    "ui": {"duckdb", "sqlite3", "subprocess", "httpx"} | LEARNERS | PROVERS | CLOUD,
}
"""Modules that a layer must not import: other people's rooms, and input and output that is not its business."""

ONLY_IN = {"sqlite3": {"core/local/store/db.py", "core/local/store/schema.py"}}
"""Modules that one place alone may import: all SQL stands in the store."""

OUTSIDE = {
    "app.py": {"streamlit", "core.ui"},
    "pages": {"streamlit", "core.ui", "core.domain"},
}
"""What the files of the app may import besides the standard library."""


def modules() -> list[Path]:
    return sorted(path.relative_to(ROOT) for path in (ROOT / "core").rglob("*.py"))


def layer(path: Path) -> str:
    """The layer of a module below `core`; empty for `core/__init__.py`, `__main__` for the door of the command line."""
    parts = path.with_suffix("").parts[1:]
    return "" if parts == ("__init__",) else parts[0]


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every imported module by its full name, and whether it is imported with the module (not inside a function)."""
    yield from _imports(path)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"))


@cache
def _imports(path: Path) -> tuple[tuple[str, bool], ...]:
    return tuple(_found(path, _tree(path)))


def _found(path: Path, tree: ast.Module) -> Iterator[tuple[str, bool]]:
    typing_only = {id(node) for test in ast.walk(tree) if _is_typing(test) for node in ast.walk(test)}
    in_functions = {id(node) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for node in ast.walk(f)}
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in in_functions) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from ((f"{node.module}.{alias.name}", id(node) not in in_functions) for alias in node.names)


def _is_typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def within(name: str, names: set[str]) -> bool:
    return any(name == other or name.startswith(f"{other}.") for other in names)


@pytest.mark.parametrize("path", modules(), ids=str)
def test_imports_go_down(path):
    me = layer(path)
    if me in ("", "__main__"):
        return
    assert me in RANK, f"{path}: give '{me}' a place in LAYERS"
    for name, _ in imports(path):
        if not name.startswith("core."):
            continue
        other = name.split(".")[1]
        allowed = ONLY.get(me, {name for name, rank in RANK.items() if rank < RANK[me]})
        assert other == me or other in allowed, f"{path}: {me} may not import {name}"
        assert other == me or RANK[other] < RANK[me], f"{path}: {name} is not below {me}"


@pytest.mark.parametrize("path", modules(), ids=str)
def test_no_layer_does_what_is_not_its_business(path):
    for name, _ in imports(path):
        assert not within(name, FORBIDDEN.get(layer(path), set())), f"{path}: {layer(path)} may not import {name}"


@pytest.mark.parametrize("path", modules(), ids=str)
def test_what_has_one_place_stays_there(path):
    for name, _ in imports(path):
        for module, places in ONLY_IN.items():
            assert not within(name, {module}) or path.as_posix() in places, f"{path}: {module} belongs into {places}"


@pytest.mark.parametrize("path", [p for p in modules() if layer(p) == "cli"], ids=str)
def test_the_command_line_loads_the_proof_only_when_it_proves(path):
    for name, at_once in imports(path):
        assert not (at_once and within(name, {"core.checks", "core.loadtest"})), f"{path}: import {name} in its command"


@pytest.mark.parametrize(
    "path", [p.relative_to(ROOT) for p in (ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py")))], ids=str
)
def test_pages_know_the_interface_alone(path):
    for name, _ in imports(path):
        if within(name, {"core", "streamlit", "pandas", "numpy", "plotly"}):
            assert within(name, OUTSIDE[path.parts[0]]), f"{path}: may not import {name}"


def test_the_root_package_is_empty():
    assert (ROOT / "core" / "__init__.py").read_text("utf-8").strip() == ""


def test_every_layer_of_the_table_has_its_rules():
    assert set(ONLY) | set(FORBIDDEN) <= set(RANK)
    assert set(RANK) == set(FORBIDDEN)


def test_nothing_is_unpickled_where_foreign_bytes_are_read():
    for path in modules():
        names = {name for name, _ in imports(path)}
        assert not any(
            within(name, {"pickle", "joblib", "cloudpickle", "dill", "shelve", "marshal"}) for name in names
        ), path
        for call in (node for node in ast.walk(_tree(path)) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Attribute) and (ast.unparse(call.func) in ("np.load", "numpy.load")):
                flags = {word.arg: ast.unparse(word.value) for word in call.keywords}
                assert flags.get("allow_pickle") == "False", f"{path}:{call.lineno}: np.load without allow_pickle=False"
