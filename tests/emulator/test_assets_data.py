"""Data assets through the unmodified SDK: uploads, versions, labels, and the table that an address means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.emulator.assets import open_data
from core.emulator.server import Running

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


def test_a_table_is_uploaded_and_opened_under_every_address(running: Running, ml: MLClient, table: Path) -> None:
    from azure.ai.ml.entities import Data

    made = ml.data.create_or_update(Data(path=str(table), type="mltable", name="people"))
    assert (made.version, made.type) == ("1", "mltable")
    emulation = running.emulation
    for uri in ("azureml:people:1", "people@latest", made.id, f"azureml:{made.id.upper()}", made.path):
        assert open_data(emulation, uri).read_text() == "age,y\n30,yes\n40,no\n"
