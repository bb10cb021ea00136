"""Where checks stand: each module in one table, and none that knows another."""

import ast
from pathlib import Path

import pytest

from core.checks import catalogue, proofs
from core.checks.probe.probe import Probe
from core.checks.registry import check

MODULES = {path.stem: path for path in Path(proofs.__path__[0]).glob("*.py") if path.stem != "__init__"}


def test_every_module_of_checks_is_in_the_table_and_has_some() -> None:
    assert {module.__name__.rpartition(".")[2] for module in proofs.PROOFS} == set(MODULES)
    assert {entry.module for entry in catalogue()} == {module.__name__ for module in proofs.PROOFS}


@pytest.mark.parametrize("name", MODULES)
def test_no_module_of_checks_knows_another(name: str) -> None:
    found = [node for node in ast.walk(ast.parse(MODULES[name].read_text())) if isinstance(node, ast.ImportFrom)]
    assert [node.module for node in found if (node.module or "").startswith("core.checks.proofs")] == []


def test_checks_run_part_by_part() -> None:
    parts = [entry.part for entry in catalogue()]
    assert parts == sorted(parts, key=("contract", "semantic", "wire").index)


def test_two_checks_of_one_name_are_a_mistake() -> None:
    def no_key_is_refused(probe: Probe) -> str:
        return ""

    with pytest.raises(ValueError, match="two checks named no_key_is_refused"):
        check("wire", "The same again.")(no_key_is_refused)
