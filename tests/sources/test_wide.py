"""Tables of very many columns: their cells are read as those of narrow ones, and in time linear in the columns."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from core.domain.data import DataSource
from core.sources import Source, ingest

COLUMNS = {
    "whole": ["1", " 2 ", " ", "n/a", "", "-5"],
    "measured": ["1.5", "", "inf", "1e3", "\t2", "nan"],
    "of commas": ["1,5", "2,25", "", "3,0", "4,5", "-1,25"],
    "flag": ["true", "False", "", "TRUE", "false", "true"],
    "code": ["007", "012", "", "013", "001", "002"],
    "text": ["a", " b ", "", "n/a", "Ä", "c"],
}


def read(tmp_path: Path, columns: dict[str, list[str]]) -> tuple[dict[str, list[Any]], list[str], float]:
    """The values of a table written with semicolons, what was said of it, and the processor time of reading it."""
    text, parquet = tmp_path / "t.csv", tmp_path / "t.parquet"
    rows = zip(*columns.values(), strict=True)
    text.write_text("\n".join([";".join(columns), *map(";".join, rows)]) + "\n", "utf-8")
    began = time.process_time()
    notes = ingest(Source(DataSource.FILE, str(text), "t", text), parquet).notes
    took = time.process_time() - began
    return pq.read_table(parquet).to_pydict(), [note.text for note in notes], took


def test_a_cell_is_read_alike_in_a_narrow_and_in_a_wide_table(tmp_path):
    narrow, _, _ = read(tmp_path, COLUMNS)
    more = {f"{i}": COLUMNS["measured"] for i in range(200)}
    wide, _, _ = read(tmp_path, COLUMNS | more)
    assert wide == narrow | dict.fromkeys(more, narrow["measured"])
    assert narrow["whole"] == [1, 2, None, None, None, -5]
    assert narrow["of commas"] == [1.5, 2.25, None, 3.0, 4.5, -1.25]


def test_thousands_of_columns_are_read_in_seconds(tmp_path):
    random = np.random.default_rng(0)
    cells = [
        random.normal(size=20).astype(str) if i % 2 else random.choice(["level 1", "level 2"], 20) for i in range(2_000)
    ]
    values, notes, took = read(tmp_path, {f"c{i}": list(column) for i, column in enumerate(cells)})
    assert took < 4  # it took 15 s while the planner compared all columns with each other
    assert notes == []
    assert values["c1999"] == list(map(float, cells[-1]))
    assert values["c1998"] == list(cells[-2])
