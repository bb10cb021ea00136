"""What the emulation says is held against Microsoft's schemas, and what is wrong fails the test that caused it."""

from pathlib import Path

import emulating
import httpx
import pytest

from contract_tests.azure.validation import Inspector
from core.emulator.messages import Reply, Request

PATH = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/jobs/j"


@pytest.fixture
def inspector(shared: Path) -> Inspector:
    return Inspector(shared / "azure" / "schemas")


def seen(host: str = "management.azure.com") -> Request:
    return Request("GET", host, PATH, {"api-version": "2023-04-01"})


def test_what_is_wrong_is_told_once(inspector: Inspector) -> None:
    inspector(seen(), Reply(200, {"name": 5}))
    assert inspector.taken()
    assert inspector.taken() == []


def test_other_hosts_have_other_shapes(inspector: Inspector) -> None:
    inspector(seen("slipwayemulated.blob.core.windows.net"), Reply(200, b"rows"))
    assert inspector.taken() == []


def test_a_test_over_the_emulation_is_inspected_by_itself(tmp_path: Path, shared: Path) -> None:
    with emulating.emulation(tmp_path) as running:
        names = running.emulation.names
        httpx.get(f"https://management.azure.com{names.workspace_path}?api-version=2031-01-01")
    assert any("neither in the schemas" in each for each in emulating.INSPECTOR.taken())
