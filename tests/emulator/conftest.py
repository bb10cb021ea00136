"""One emulation for the tests of a module, and the unmodified SDK that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import emulating
import pytest

from core.emulator.server import Running

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulating.emulation(tmp_path_factory.mktemp("emulated")) as started:
        yield started


@pytest.fixture(scope="module")
def ml(running: Running) -> MLClient:
    return emulating.ml_client(running)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A folder with a table as AutoML takes it."""
    folder = tmp_path / "table"
    folder.mkdir()
    (folder / "rows.csv").write_text("age,y\n30,yes\n40,no\n", "utf-8")
    (folder / "MLTable").write_text(
        "paths:\n  - file: ./rows.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n", "utf-8"
    )
    return folder
