"""Workloads: their names, and the folders that they share or have alone."""

from collections import Counter
from pathlib import Path

import pytest

from perf.workloads import ALL, PARTS, Inputs
from perf.workloads.places import copy_of, once


def test_every_workload_has_a_name_of_its_own_and_says_what_makes_it_grow() -> None:
    assert [name for name, times in Counter(workload.name for workload in ALL).items() if times > 1] == []
    assert [workload.name for workload in ALL if not workload.grows_with] == []
    assert sum(len(workloads) for workloads in PARTS.values()) == len(ALL)


def test_a_folder_is_filled_once_and_each_copy_of_it_is_somebodys_own(tmp_path: Path) -> None:
    filled: list[Path] = []

    def fill(folder: Path) -> None:
        filled.append(folder)
        (folder / "file").write_text("as it was made")

    inputs = Inputs(tmp_path)
    inputs.scratch.mkdir()
    one, other = (copy_of(inputs, "things", fill) for _ in range(2))
    (one / "file").write_text("changed")
    assert (other / "file").read_text() == (filled[0] / "file").read_text() == "as it was made"
    assert len(filled) == 1


def test_what_was_left_half_filled_is_filled_anew(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        once(tmp_path / "place", fail)
    once(tmp_path / "place", lambda folder: (folder / "whole").touch())
    assert [path.name for path in (tmp_path / "place").iterdir()] == ["whole"]
