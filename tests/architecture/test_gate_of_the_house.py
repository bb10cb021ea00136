"""The gate of the house sees what is planted: small houses, each with one fault."""

import re
from pathlib import Path

import pytest
from architecture import law, sizes
from architecture.house import House
from architecture.law import Law, Named

LAYERS = (("low",), ("left", "right"), ("high",))
ROOMS = {"high": {"kitchen": set(), "hall": {"kitchen"}}}
LAW = Law(LAYERS, {"high": {"low", "left"}}, ROOMS)
AT_A_TIME = {
    "at once": "{}",
    "in a function": "def f():\n    {}",
    "in an async function": "async def f():\n    {}",
    "in a method": "class A:\n    def f(self):\n        {}",
    "for the type checker": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {}",
    "for the type checker, by its module": "import typing\nif typing.TYPE_CHECKING:\n    {}",
    "where it may be missing": "try:\n    {}\nexcept ImportError:\n    pass",
}
WAYS = {
    "from its package": "from core.{package} import {module}",
    "a name of it": "from core.{package}.{module} import thing",
    "a name of it, by another": "from core.{package}.{module} import thing as other",
    "all of it": "from core.{package}.{module} import *",
    "itself": "import core.{package}.{module}",
    "by another name": "import core.{package}.{module} as it",
    "through an attribute": "import core.low; core.{package}.{module}.thing()",
    "by its text": "from importlib import import_module; import_module('core.{package}.{module}')",
    "by its text, with the function inside": "load('core.{package}.{module}:run')",
    "with a name put in later": "import_module(f'core.{package}.{{name}}')",
    "with a name formatted in later": "import_module('core.{package}.%s' % name)",
    "with a name added later": "import_module('core.{package}.' + name)",
    "by Python's own function": "__import__('core.{package}.{module}')",
    "in a lambda": "load = lambda: __import__('core.{package}.{module}')",
    "in a table": "TABLE = {{'kind': ('core.{package}.{module}:run', 'why')}}",
    "as a command": "Popen(['python', '-m', 'core.{package}.{module}'])",
    "as a command of ours": "python_module('core.{package}.{module}', '--option')",
    "for children to come": "context.set_forkserver_preload(['core.{package}.{module}', __name__])",
}


def planted(root: Path, **files: str) -> House:
    """A house of these modules; `low__a` is core/low/a.py."""
    for name in ("core", *(f"core/{layer}" for names in LAYERS for layer in names)):
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text("")
    for name, text in files.items():
        file = root / "core" / f"{re.sub(r'(?<=[a-z])__(?=[a-z])', '/', name)}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
    return House(root)


def statement(way: str, package: str, module: str) -> str:
    return WAYS[way].format(package=package, module=module)


def test_a_sound_house_has_no_fault(tmp_path):
    house = planted(
        tmp_path,
        low__a='"""Says core.high.hall.b, and imports nothing."""',
        left__a="from core.low.a import thing\nfrom core.left import b",
        left__b="import logging\nlog = logging.getLogger('core.left')\nHINT = 'see core.high.hall.b'",
        high__kitchen__a="from core.left import a\nimport numpy as np\nnp.load('x', allow_pickle=False)",
        high__hall__b="from core.high.kitchen.a import thing",
    )
    assert law.upward(house, LAW) == []
    assert law.across(house, LAW) == []
    assert law.strangers(house, LAW) == set()
    assert law.circles(house, LAW) == []
    assert law.unpickling(house) == []
    assert law.deep(house, 2) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("time", AT_A_TIME)
def test_an_import_upward_is_seen_on_every_way_at_every_time(tmp_path, way, time):
    line = AT_A_TIME[time].format(statement(way, "high", "a"))
    assert law.upward(planted(tmp_path, low__a=line, high__a=""), LAW)


@pytest.mark.parametrize("way", WAYS)
def test_a_layer_beside_is_none_below(tmp_path, way):
    assert law.upward(planted(tmp_path, left__a=statement(way, "right", "b"), right__b=""), LAW)


def test_a_layer_may_know_less_than_what_is_below(tmp_path):
    assert law.upward(planted(tmp_path, high__a="from core.right import b", right__b=""), LAW)


@pytest.mark.parametrize("line", ["import core", "import core as all_of_it"])
def test_whoever_imports_all_of_core_may_know_anything(tmp_path, line):
    assert law.upward(planted(tmp_path, low__a=line), LAW)


def test_a_layer_without_a_place_is_seen(tmp_path):
    assert law.upward(planted(tmp_path, cellar__a=""), LAW)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("time", AT_A_TIME)
def test_a_circle_is_seen_on_every_way_at_every_time(tmp_path, way, time):
    line = AT_A_TIME[time].format(statement(way, "low", "a"))
    house = planted(tmp_path, low__a="from core.low.b import thing", low__b="from core.low.c import thing", low__c=line)
    assert law.circles(house, LAW) == [{"core.low.a", "core.low.b", "core.low.c"}]


def test_a_circle_through_a_package_is_seen(tmp_path):
    house = planted(tmp_path, low__a="from core.low import thing")
    (tmp_path / "core" / "low" / "__init__.py").write_text("from core.low.a import thing\n")
    assert law.circles(house, LAW) == [{"core.low", "core.low.a"}]


def test_a_circle_through_a_command_ends_at_what_python_runs_of_a_package(tmp_path):
    house = planted(
        tmp_path,
        low__boss="python_module('core.low.hand')",
        low__work="from core.low.boss import thing",
        **{"low/hand/__main__": "from core.low.work import run"},
    )
    assert [len(circle) for circle in law.circles(house, LAW)] == [3]


def test_a_name_that_is_allowed_is_no_import_as_a_text_and_stays_one_as_a_statement(tmp_path):
    law_ = Law(LAYERS, named=[Named("core.low.a", "core.high", "a table")])
    house = planted(tmp_path, low__a="TABLE = {'x': 'core.high.a:run'}", high__a="from core.low import a")
    assert law.upward(house, law_) == []
    assert law.circles(house, law_) == []
    assert law.not_needed(house, law_) == []
    house = planted(tmp_path / "other", low__a="from core.high import a", high__a="")
    assert law.upward(house, law_)


def test_a_name_that_is_allowed_for_nothing_is_seen(tmp_path):
    house = planted(tmp_path, high__a="TABLE = {'x': 'core.low.a:run'}", low__a="")
    assert law.not_needed(house, Law(LAYERS, named=[Named("core.high.a", "core.low", "none")]))
    assert law.not_needed(house, Law(LAYERS, named=[Named("core.gone", "core.low", "none")]))


@pytest.mark.parametrize("way", WAYS)
def test_a_room_that_knows_too_much_is_seen(tmp_path, way):
    house = planted(tmp_path, high__kitchen__a=statement(way, "high.hall", "b"), high__hall__b="")
    assert [fault.between for fault in law.across(house, LAW)][:1] == [("high", "kitchen", "hall")]


def test_a_room_without_a_place_and_a_place_without_a_room_are_seen(tmp_path):
    house = planted(tmp_path, high__kitchen__a="", high__attic="")
    assert law.strangers(house, LAW) == {("high", "attic"), ("high", "hall")}


@pytest.mark.parametrize("time", AT_A_TIME)
@pytest.mark.parametrize(
    "line", ["import sqlite3", "import sqlite3.dbapi2 as db", "from sqlite3 import connect", "import_module('sqlite3')"]
)
def test_what_is_not_its_business_is_seen(tmp_path, line, time):
    house = planted(tmp_path, low__a=AT_A_TIME[time].format(line))
    assert law.foreign(house, {"low": {"sqlite3"}})
    assert law.misplaced(house, {"sqlite3": {"core.low.store"}})
    assert not law.misplaced(house, {"sqlite3": {"core.low"}})


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np\nnp.load(file)",
        "import numpy\nnumpy.load(file, allow_pickle=True)",
        "import numpy as n\nn.load(file, allow_pickle=flag)",
        "from numpy import load\nload(file)",
        "from numpy import load as read\nread(file)",
        "from numpy.lib import npyio\nnpyio.load(file)",
        "from numpy.lib.format import read_array\nread_array(file, allow_pickle=True)",
        "import numpy as np\nread = np.load",
        "import numpy as np\nrows = map(np.load, files)",
        "import numpy as np\nasync def f():\n    return np.load(file)",
        "import pickle",
        "from joblib import load",
        "import_module('cloudpickle')",
    ],
)
def test_what_may_unpickle_is_seen(tmp_path, text):
    assert law.unpickling(planted(tmp_path, low__a=text))


def test_a_house_that_is_too_deep_is_seen(tmp_path):
    assert law.deep(planted(tmp_path, low__b__c__d__e=""), 2) == ["core/low/b/c/d/e.py: 4 packages deep"]
    assert law.deep(planted(tmp_path / "other", low__b__c=""), 2) == []


@pytest.mark.parametrize("line", ["from . import b", "from .b import thing", "import_module('.b', 'core.low')"])
def test_a_relative_import_is_seen(tmp_path, line):
    with pytest.raises(AssertionError, match=r"core/low/a\.py:1: relative import"):
        planted(tmp_path, low__a=line, low__b="").imports("core.low.a")


@pytest.mark.parametrize("time", AT_A_TIME)
def test_what_is_imported_later_is_told_from_what_is_imported_at_once(tmp_path, time):
    house = planted(tmp_path, low__a=AT_A_TIME[time].format("import json"))
    (found,) = (each for each in house.imports("core.low.a") if each.name == "json")
    assert found.at_once is ("function" not in time and "method" not in time)
    assert found.typing is ("checker" in time)


def test_sizes_are_told(tmp_path):
    text = '''
class A:
    async def long(self):
        """It is long."""
        a = 1
        return a
'''
    house = planted(tmp_path, low__a=text, low__b="f = None\ndef f():\n    return 1")
    assert sizes.modules(house)[0] == (7, "core.low.a")
    assert sizes.functions(house) == [(2, "core.low.a.A.long"), (1, "core.low.b.f")]
    assert "2 functions, 0 of more than 25 lines" in sizes.report(house)
