"""Requests that a server has kept are replayed: the newest first, each as it was sent."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from core.local.worker.shadow import ROWS, kept_requests
from core.serving.keeping import Sample
from core.serving.telemetry import Telemetry


def keep(folder: Path, at_s: float, *ages: list[int], masked: Sequence[str] = ()) -> None:
    """What a server writes that answers a request of these ages each, in a segment that begins at `at_s`."""
    segment = Telemetry(folder, log_fd=None, clock=lambda: at_s)
    for number, values in enumerate(ages):
        columns, data = ["age", "job"], [values, [None] * len(values)]
        reply = msgspec.Raw(b'{"result":[]}')
        rows = len(values)
        sample = Sample(at_s, f"r{number}", "v1", "predict", columns, data, reply, list(masked), 100.0, rows, 1, [], [])
        segment.put(sample)
    segment.close()


def ages(folder: Path) -> list[list[int]]:
    return [[row["age"] for row in json.loads(body)["data"]] for body in kept_requests(folder)]


def test_the_newest_request_comes_first(tmp_path: Path) -> None:
    keep(tmp_path, 9.0, [1], [2, 3])
    keep(tmp_path, 10.0, [4])

    assert ages(tmp_path) == [[4], [2, 3], [1]]
    assert json.loads(next(iter(kept_requests(tmp_path)))) == {"data": [{"age": 4, "job": None}]}


def test_a_request_with_a_masked_column_cannot_be_sent_again(tmp_path: Path) -> None:
    keep(tmp_path, 9.0, [1])
    keep(tmp_path, 10.0, [2], masked=["salary"])

    assert ages(tmp_path) == [[1]]


def test_a_line_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    keep(tmp_path, 9.0, [1])
    (tmp_path / "seg-10000-7-1.jsonl.open").write_bytes(b'{"columns": ["age"], "data": [[2]]}\n{"columns": ["a')

    assert ages(tmp_path) == [[2], [1]]


def test_a_large_request_is_cut(tmp_path: Path) -> None:
    keep(tmp_path, 9.0, list(range(2 * ROWS)))

    assert [len(rows) for rows in ages(tmp_path)] == [ROWS]


@pytest.mark.parametrize("name", ["nothing", "model_data"])
def test_where_nothing_is_kept_there_is_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "model_data").mkdir()

    assert ages(tmp_path / name) == []
