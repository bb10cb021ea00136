"""The house is its own law: who may import whom, who may touch the world. The tables stand here, the rules in `law`."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from architecture import law
from architecture.house import House, read, walk, within
from architecture.law import Law, Named

ROOT = Path(__file__).parents[2]
HOUSE = House(ROOT)

LAYERS = (
    ("domain",),
    ("durable",),
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
    ("forwarding",),
    ("sources",),
    ("workspace",),
    ("work",),
    ("local", "azure"),
    ("emulator",),
    ("quickstart",),
    ("cli", "ui"),
)
"""Low to high. A module may import any layer below its own; layers on one line never import each other."""

ONLY = {
    "domain": set(),
    "durable": {"domain"},
    "contract": {"domain"},
    "swagger_ui": set(),
    "predict": {"domain", "contract"},
    "serving": {"domain", "contract", "predict", "swagger_ui"},
    "loadtest": {"domain", "contract"},
    "checks": {"domain", "contract", "loadtest"},
    "gate": {"domain", "contract", "loadtest", "checks"},
    "definitions": {"domain"},
    "settings": {"domain"},
    "forwarding": {"domain", "durable", "settings"},
    "sources": {"domain", "settings", "ml"},
    "workspace": {"domain", "settings"},
    "work": {"domain", "durable", "contract", "loadtest"},
    "ui": {"domain", "contract", "swagger_ui", "definitions", "settings", "workspace"},
    "cli": {
        *("quickstart", "workspace", "definitions", "settings", "contract", "domain", "checks", "loadtest"),
        "emulator",
    },
    "emulator": {"domain", "contract", "definitions", "settings", "workspace"},
    "quickstart": {name for names in LAYERS for name in names} - {"local", "azure", "emulator", "cli", "ui"},
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
    "durable": {"pandas", "numpy", "duckdb", "time"} | PLACES | SERVERS | LEARNERS | PROVERS | CLOUD,
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
    "forwarding": {"pandas", "numpy", "duckdb", "sqlite3", "subprocess"} | SERVERS | LEARNERS | PROVERS,
    "sources": {"pandas", "subprocess", "sqlite3"} | SERVERS | LEARNERS | PROVERS | CLOUD,
    "workspace": {"pandas", "numpy", "duckdb"} | PLACES | SERVERS | LEARNERS | PROVERS | CLOUD,
    "work": {"pandas", "duckdb", "os", "subprocess", "sqlite3"} | SERVERS | LEARNERS | PROVERS | CLOUD,
    "local": {"pandas", "streamlit"} | LEARNERS | PROVERS | CLOUD,
    "azure": {"sqlite3", "streamlit"} | LEARNERS | PROVERS,
    "emulator": {"pandas", "duckdb", "sqlite3", "streamlit"} | LEARNERS | PROVERS | CLOUD,
    "quickstart": {"pandas", "numpy", "duckdb", "os", "time"} | PLACES | SERVERS | LEARNERS | PROVERS | CLOUD,
    "cli": {"pandas", "numpy", "duckdb", "sqlite3"} | SERVERS | LEARNERS | PROVERS | CLOUD,
    "ui": {"duckdb", "sqlite3", "subprocess", "httpx"} | LEARNERS | PROVERS | CLOUD,
}
"""Modules that a layer must not import: other people's rooms, and input and output that is not its business."""

PLACES_OF_LOCAL = {
    "paths",
    "context",
    "origins",
    "endpoint_file",
    "importing",
    "registration",
    "reuse",
    "dependence",
    "lineage",
    "own_code",
    "confined",
    "deleted",
    "tables",
    "doctor",
    "forwarding",
    "continuing",
}
PAGES = {path.stem for path in (ROOT / "pages").glob("*.py")}

NOUNS = {path.stem for path in (ROOT / "core" / "workspace").glob("*.py")} - {
    "__init__",
    "collection",
    "workspace",
    "backends",
    "pace",
}

ROOMS = {
    "workspace": {
        "collection": set(),
        "pace": set(),
        "workspace": {"collection", "pace", *NOUNS},
        "backends": {"workspace"},
    }
    | {noun: {"collection"} for noun in NOUNS},
    "local": {
        "paths": set(),
        "machine": set(),
        "store": {"machine"},
        "context": {"paths", "store"},
        "queue": {"paths", "context"},
        "importing": {"paths", "machine", "store"},
        "registration": {"paths", "machine", "store"},
        "own_code": set(),
        "dependence": {"store", "own_code"},
        "lineage": {"store", "dependence"},
        "reuse": {"paths", "store", "dependence", "lineage"},
        "publishing": {"paths", "context", "machine", "store"},
        "triggering": {"paths", "context", "queue", "confined", "store", "lineage", "reuse"},
        "scheduling": {"context", "triggering", "store"},
        "control": {"paths", "machine", "store"},
        "step_outputs": {"paths", "context", "machine", "store"},
        "endpoint_file": {"machine"},
        "origins": {"store"},
        "confined": set(),
        "tables": {"paths", "machine", "store"},
        "deleted": {"paths", "machine", "store"},
        "doctor": {"machine", "context", "forwarding"},
        "forwarding": {"paths", "context"},
        "continuing": {"paths"},
        "trial_files": {"paths", "context", "store", "deleted"},
        "alert_words": set(),
        "alerting": {"paths", "context", "store", "alert_words"},
        "explainers": set(),
        "explaining": {"context", "trial_files", "explainers"},
        "records": {"machine"},
        "watching": {"context", "machine", "records", "paths", "store", "deleted"},
        "worker": {
            "machine",
            "store",
            "records",
            "workspace",
            *PLACES_OF_LOCAL,
        },  # `__main__` opens one and hands it in
        "collections": {
            "machine",
            "store",
            "records",
            "queue",
            "publishing",
            "triggering",
            "scheduling",
            "control",
            "step_outputs",
            "explaining",
            "watching",
            "alerting",
            *PLACES_OF_LOCAL,
        },
        "workspace": {"collections", "context"},
        "service": {
            "machine",
            "store",
            "records",
            "worker",
            "workspace",
            "queue",
            "triggering",
            "scheduling",
            "alert_words",
            "alerting",
            *PLACES_OF_LOCAL,
        },
    },
    "ml": {
        "task": set(),
        "bank_twin": set(),
        "features": set(),
        "parity": set(),
        "regression_metrics": set(),
        "metrics": {"task", "regression_metrics"},
        "comparison": {"task", "metrics"},
        "data": {"task", "metrics"},
        "learners": {"task", "features", "metrics"},
        "finished": {"task"},
        "lookups": {"task", "data"},
        "interactions": {"task", "data", "lookups"},
        "featurize": {"task", "lookups", "interactions"},
        "rounds": set(),
        "hopeless": set(),
        "left": {"task", "finished", "learners", "parity"},
        "trial": {
            "task",
            "data",
            "metrics",
            "learners",
            "finished",
            "featurize",
            "rounds",
            "hopeless",
            "left",
        },
        "explain": {"task", "data", "metrics", "comparison", "finished", "ensembles"},
        "drift": {"data"},
        "live": {"task", "metrics", "comparison"},
        "executor": {"task"},
        "plan": {"task", "learners", "finished", "leaderboard", "featurize"},
        "ensembles": {"task", "data", "metrics", "finished"},
        "asked": {"data", "ensembles", "featurize", "learners", "plan"},
        "leaderboard": {"finished"},
        "result": set(),
        "final": {"task", "data", "metrics", "finished", "executor", "ensembles", "leaderboard", "result"},
        "search": {"task", "data", "featurize", "finished", "executor", "plan", "leaderboard", "result", "final"},
    },
    "checks": {
        "outcome": set(),
        "effort": set(),
        "document": {"outcome"},
        "probe": {"outcome", "effort", "document"},
        "azure": {"probe"},
        "registry": {"effort", "probe"},
        "asking": {"outcome", "effort", "document", "probe"},
        "generated": {"outcome", "document", "probe", "azure", "asking"},
        "proofs": {"outcome", "effort", "document", "probe", "azure", "registry", "asking", "generated"},
        "judging": {"outcome", "effort", "document", "probe", "azure", "registry", "asking"},
        "suite": {"outcome", "effort", "document", "probe", "registry", "proofs", "judging"},
        "reports": set(),
    },
    "ui": {"shell": set(), "kit": {"shell"}} | {page: {"shell", "kit"} for page in PAGES},
}
"""Of a layer with rooms: what each room may import of the others. A module that stands alone is a room."""

ONLY_IN = {"sqlite3": {"core.local.store"}, "opentelemetry": {"core.forwarding"}}
"""Modules that one place alone may import: all SQL stands in the store, and exporters load in one process alone."""

OUTSIDE = {
    "app.py": {"streamlit", "core.ui"},
    "pages": {"streamlit", "core.ui", "core.domain"},
}
"""What the files of the app may import besides the standard library."""


NAMED = (
    Named("core.workspace.backends", "core.local", "BACKENDS: a backend is loaded when a workspace is opened"),
    Named("core.workspace.backends", "core.azure", "BACKENDS, as above"),
    Named("core.azure.here", "core.azure.runner", "the command that does a job of this machine"),
    Named("core.local.control", "core.local.service", "the command that starts the service, or that a process becomes"),
    Named(
        "core.packaging.export", "core.serving", "what an exported folder starts: its files are copied, not imported"
    ),
)
"""Modules that may name others in a text where they may not import them, each with its reason.

One that nobody needs any more fails.
"""

LAW = Law(LAYERS, ONLY, ROOMS, NAMED)
DEPTH_MAX = 2


def test_imports_go_down():
    assert law.upward(HOUSE, LAW) == []


def test_rooms_know_whom_their_table_says():
    assert law.across(HOUSE, LAW) == []


def test_every_room_has_its_place():
    assert law.strangers(HOUSE, LAW) == set()


def test_no_module_imports_itself_on_whatever_way():
    assert sorted(map(sorted, law.circles(HOUSE, LAW))) == []


@pytest.mark.parametrize("layer", ROOMS)
def test_no_two_rooms_may_know_each_other(layer):
    list(TopologicalSorter(ROOMS[layer]).static_order())  # raises CycleError


def test_what_is_named_against_the_law_is_needed():
    assert law.not_needed(HOUSE, LAW) == []


def test_no_layer_does_what_is_not_its_business():
    assert law.foreign(HOUSE, FORBIDDEN) == []


def test_what_has_one_place_stays_there():
    assert law.misplaced(HOUSE, ONLY_IN) == []


def test_the_house_is_not_deep():
    assert law.deep(HOUSE, DEPTH_MAX) == []


def test_nothing_is_unpickled_where_foreign_bytes_are_read():
    assert law.unpickling(HOUSE) == []


def test_the_command_line_loads_the_proof_only_when_it_proves():
    commands = [module for module in HOUSE.modules if law.layer(module) == "cli"]
    loaded = [
        (module, each) for module in commands for each in HOUSE.imports(module) if each.at_once and not each.typing
    ]
    assert [
        (m, each.name) for m, each in loaded if within(each.name, {"core.checks", "core.loadtest", "core.emulator"})
    ] == []


@pytest.mark.parametrize("path", [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))], ids=lambda path: path.stem)
def test_pages_know_the_interface_alone(path):
    known = OUTSIDE[path.relative_to(ROOT).parts[0]]
    for each in read(tuple(walk(ast.parse(path.read_text("utf-8"))))):
        if within(each.name, {"core", "streamlit", "pandas", "numpy", "plotly"}):
            assert within(each.name, known), f"{path.name}:{each.line}: may not import {each.name}"


def test_the_root_package_is_empty():
    assert (ROOT / "core" / "__init__.py").read_text("utf-8").strip() == ""


def test_every_layer_of_the_table_has_its_rules():
    assert set(ONLY) | set(FORBIDDEN) | set(ROOMS) <= set(LAW.rank)
    assert set(LAW.rank) == set(FORBIDDEN)
